"""How many threads run a graph: the user's setting, within the CPUs that this process may use. Knows no graphs."""

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..arguments import check_whole
from ..control_groups import groups, lines, number, value
from ..errors import RequestError

VARIABLE: Final = "EDGEVLO_THREADS"
_ROOT: Final = Path("/")

# Below this many bytes of weights one thread is faster than two: a step is so short that handing out its parts costs
# more than it saves (benchmarks/results/painting.json).
_ONE_THREAD_BYTES: Final = 16 * 1024 * 1024


def threads_for(weights: int, asked: int = 0) -> int:
    """Return how many threads run a graph with so many bytes of weights; `asked` is that of `most_threads`.

    ONNX Runtime is always given a number: left to itself it starts a thread for every core of the machine and pins it
    there, whether or not the process may run on that core. Raises `RequestError` for a setting that is not a number.
    """
    return 1 if weights < _ONE_THREAD_BYTES else most_threads(asked)


def most_threads(asked: int = 0) -> int:
    """Return how many threads a large graph gets: as many as asked for, but no more than there are usable CPUs.

    0 asks for `$EDGEVLO_THREADS`, which unset, empty or 0 asks for all usable CPUs. Raises `RequestError` for anything
    but a whole number.
    """
    check_whole("threads", asked)
    if asked < 0:
        raise RequestError(f"{asked} is not a number of threads; take 1 or more, or 0 for all CPUs.")
    text, usable = os.environ.get(VARIABLE, "").strip(), usable_cpus()
    if text and not text.isdecimal():
        raise RequestError(
            f"{VARIABLE}={text!r} is not a number of threads; set it to 1 or more, or to 0 for all CPUs."
        )
    return min(asked or int(text or 0) or usable, usable)


def usable_cpus(root: Path = _ROOT) -> int:
    """Return how many CPUs this process may keep busy: its affinity mask, and its control groups' quotas of CPU time.

    A quota of a part of a CPU counts down to whole ones, and one CPU is always counted. `root` holds `proc` and `sys`.
    """
    mask = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([mask, *(math.floor(quota) for quota in _quotas(root))]))


def _quotas(root: Path) -> Iterator[float]:
    """Yield the CPUs that each control group around this process is given; nothing for a group without a limit."""
    for version, folder in groups("cpu", root):
        if version == 2:
            quota, _, period = "".join(lines(folder / "cpu.max")[:1]).partition(" ")
            found = number(quota), number(period)
        else:
            found = value(folder / "cpu.cfs_quota_us"), value(folder / "cpu.cfs_period_us")
        if found[0] and found[1]:  # -1 or max: no limit
            yield found[0] / found[1]
