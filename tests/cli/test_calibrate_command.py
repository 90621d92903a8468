"""`calibrate` and what `quantize` takes of it, called as `run([...])`."""

import json
import warnings
from pathlib import Path

import pytest
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.cli import run

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "prompts.txt").write_text("a red car\nedit: big\nask: what color\n")
    return tmp_path


def called(*arguments: object) -> int:
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        return run(list(map(str, arguments)))


def test_calibrate_then_quantize_then_paint(
    exported: Exported, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert called("calibrate", exported.portable, "--prompts", "prompts.txt", "--count", 3) == 0
    out, err = capsys.readouterr()
    assert out.splitlines()[0].startswith("3 cases (1 x paint, 1 x edit, 1 x ask), ")
    assert "backbone" in out
    assert (out.splitlines()[-1], err) == ("portable.calib", "")  # quiet in a pipe
    found = json.loads((folder / "portable.calib" / "calibration.json").read_text())
    assert (found["format"], found["method"], len(found["done"])) == ("edgevlo-calibration/1", "percentile", 3)

    options = ("--weights", "fp32", "--activations", "int8", "--kv-cache", "int8", "--calibration", "portable.calib")
    assert called("quantize", exported.portable, "-o", "made", *options) == 0
    assert called("paint", "a red car", "-m", folder / "made", "-o", "car.png") == 0
    assert (folder / "car.png").exists()


def test_a_second_call_adds_cases_and_says_so(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("calibrate", exported.portable, "-o", "c", "--prompts", "prompts.txt", "--json")
    assert called(*command, "--count", 1) == 0
    capsys.readouterr()
    assert called(*command, "--count", 2) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["cases"] == {"paint": 1, "edit": 1}
    assert err == "note: c has 1 of 2 cases; resuming\nc\n"


@pytest.mark.parametrize(
    ("options", "line"),
    [
        (("--method", "magic"), "there is no --method magic; choose one of max, percentile, entropy."),
        (("--prompts", "nowhere.txt"), "nowhere.txt cannot be read as requests"),
        (("--pictures", "nowhere"), "nowhere is not a folder"),
        (("-o", "prompts.txt"), "prompts.txt exists and is not a calibration"),
    ],
)
def test_errors_are_one_line(
    exported: Exported, folder: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], line: str
) -> None:
    before = sorted(path.name for path in folder.iterdir())
    assert called("calibrate", exported.portable, "--prompts", "prompts.txt", "--count", 1, *options) == 1
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(f"edgevlo: {line}")
    assert err.count("\n") == 1
    assert sorted(path.name for path in folder.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "code", "line"),
    [
        (("--activations", "int8"), 1, "--calibration"),
        (("--activations", "fp8", "--calibration", "c"), 1, "--activations fp8 is not supported on target 'cpu'"),
        (("--kv-cache", "int4", "--calibration", "c"), 1, "--kv-cache int4 is not supported"),
        (("--activations", "int8", "--calibration", "nowhere"), 1, "is nowhere a calibration?"),
        (("--calibration", "c"), 2, "--calibration and --keep require --activations"),
        (("--smoothing", "0.3"), 2, "--smoothing and --least-db require --activations"),
        (("--kv-cache", "int8", "--calibration", "c", "--least-db", "20"), 2, "require --activations"),
    ],
)
def test_quantize_says_what_it_lacks(
    exported: Exported,
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    options: tuple[str, ...],
    code: int,
    line: str,
) -> None:
    assert called("quantize", exported.portable, "-o", "made", *options) == code
    assert line in capsys.readouterr().err
    assert not (folder / "made").exists()


def test_an_interrupt_keeps_finished_cases(
    exported: Exported, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgevlo.runtime.graphs.backbone_kv_cache import Backbone

    step, calls = Backbone.step, 0

    def interrupted(backbone: Backbone, tokens: tuple[int, ...]) -> None:
        nonlocal calls
        calls += 1
        if calls == 25:  # the first picture has 16 cells
            raise KeyboardInterrupt
        step(backbone, tokens)

    monkeypatch.setattr(Backbone, "step", interrupted)
    command = ("calibrate", exported.portable, "-o", "c", "--prompts", "prompts.txt", "--count", 3)
    assert called(*command) == 130
    assert capsys.readouterr().err.strip() == "stopped"
    assert len(json.loads((folder / "c" / "calibration.json").read_text())["done"]) == 1
    assert called(*command) == 0
    assert "1 of 3 cases; resuming" in capsys.readouterr().err
