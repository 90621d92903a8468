"""How many codes to read in one pass: what a pass costs on this device, against the share of guesses that are right.

The cost is measured once for a bundle, a number of rows and of threads, and kept between runs in `$EDGEVLO_HOME/pace`
where that can be written. It decides how long a picture takes, never which picture it is.
"""

import contextlib
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from ..errors import OutputError
from ..files import home, write_whole

WIDTHS: Final = (1, 2, 3, 4, 6, 8, 12)
_RUNS: Final = 3  # of which the fastest counts: whatever else the machine does only adds to it
_WORTH_MEASURING: Final = 0.45  # of the guesses right: with fewer a second code costs more than it gains anywhere


def best_width(costs: Mapping[int, float], hits: float, most: int) -> int:
    """Return how many codes to read, at most so many, for the most right ones in the least time.

    A pass over n codes gives one and every guess up to the first wrong one: 1 + hits + ... + hits ** (n - 1).
    """
    gains = {width: sum(hits**place for place in range(width)) / cost for width, cost in costs.items() if width <= most}
    return max(gains, key=gains.__getitem__, default=1)


class Pace:
    """Chooses widths by costs that are measured when guesses first look worth it."""

    def __init__(self, read: Callable[[int], None], name: str) -> None:
        self._read = read  # reads so many tokens and forgets them
        self._name = name
        self._costs: Mapping[int, float] | None = None

    def width(self, hits: float, most: int) -> int:
        """Return how many codes to read when at most so many are left."""
        if self._costs is None:
            if hits < _WORTH_MEASURING or most < max(WIDTHS):
                return 1
            self._costs = _kept(self._name) or self._measured()
        return best_width(self._costs, hits, most)

    def _measured(self) -> Mapping[int, float]:
        costs = {width: min(self._seconds(width) for _ in range(_RUNS)) for width in WIDTHS}
        _keep(self._name, costs)
        return costs

    def _seconds(self, width: int) -> float:
        began = time.perf_counter()
        self._read(width)
        return time.perf_counter() - began


def _path(name: str) -> Path:
    return home("pace") / f"{name}.json"


def _kept(name: str) -> Mapping[int, float] | None:
    """Return the costs of an earlier run; None where there are none that can be read."""
    try:
        costs = msgspec.json.decode(_path(name).read_bytes(), type=dict[int, float])
    except (OSError, OutputError, msgspec.DecodeError):
        return None
    return costs if tuple(costs) == WIDTHS and min(costs.values()) > 0 else None


def _keep(name: str, costs: Mapping[int, float]) -> None:
    with contextlib.suppress(OSError, OutputError):  # a home that cannot be written: the next run measures again
        path = _path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        content = msgspec.json.encode({str(width): cost for width, cost in costs.items()})
        write_whole(path, lambda file: file.write(content))
