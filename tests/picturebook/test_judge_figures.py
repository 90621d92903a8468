"""The judge's figures: intervals against known values, and tables of known verdicts; the same for bundles and runs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

pytest.importorskip("torch")

from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.judging import evaluate, figures, trials
from edgevlo.picturebook.judging.figures import Verdict
from edgevlo.picturebook.model import painter
from edgevlo.picturebook.world import atlas

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("right", "count", "low", "high"),
    [(0, 10, 0.0, 0.2775), (8, 10, 0.4902, 0.9433), (95, 100, 0.8882, 0.9785), (200, 200, 0.9812, 1.0)],
)
def test_wilson_intervals(right: int, count: int, low: float, high: float) -> None:
    assert list(figures.wilson(right / count, count)) == pytest.approx([low, high], abs=1e-4)


def test_normal_intervals() -> None:
    half = 1.96 * (0.02 / 3) ** 0.5 / 4**0.5  # of squared distances 0.01, 0, 0, 0.01
    assert list(figures.normal([0.4, 0.5, 0.5, 0.6])) == pytest.approx([0.5 - half, 0.5 + half])
    assert figures.normal([1.0, 1.0]) == (1, 1)
    assert figures.normal([0.9, 1.0])[1] == 1


def verdict(row: str, language: str, number: int, right: float, **more: list[float]) -> Verdict:
    return Verdict(row, language, number, "ab"[number % 2], {"all": [right], **more}, {"all": [1.0]})


def test_a_line_holds_share_interval_ceiling_target_and_difference() -> None:
    verdicts = [verdict("paint1", "en", n, float(n < 8), kind=[1.0]) for n in range(10)]
    verdicts += [verdict("paint1", "zh", n, float(n < 5), kind=[0.0]) for n in range(10)]

    found = figures.summary(verdicts)

    assert list(found["lines"]) == ["one object"]
    line = found["lines"]["one object"]
    assert line["target"] == 0.97
    assert line["en"] == {"n": 10, "value": 0.8, "low": 0.4902, "high": 0.9433, "ceiling": 1.0}
    assert line["en - zh"] == pytest.approx(0.3)
    assert found["rows"]["paint1"]["zh"]["kind"] == 0
    assert found["rows"]["paint1"]["en"]["by"] == {"a": {"n": 5, "all": 0.8}, "b": {"n": 5, "all": 0.8}}
    assert "0.800    0.490 .. 0.943    1.000  0.97 missed    +0.300" in figures.table(found["lines"])


def test_objects_count_one_by_one() -> None:
    verdicts = [
        Verdict("detect", language, 0, "", {"all": [0], "iou": [1.0, 0.5, 0.0], "found": [1, 0, 0], "extra": [2]}, None)
        for language in ("en", "zh")
    ] + [Verdict("detect", "en", 1, "", {"all": [1], "iou": [], "found": [], "extra": [0]}, None)]

    lines = figures.summary(verdicts)["lines"]

    assert lines["detection, IoU"]["en"]["n"] == 3
    assert lines["detection, IoU"]["en"]["value"] == 0.5
    assert lines["detection, found"]["en"]["value"] == pytest.approx(1 / 3, abs=1e-4)
    assert lines["detection, wrong boxes"]["en"]["value"] == 1.0
    assert "ceiling" not in lines["detection, IoU"]["en"]


def test_a_mean_of_two_rows_needs_both() -> None:
    both = [
        verdict(row, language, 0, float(row == "fetch")) for row in ("fetch", "compare") for language in ("en", "zh")
    ]
    assert figures.summary(both)["lines"]["two pictures, mean"]["en"]["value"] == 0.5
    assert "two pictures, mean" not in figures.summary(both[:2])["lines"]


def test_every_row_is_in_the_table() -> None:
    assert {row for line in figures.LINES for row in line.rows} == set(trials.ROWS)


def test_turns_are_right_when_each_is() -> None:
    trial = trials.draw("turns", "en", 0)
    truth = [atlas.pixels(sample.target) for sample in trial.samples if sample.target is not None]
    assert figures.judged(trial, truth) == {"turn 1": [1], "turn 2": [1], "turn 3": [1], "all": [1]}
    missed = figures.judged(trial, [truth[0], truth[0], truth[2]])
    assert missed == {"turn 1": [1], "turn 2": [0], "turn 3": [1], "all": [0]}


@pytest.mark.parametrize("row", ["paint1", "sizes", "edit", "turns", "boxes", "detect", "describe", "compare"])
def test_a_perfect_painter_is_called_perfect(row: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def paint(model: object, encoder: object, samples: list[Sample], draw: object) -> list[object]:
        assert len({sample.target.shape for sample in samples if sample.target is not None}) == 1
        return [sample.target for sample in samples]

    def answer(model: object, encoder: object, samples: list[Sample]) -> list[str]:
        return [sample.answer or "" for sample in samples]

    monkeypatch.setattr(painter, "paint", paint)
    monkeypatch.setattr(painter, "answer", answer)
    cases = [trials.draw(row, "zh", number) for number in range(8)]

    verdicts = evaluate.attempt(None, None, cases, painter.Draw())  # type: ignore[arg-type]

    assert [one.number for one in verdicts] == list(range(8))
    assert all(one.scores["all"] == [1] for one in verdicts)


@pytest.mark.slow
def test_the_benchmark_judges_the_embedded_bundle(tmp_path: Path) -> None:
    command = [
        sys.executable,
        str(ROOT / "benchmarks" / "quality.py"),
        "--count",
        "1",
        "--output",
        str(tmp_path / "some"),
    ]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout

    found = json.loads((tmp_path / "some.json").read_text())["figures"]
    assert list(found["lines"]) == [line.name for line in figures.LINES]
    assert found["lines"]["one object"]["en"]["ceiling"] == 1
    assert "one object" in printed
    for sheet in ("paint", "edit", "perceive", "two"):
        path = tmp_path / f"some-{sheet}.png"
        assert path.stat().st_size < 150_000
        assert Image.open(path).width > 128
