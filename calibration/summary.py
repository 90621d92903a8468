"""A calibration in a few lines: how much was run, how much will be clipped, where the outliers are."""

from collections import Counter
from statistics import median
from typing import Any, Final

from .observe import FIRST
from .store import Calibration, Range

_OUTLIER: Final = 4.0  # a peak this many times as large as elsewhere costs all other values two bits
_SHOWN: Final = 5


def summary(calibration: Calibration) -> dict[str, Any]:
    """Return the facts, and under `lines` the same as text."""
    kinds = Counter(case.ability for case in calibration.done)
    ranges = [(role, name, one) for role, named in calibration.ranges.items() for name, one in named.items()]
    first = [found for found in ranges if _peak_at(found[2], FIRST) > _OUTLIER]
    rows = [found for found in ranges if _rows_apart(found[2]) > _OUTLIER]
    facts: dict[str, Any] = {
        "cases": dict(kinds),
        "tokens": sum(case.tokens for case in calibration.done),
        "seconds": round(sum(case.seconds for case in calibration.done), 1),
        "method": calibration.method,
        "tensors": {role: len(named) for role, named in calibration.ranges.items()},
        "clipped": {
            role: sum(one.threshold < one.peak for one in named.values()) for role, named in calibration.ranges.items()
        },
        "first_position_outliers": [name for _, name, _ in first],
        "row_outliers": [name for _, name, _ in rows],
    }
    asked = ", ".join(f"{count} x {ability}" for ability, count in kinds.items())
    facts["lines"] = [f"{len(calibration.done)} cases ({asked}), {facts['tokens']} tokens, {facts['seconds']} s"]
    facts["lines"] += [
        f"{role:16} {count:4} tensors, {facts['clipped'][role]} clipped by {calibration.method}"
        for role, count in facts["tensors"].items()
    ]
    for where, found in (("at the first position", first), ("in one painted row", rows)):
        if found:
            names = ", ".join(one.readers[0] for _, _, one in found[:_SHOWN])
            facts["lines"].append(f"over {_OUTLIER:g} times as large {where} as elsewhere: {len(found)} ({names})")
    return facts


def _peak_at(one: Range, place: str) -> float:
    """Return how many times as large the peak at a place is as anywhere else; 0 if the tensor occurs nowhere else."""
    others = [peak for name, peak in one.places.items() if name != place and peak > 0]
    return one.places.get(place, 0.0) / max(others) if others else 0.0


def _rows_apart(one: Range) -> float:
    """Return how many times as large the peak of a painted row is as that of the usual row."""
    rows = [peak for name, peak in one.places.items() if name.startswith("row ") and peak > 0]
    return max(rows) / median(rows) if rows else 0.0
