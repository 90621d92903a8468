"""How many codes to read in one pass: what a pass costs on this device, against the share of guesses that are right.

The cost is measured once for a bundle, a number of rows and of threads, and kept between runs in `$EDGEVLO_HOME/pace`
where that can be written. It decides how long a picture takes, not what is drawn.
"""

import contextlib
import itertools
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from ..errors import OutputError
from ..files import home, write_whole

WIDTHS: Final = (1, 2, 3, 4, 6, 8, 12)
_ROUNDS: Final = (2, 20)  # over all widths; of each the fastest counts, as whatever else a machine does only adds to it
_SECONDS: Final = 0.1  # after so many no further round is begun
_WORTH_MEASURING: Final = 0.45  # the chance of a guess; below it a second code gains less than it costs anywhere
_MARGIN: Final = 1.2  # what a wide pass must gain at least: it loses more than a narrow one to other work on a machine
_HOPELESS: Final = 0.1  # the chance of guesses that are not looked at


def best_width(costs: Mapping[int, float], right: Sequence[float]) -> int:
    """Return how many codes to read in one pass for the most right ones in the least time.

    The first one is right. `right[n]` is the chance that the guess n and all before it are.
    """
    fitting = {width: cost * (_MARGIN if width > 1 else 1) for width, cost in costs.items() if width <= 1 + len(right)}
    gains = {width: (1 + sum(right[: width - 1])) / cost for width, cost in fitting.items()}
    return max(gains, key=gains.__getitem__)


class Pace:
    """Chooses guesses by costs that are measured when the first ones look worth it."""

    def __init__(self, read: Callable[[int], None], name: str) -> None:
        self._read = read  # reads so many tokens and forgets them
        self._name = name
        self._costs: Mapping[int, float] | None = None

    def choose(self, guesses: Iterator[tuple[int, float]], most: int) -> list[int]:
        """Return the guesses, each given with its chance, that are worth reading; at most so many fit."""
        codes, right, chance = list[int](), list[float](), 1.0
        for code, own in itertools.islice(guesses, min(most, max(WIDTHS) - 1)):
            chance *= own
            if chance < _HOPELESS:
                break
            codes.append(code)
            right.append(chance)
        if self._costs is None:
            if max(right, default=0.0) < _WORTH_MEASURING or most < max(WIDTHS):
                return []
            self._costs = _kept(self._name) or self._measured()
        return codes[: best_width(self._costs, right) - 1]

    def _measured(self) -> Mapping[int, float]:
        costs = dict.fromkeys(WIDTHS, math.inf)
        began, (fewest, most) = time.perf_counter(), _ROUNDS
        for done in range(most):
            if done >= fewest and time.perf_counter() - began > _SECONDS:
                break
            for width in WIDTHS:
                costs[width] = min(costs[width], self._seconds(width))
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
