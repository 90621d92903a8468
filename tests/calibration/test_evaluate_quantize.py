"""`edgevlo quantize` runs the gate on what it has made, before anybody else sees it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from toy_bundle import rewritten

from edgevlo.cli import run
from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import open_bundle


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def portable(tree: dict[str, Any]) -> None:
    tree["target"] = "portable"


@pytest.fixture
def edgevlo_run(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command in a folder with a portable bundle and a file of requests."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    rewritten(toy, Path("portable"), portable)
    Path("requests.txt").write_text("a red car\na big tree\nask: where is it\n")

    def call(*arguments: str) -> Ran:
        return Ran(run(arguments), *capsys.readouterr())

    return call


QUANTIZE = ("quantize", "portable", "-o", "made", "--prompts", "requests.txt")


def test_what_passes_says_so_in_its_manifest(edgevlo_run: Run) -> None:
    ran = edgevlo_run(*QUANTIZE, "--weights", "fp32")

    assert (ran.code, ran.out, ran.err) == (0, "made\n", "")
    made = open_bundle(Path("made"))  # every hash is right
    quality = made.manifest.quality
    assert quality is not None
    assert (quality.passed, quality.limits, quality.requests, quality.reasons) == (True, "fp32", 3, ())
    assert quality.reference == open_bundle(Path("portable")).digest
    assert quality.figures["code_agreement"] == 1
    assert "within the limits of fp32" in edgevlo_run("show", "made").out


def test_what_fails_is_not_kept(edgevlo_run: Run) -> None:
    ran = edgevlo_run(*QUANTIZE, "--weights", "int4")  # four bits a weight of a random model of sixteen dimensions

    assert ran.code == 1
    assert ran.err.startswith("edgevlo: the bundle is below the limits of int4 and was not kept: codes that agree")
    assert "--accept-quality-loss" in ran.err
    assert sorted(path.name for path in Path().iterdir()) == ["portable", "requests.txt"]


def test_what_fails_is_kept_if_that_is_wanted_and_says_so(edgevlo_run: Run) -> None:
    ran = edgevlo_run(*QUANTIZE, "--weights", "int4", "--accept-quality-loss")

    assert ran.code == 0
    assert ran.err.startswith("note: below the limits of int4: codes that agree")
    quality = open_bundle(Path("made")).manifest.quality
    assert quality is not None
    assert not quality.passed
    assert quality.reasons
    assert "BELOW the limits of int4, kept all the same: codes that agree" in edgevlo_run("show", "made").out


def test_nothing_is_measured_where_nobody_asks(edgevlo_run: Run) -> None:
    assert edgevlo_run(*QUANTIZE, "--weights", "int4", "--quality-requests", "0").code == 0
    assert open_bundle(Path("made")).manifest.quality is None
    assert "quality    not measured" in edgevlo_run("show", "made").out


def test_the_verdict_on_a_bundle_is_not_that_on_what_is_made_of_it(edgevlo_run: Run, toy: Path) -> None:
    assert edgevlo_run(*QUANTIZE, "--weights", "fp32").code == 0
    judged = Path("judged")

    def as_judged(tree: dict[str, Any]) -> None:
        quality = open_bundle(Path("made")).manifest.quality
        assert quality is not None
        portable(tree)
        tree["quality"] = {name: getattr(quality, name) for name in quality.__struct_fields__}

    rewritten(toy, judged, as_judged)
    assert quantize(judged, Path("again"), weights="fp32").quality is None


def test_an_interrupt_while_judging_leaves_nothing(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgevlo.calibration.quality.Comparison.add", interrupt)
    assert edgevlo_run(*QUANTIZE).code == 130
    assert sorted(path.name for path in Path().iterdir()) == ["portable", "requests.txt"]


def test_prompts_that_cannot_be_read_are_said_before_the_work(edgevlo_run: Run) -> None:
    ran = edgevlo_run("quantize", "portable", "-o", "made", "--prompts", "none.txt")
    assert ran.code == 1
    assert "none.txt cannot be read as requests" in ran.err
    assert not Path("made").exists()
