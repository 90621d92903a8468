"""The tasks of the little world at two bundles: intervals against known values, pairs against a count by hand."""

import math
from pathlib import Path
from typing import Any

import pytest
from damaged_bundles import damaged, filled

from edgevlo.calibration.evaluation import picturebook_tasks
from edgevlo.calibration.evaluation.evaluate import evaluate
from edgevlo.calibration.evaluation.picturebook_tasks import (
    Tried,
    check_world,
    compare_tasks,
    mean_interval,
    paired_lines,
    share_interval,
    task_table,
    try_case,
)
from edgevlo.calibration.evaluation.reference import Subject
from edgevlo.runtime.bundle import EMBEDDED, Bundle, open_bundle
from edgevlo.runtime.errors import MemoryShortError, RequestError

PICTUREBOOK = EMBEDDED / "picturebook"


def pairs(both: int, lost: int, won: int, neither: int) -> list[tuple[float, float]]:
    return [(1.0, 1.0)] * both + [(1.0, 0.0)] * lost + [(0.0, 1.0)] * won + [(0.0, 0.0)] * neither


def test_the_interval_of_a_share_is_the_adjusted_one() -> None:
    # n = 98, lost 9, won 4: shares with one added to each, of n + 2: 0.10 and 0.05
    low, high = share_interval(pairs(both=60, lost=9, won=4, neither=25))
    half = 1.96 * math.sqrt((0.15 - 0.05**2) / 100)
    assert (low, high) == pytest.approx((-0.05 - half, -0.05 + half))


def test_the_interval_does_not_vanish_where_no_case_differs() -> None:
    low, high = share_interval(pairs(both=90, lost=0, won=0, neither=10))
    assert low == -high
    assert 0.02 < high < 0.04


def test_the_interval_of_a_mean_is_that_of_the_differences() -> None:
    low, high = mean_interval([(0.5, 0.6), (0.9, 0.8), (0.2, 0.5)])  # +0.1, -0.1, +0.3: mean 0.1, deviation 0.2
    assert (low, high) == pytest.approx((0.1 - 1.96 * 0.2 / math.sqrt(3), 0.1 + 1.96 * 0.2 / math.sqrt(3)))


def test_lines_pair_the_cases_of_both_languages() -> None:
    tried = [
        Tried("ask", "en", {"all": [1.0]}, {"all": [0.0]}),
        Tried("ask", "en", {"all": [1.0]}, {"all": [1.0]}),
        Tried("ask", "zh", {"all": [0.0]}, {"all": [1.0]}),
        Tried("ask", "zh", {"all": [1.0]}, {"all": [1.0]}),
    ]

    lines = paired_lines(tried)

    assert list(lines) == ["questions"]
    assert {name: (found["n"], found["difference"]) for name, found in lines["questions"].items()} == {
        "both": (4, 0.0),
        "en": (2, -50.0),
        "zh": (2, 50.0),
    }
    assert "questions" in task_table({"lines": lines})
    assert "+0.0" in task_table({"lines": lines})


def test_only_models_of_that_world_have_its_tasks(toy: Path) -> None:
    check_world(open_bundle(PICTUREBOOK))
    with pytest.raises(RequestError, match="`tasks` needs picturebook"):
        check_world(open_bundle(toy))


def test_a_bundle_that_paints_black_loses_what_the_other_can(tmp_path: Path) -> None:
    reference = open_bundle(PICTUREBOOK)
    black = open_bundle(damaged(PICTUREBOOK, tmp_path / "black", {"image_decoder": filled(0.0)}))

    lines = compare_tasks(reference, black, 3, rows=("segmentation", "ask"))["lines"]

    segments = lines["segmentation, mIoU"]["both"]
    assert segments["n"] == 6
    assert segments["reference"] > 0.9
    assert segments["candidate"] < 0.5
    assert segments["high"] < 0
    answers = lines["questions"]["both"]
    assert answers["reference"] == answers["candidate"]  # the decoder takes no part in answers
    assert answers["difference"] == 0


def test_a_bundle_that_does_not_fit_says_so_before_it_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edgevlo.runtime.memory.refuse.available_bytes", lambda: 1000)
    with pytest.raises(MemoryShortError, match="to be opened"):
        try_case(PICTUREBOOK, PICTUREBOOK, ("ask", "en", 0))


def test_the_tasks_run_the_emulation_of_a_bundle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle, tried = open_bundle(PICTUREBOOK), list[Path]()
    black = open_bundle(damaged(PICTUREBOOK, tmp_path / "black", {"image_decoder": filled(0.0)}))

    def spy(reference: Bundle, candidate: Bundle, _count: int, **_rest: object) -> dict[str, Any]:
        tried.extend((reference.folder, candidate.folder))
        return {"count": 1, "lines": {}}

    monkeypatch.setattr(picturebook_tasks, "compare_tasks", spy)
    found = evaluate(Subject(bundle, black), Subject(bundle), count=1, tasks=1)
    assert tried == [bundle.folder, black.folder]
    assert found.document["emulated"]
    assert found.document["candidate"]["sha256"] == bundle.digest
    assert found.document["figures"]["decoder"]["ciede2000_p95"] > 10
