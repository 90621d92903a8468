"""`edgevlo evaluate`: what is printed and written, what is refused, and that nothing half-done stays behind."""

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from damaged_bundles import damaged, noisy
from PIL import Image
from toy_bundle import rewritten
from toy_reference import CELL

from edgevlo.calibration.evaluation import evaluate as evaluation
from edgevlo.calibration.evaluation import metrics
from edgevlo.calibration.evaluation.cases import Case
from edgevlo.calibration.evaluation.compare import Pair
from edgevlo.calibration.evaluation.sheet import AMPLIFIED, MOST, _font, difference, sheet
from edgevlo.cli import run
from edgevlo.runtime.bundle import open_bundle


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


@pytest.fixture
def edgevlo_run(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command in a folder with `toy`, `worse` and a file of requests."""
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    shutil.copytree(toy, "toy")
    damaged(toy, Path("worse"), {"image_head": noisy(0.5)}, "int8")
    Path("requests.txt").write_text("a red car\n一 辆 红 车  # a red car\nask: where is it\nsegment:\n")

    def call(*arguments: str) -> Ran:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call


BOTH = ("evaluate", "worse", "--against", "toy", "--prompts", "requests.txt")


def test_a_table_a_document_and_a_sheet(edgevlo_run: Run) -> None:
    ran = edgevlo_run(*BOTH, "--json", "figures.json", "--sheet", "sheet.png")

    assert (ran.code, ran.err) == (0, "")
    document = json.loads(Path("figures.json").read_text(encoding="utf-8"))
    assert document["format"] == "edgevlo-evaluation/1"
    assert document["reference"]["sha256"] == open_bundle(Path("toy")).digest
    assert document["candidate"]["sha256"] == open_bundle(Path("worse")).digest
    assert [case["request"] for case in document["requests"]["cases"]] == [
        "a red car", "一 辆 红 车", "ask: where is it", "segment",
    ]  # fmt: skip
    assert {"date", "machine", "versions", "seconds"} <= document.keys()
    figures = document["figures"]
    assert figures["codes"]["cells"] == 3 * 20
    assert f"{100 * figures['codes']['agreement']:.2f} %" in ran.out
    assert "BELOW the limits of int8" in ran.out
    assert document["verdict"]["passed"] is False
    assert all(reason in ran.out for reason in document["verdict"]["reasons"])
    assert "layers were not compared: the backbone's graph does not name its layers" in ran.out
    with Image.open("sheet.png") as picture:
        picture.load()
        assert picture.width > 3 * 128
    assert sorted(path.name for path in Path().iterdir()) == [
        "figures.json", "requests.txt", "sheet.png", "toy", "worse",
    ]  # fmt: skip


def test_the_same_bundles_give_the_same_figures(edgevlo_run: Run) -> None:
    for name in ("one.json", "two.json"):
        assert edgevlo_run(*BOTH, "--count", "2", "--json", name).code == 0
    one, two = (json.loads(Path(name).read_text()) for name in ("one.json", "two.json"))
    assert one["figures"] == two["figures"]
    assert one["figures"]["codes"]["cells"] == 2 * 20


def test_json_on_standard_output_is_alone_there(edgevlo_run: Run) -> None:
    ran = edgevlo_run(*BOTH, "--count", "1", "--json", "-")
    assert json.loads(ran.out)["figures"]["codes"]["cells"] == 20
    assert "codes that agree" in ran.err
    assert not Path("-").exists()


def test_check_tells_by_its_exit_code(edgevlo_run: Run) -> None:
    assert edgevlo_run(*BOTH, "--count", "1", "--check").code == 1
    same = ("evaluate", "toy", "--against", "toy", "--prompts", "requests.txt", "--count", "1", "--check")
    ran = edgevlo_run(*same)
    assert ran.code == 0
    assert "within the limits of fp32" in ran.out


def test_an_interrupt_leaves_no_file(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    before = sorted(Path().iterdir())

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("edgevlo.calibration.evaluation.compare.Comparison.add", interrupt)
    ran = edgevlo_run(*BOTH, "--json", "figures.json", "--sheet", "sheet.png")

    assert ran.code == 130
    assert sorted(Path().iterdir()) == before


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("evaluate", "toy", "--against", "none"), "there is no bundle 'none'"),
        (("evaluate", "none", "--against", "toy"), "there is no bundle 'none'"),
        (("evaluate", "toy", "--against", "picturebook"), "in another precision: family, "),
        ((*BOTH, "--count", "0"), "--count 0 is too small"),
        ((*BOTH, "--tasks", "-1"), "--tasks -1 is negative"),
        ((*BOTH, "--tasks", "1"), "--tasks needs picturebook, whose world has a judge; this bundle was made from"),
        (("evaluate", "worse", "--against", "toy", "--prompts", "none.txt"), "none.txt cannot be read as requests"),
        ((*BOTH, "--pictures", "none"), "none is not a folder"),
        ((*BOTH, "--json", "none/figures.json"), "none does not exist"),
        ((*BOTH, "--json", "toy"), "toy is a folder"),
        ((*BOTH, "--sheet", "sheet.jpg"), "does not end in .png"),
        ((*BOTH, "--sheet", "a.png", "--json", "a.png"), "--json and --sheet both name a.png"),
    ],
    ids=lambda value: " ".join(value[1:])[-40:] if isinstance(value, tuple) else "",
)
def test_what_cannot_be_done_is_said_in_one_line(edgevlo_run: Run, arguments: tuple[str, ...], said: str) -> None:
    before = sorted(Path().iterdir())
    ran = edgevlo_run(*arguments)
    assert ran.code == 1
    assert said in ran.err
    assert ran.err.count("\n") == 1
    assert sorted(Path().iterdir()) == before


def test_a_file_that_would_be_lost_is_refused_before_the_work(
    edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evaluation, "compare", lambda *_, **__: pytest.fail("was begun"))
    assert edgevlo_run(*BOTH, "--json", "none/figures.json").code == 1


def test_without_scikit_image_the_command_to_install_it_is_printed(
    edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "skimage.color", None)
    metrics._library.cache_clear()
    try:
        ran = edgevlo_run(*BOTH)
    finally:
        metrics._library.cache_clear()
    assert ran.code == 1
    assert "needs scikit-image, which is not installed: pip install 'scikit-image>=" in ran.err


def test_a_model_that_only_answers_is_compared_and_has_no_sheet(edgevlo_run: Run, toy: Path, tmp_path: Path) -> None:
    def reader(tree: dict[str, Any]) -> None:
        tree["abilities"] = {"ask": tree["abilities"]["ask"]}
        for role in ("image_head", "image_decoder"):
            del tree["graphs"][role]

    rewritten(toy, Path("reader"), reader)
    Path("pictures").mkdir()
    Image.new("RGB", (5 * CELL, 4 * CELL), "red").save("pictures/red.png")
    Path("asked.txt").write_text("ask: where is it\n")
    asked = ("evaluate", "reader", "--against", "reader", "--prompts", "asked.txt", "--pictures", "pictures")

    ran = edgevlo_run(*asked)

    assert ran.code == 0, ran.err
    assert "answers: 1 of 1 are the same" in ran.out
    ran = edgevlo_run(*asked, "--sheet", "sheet.png")
    assert "none of the requests paints a picture" in ran.err
    assert not Path("sheet.png").exists()


# The sheet.


def pair(number: int, text: str, candidate: Image.Image, gloss: str = "") -> Pair:
    case = Case(number=number, ability="paint", text=text, seed=0, gloss=gloss)
    return Pair(case=case, reference=Image.new("RGB", (64, 48)), candidate=candidate, agreement=0.5, colour=1.0)


def test_differences_are_amplified_and_stay_in_range() -> None:
    ours, theirs = Image.new("RGB", (2, 1), (10, 100, 0)), Image.new("RGB", (2, 1), (13, 0, 0))
    theirs.putpixel((1, 0), (10, 100, 0))
    assert np.asarray(difference(ours, theirs)).tolist() == [[[3 * AMPLIFIED, 255, 0], [0, 0, 0]]]


def test_a_sheet_shows_reference_candidate_and_difference_side_by_side() -> None:
    drawn = sheet([pair(0, "a red car", Image.new("RGB", (64, 48), (0, 40, 0)))], "title")
    pixels = np.asarray(drawn).reshape(-1, 3)
    for colour in ((0, 0, 0), (0, 40, 0), (0, 40 * AMPLIFIED, 0)):
        assert (pixels == colour).all(axis=1).sum() >= 128 * 96  # enlarged twice


def test_captions_tell_pictures_apart() -> None:
    same = Image.new("RGB", (64, 48))
    one, two = (sheet([pair(0, text, same)], "title") for text in ("a red car", "a blue car"))
    assert one.tobytes() != two.tobytes()


def test_a_request_without_a_font_is_captioned_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    same = Image.new("RGB", (64, 48))
    monkeypatch.setattr("edgevlo.calibration.evaluation.sheet._FONTS", ())
    _font.cache_clear()
    try:
        foreign, english = sheet([pair(0, "红色的车", same, "a red car")], ""), sheet([pair(0, "a red car", same)], "")
        unknown = sheet([pair(0, "红色的车", same)], "")
    finally:
        _font.cache_clear()
    assert foreign.tobytes() == english.tobytes()
    assert unknown.tobytes() != english.tobytes()


def test_a_sheet_has_room_for_so_many(toy: Path) -> None:
    same = Image.new("RGB", (64, 48))
    many = [pair(number, "a red car", same) for number in range(MOST + 7)]
    assert sheet(many, "title").size == sheet(many[:MOST], "title").size
