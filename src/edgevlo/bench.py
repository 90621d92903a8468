"""How fast a bundle paints on this machine, and how far a step is from what the memory allows.

A step of one code reads every weight of the backbone and the image head once, and the keys and values of all tokens
before it. Bytes read over the memory's bandwidth is therefore the least time that a step can take (the roofline of
Williams et al., 2009, on its slanted side); the bandwidth is measured here, on as many threads as a graph runs on.
"""

import functools
import itertools
import resource
import statistics
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgevlo.runtime.arrays import Array
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.runtime.graphs.threads import most_threads
from edgevlo.runtime.manifest.schema import Manifest, graph_bytes
from edgevlo.runtime.memory.predict import default_work, kv_bytes, on_cpu
from edgevlo.runtime.model import Model

PROMPT: Final = "a red car on the beach at sunset"
_BLOCK: Final = 128 * 2**20  # bytes a thread reads: more than its share of any cache
_PASSES: Final = 8  # over its block that a thread makes at once: the system needs a moment to give each a core
_READS: Final = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """What was measured. Times are seconds, or milliseconds where the name says so; medians over the later pictures.

    `first_row_s` counts from an opened bundle whose graphs are not open yet. `floor_ms` and `times_floor` are None for
    GPUs, whose memory is not measured.
    """

    name: str
    target: str
    threads: int
    codes: int
    open_s: float
    first_row_s: float
    step_ms: float
    last_row_over_first: float
    decode_s: float
    picture_s: float
    peak_mb: float
    bandwidth_gb_s: float | None
    floor_ms: float | None

    @property
    def times_floor(self) -> float | None:
        """How many times the least possible time a step takes."""
        return None if self.floor_ms is None else self.step_ms / self.floor_ms

    def document(self) -> dict[str, Any]:
        """Return every figure by name, with four significant digits."""
        found = {**asdict(self), "times_floor": self.times_floor}
        return {name: float(f"{one:.4g}") if isinstance(one, float) else one for name, one in found.items()}


def bench(folder: Path, *, pictures: int = 3, prompt: str = PROMPT) -> Figures:
    """Paint pictures of the default size and measure; raise what opening and painting raise.

    The first picture opens the graphs; `pictures` more are timed for the medians.
    """
    began = time.perf_counter()
    model = Model.open(folder)
    opened = time.perf_counter() - began
    first = _painted(model, prompt, 0)
    later = [_painted(model, prompt, seed) for seed in range(1, pictures + 1)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
    bandwidth = memory_bandwidth(most_threads()) if on_cpu(model.manifest) else None
    columns = first.codes // len(first.rows)
    steps = [seconds / columns for one in later for seconds in one.rows[1:]]  # a first row reads the prompt, too
    return Figures(
        name=model.manifest.name,
        target=model.manifest.target,
        threads=most_threads(),
        codes=first.codes,
        open_s=opened,
        first_row_s=first.rows[0],
        step_ms=1e3 * statistics.median(steps),
        last_row_over_first=statistics.median(one.rows[-1] / one.rows[1] for one in later) if columns else 1.0,
        decode_s=statistics.median(one.decode for one in later),
        picture_s=statistics.median(sum(one.rows) + one.decode for one in later),
        peak_mb=peak / 1e6,
        bandwidth_gb_s=None if bandwidth is None else bandwidth / 1e9,
        floor_ms=None if bandwidth is None else 1e3 * step_bytes(model.manifest) / bandwidth,
    )


@dataclass(frozen=True, slots=True)
class _Painted:
    rows: Sequence[float]  # seconds
    decode: float
    codes: int


def _painted(model: Model, prompt: str, seed: int) -> _Painted:
    strokes, ends = list[Stroke](), [time.perf_counter()]
    for stroke in model.paint_rows(prompt, seed=seed):  # nobody asks for previews, so none is decoded
        ends.append(time.perf_counter())
        strokes.append(stroke)
    _ = strokes[-1].preview
    decode = time.perf_counter() - ends[-1]
    return _Painted([end - begin for begin, end in itertools.pairwise(ends)], decode, int(strokes[-1].codes.size))


def step_bytes(manifest: Manifest) -> int:
    """Return how many bytes a step half-way through a default picture reads: weights, keys and values."""
    work = default_work(manifest)
    weights = sum(graph_bytes(manifest, role) for role in ("backbone", "image_head"))
    grid = manifest.grid.default
    return weights + kv_bytes(manifest.backbone, work.rows, work.prompt + grid[0] * grid[1] // 2)


def memory_bandwidth(threads: int) -> float:
    """Return how many bytes a second so many threads read from memory together, the best of several tries."""
    blocks = [np.ones(_BLOCK // 4, np.int32) for _ in range(threads)]  # integers: the largest costs no arithmetic
    calls = [functools.partial(_read, block) for block in blocks]
    return max(threads * _BLOCK * _PASSES / _together(calls) for _ in range(_READS))


def _read(block: Array) -> None:
    for _ in range(_PASSES):
        block.max()


def _together(calls: Sequence[Callable[[], object]]) -> float:
    """Return the seconds that several calls take at once; numpy gives the interpreter's lock back while it reads."""
    workers = [threading.Thread(target=call) for call in calls]
    began = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - began


def table(figures: Figures) -> str:
    """Return the figures as lines for a terminal."""
    lines = [
        ("bundle", f"{figures.name}, target {figures.target}, at most {figures.threads} thread(s)"),
        ("open", f"{figures.open_s:.2f} s: every file verified"),
        ("first row", f"{figures.first_row_s:.2f} s after that: graphs opened, prompt read"),
        ("step", f"{figures.step_ms:.3g} ms a code; the last row takes {figures.last_row_over_first:.2f} x the second"),
        ("decode", f"{figures.decode_s:.3g} s"),
        ("picture", f"{figures.picture_s:.3g} s for {figures.codes} codes, once the graphs are open"),
        ("peak memory", f"{figures.peak_mb:.0f} MB resident"),
    ]
    if figures.floor_ms is not None and figures.times_floor is not None:
        lines.append(
            (
                "memory floor",
                f"{figures.floor_ms:.3g} ms a step at the measured {figures.bandwidth_gb_s:.1f} GB/s; a step takes "
                f"{figures.times_floor:.1f} x that",
            )
        )
    return "\n".join(f"{name:13} {text}" for name, text in lines)
