"""`edgevlo quantize` runs the gate on what it has made, before anybody else sees it."""

import hashlib
import os
from collections import Counter
from pathlib import Path
from typing import Any

import onnx_ir as ir
import pytest
from command_line import Ran, Run
from emu3_checkpoints import SHAPES
from exported import Exported
from toy_bundle import rewritten

from edgevlo.cli import run
from edgevlo.quantization import QuantizeRequest, quantize, write_bundle
from edgevlo.quantization import run as carry_out
from edgevlo.quantization.modules import linear_layer_names, quantised_blocks
from edgevlo.quantization.passes._graph import matmuls
from edgevlo.quantization.request import choice_of
from edgevlo.runtime.bundle import Bundle, open_bundle, sealed_bundle
from edgevlo.runtime.manifest.schema import Manifest, read_manifest


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


UNMEASURED = ("quantize", "portable", "-o", "made")
QUANTIZE = (*UNMEASURED, "--prompts", "requests.txt")


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
    assert ran.err.startswith(
        "note: backbone was kept in blocks of 32 because blocks of 128 failed the quality check ("
    )
    assert "\nnote: below the limits of int4: codes that agree" in ran.err
    quality = open_bundle(Path("made")).manifest.quality
    assert quality is not None
    assert not quality.passed
    assert quality.reasons
    assert (
        "BELOW the limits of int4, kept with --accept-quality-loss: codes that agree" in edgevlo_run("show", "made").out
    )


def test_nothing_is_measured_where_nobody_asks(edgevlo_run: Run) -> None:
    assert edgevlo_run(*UNMEASURED, "--weights", "int4", "--quality-requests", "0").code == 0
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
    assert quantize(judged, Path("again"), weights="fp32", requests=0).quality is None


def test_an_interrupt_while_judging_leaves_nothing(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgevlo.calibration.evaluation.compare.Comparison.add", interrupt)
    assert edgevlo_run(*QUANTIZE).code == 130
    assert sorted(path.name for path in Path().iterdir()) == ["portable", "requests.txt"]


def parts_of(bundle: Path, weights: str) -> dict[str, frozenset[str]]:
    request = QuantizeRequest(bundle=bundle, output=bundle, weights=weights)
    return quantised_blocks(linear_layer_names(bundle, read_manifest(bundle)), choice_of(request))


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    path = tmp_path / "requests.txt"
    path.write_text("a red car\na big tree\n")
    return path


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_a_budget_of_bytes_leaves_what_suffers_most_as_it_was(
    exported: Exported, tmp_path: Path, requests: Path
) -> None:
    parts = parts_of(exported.portable, "int4")
    quantize(exported.portable, tmp_path / "all", weights="int4", requests=0)
    smallest, largest = (
        sum(file.bytes for file in read_manifest(folder).files.values()) for folder in (tmp_path / "all", exported.cpu)
    )
    request = QuantizeRequest(
        bundle=exported.portable,
        output=tmp_path / "made",
        weights="int4",
        requests=2,
        prompts=requests,
        accept_loss=True,
        budget=f"{(smallest + largest) // 2}B",
    )

    made = carry_out(request)

    kept = made.kept
    assert kept is not None
    assert kept.modules == {damage.module for damage in kept.ranking[: len(kept.modules)]}
    assert 0 < len(kept.modules) < len(parts) == len(kept.ranking)
    counted = [file.bytes for name, file in made.manifest.files.items() if name != "self_check.json"]
    assert sum(counted) <= (smallest + largest) // 2
    graphs = [ir.load(tmp_path / "made" / f"{role}.onnx").graph for role in ("backbone", "text_head", "image_head")]
    unchanged = {node.name for graph in graphs for node in matmuls(graph)}
    assert unchanged == {name for module in kept.modules for name in parts[module]}
    assert made.manifest.quality is not None
    assert made.manifest.quality.requests == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all", "made", "requests.txt"]


def test_a_budget_hashes_every_file_once(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The portable bundle above all: whatever the number of trials, none of them hashes it again."""
    hashed, sealed = Counter[tuple[int, int, int]](), list[Path]()
    digest, seal = hashlib.file_digest, sealed_bundle

    def noted(file: Any, algorithm: Any) -> Any:
        facts = os.fstat(file.fileno())
        hashed[facts.st_ino, facts.st_mtime_ns, facts.st_size] += 1
        return digest(file, algorithm)

    def counted(folder: Path, manifest: Manifest) -> Bundle:
        sealed.append(folder)
        return seal(folder, manifest)

    monkeypatch.setattr(hashlib, "file_digest", noted)
    monkeypatch.setattr(write_bundle, "sealed_bundle", counted)
    ran = edgevlo_run(*QUANTIZE, "--weights", "int4", "--budget", "70KB", "--accept-quality-loss")
    assert ran.code == 0
    assert len(sealed) == 4  # blocks of 128, of 32, every layer kept, and the one that is published
    assert max(hashed.values()) == 1


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_parts_are_the_attention_and_the_mlp_of_every_layer_and_the_heads(exported: Exported) -> None:
    parts = parts_of(exported.portable, "int8")
    count = read_manifest(exported.portable).backbone.layers
    assert sorted(map(len, parts.values())) == [1, 1, *[3] * count, *[4] * count]
    assert all(name in members for name, members in parts.items() if len(members) == 1)
    assert all(member.startswith(f"{name}.") for name, members in parts.items() for member in members - {name})
    assert parts_of(exported.portable, "fp32") == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--budget", "much"), "--budget much is not a share"),
        (
            ("--budget", "1%", "--quality-requests", "0"),
            "--budget requires quality measurement; remove --quality-requests 0",
        ),
        (
            ("--budget", "1%", "--weights", "fp32"),
            "--budget has no layers to choose from: --weights fp32 quantises none",
        ),
        (("--weights", "int3"), "cpu does not support 'int3' weights"),
    ],
    ids=" ".join,
)
def test_a_budget_that_means_nothing_is_refused(edgevlo_run: Run, options: tuple[str, ...], said: str) -> None:
    ran = edgevlo_run(*(UNMEASURED if "--quality-requests" in options else QUANTIZE), *options)
    assert ran.code == 1
    assert said in ran.err
    assert sorted(path.name for path in Path().iterdir()) == ["portable", "requests.txt"]


def test_prompts_that_cannot_be_read_are_said_before_the_work(edgevlo_run: Run) -> None:
    ran = edgevlo_run("quantize", "portable", "-o", "made", "--prompts", "none.txt")
    assert ran.code == 1
    assert "none.txt cannot be read as requests" in ran.err
    assert not Path("made").exists()
