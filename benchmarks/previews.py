"""What watching costs, and how far a preview is from the picture.

A preview after every row decodes the new row and two rows above it (runtime/generate/preview.py). Decoders that attend
or normalise over the whole picture give other pixels for a part of it than for the whole, so previews are approximate.
Measured for each bundle:

- the time of a picture that nobody watches, of one whose rows are shown as `--watch` shows them, and of one that reads
  `stroke.preview` after every row, in turns; beside it the processors' time, which other work lengthens less;
- rows decoded for those previews, over the rows of the picture: what decoding all rows so far takes stands beside it;
- the difference of a preview's newest row, and of the rows of the last preview, from the finished picture, in levels of
  0 to 255: the mean over pixels and channels, and the level that 99 % of them stay below; beside it that of the newest
  row when all rows so far are decoded. Of random weights both say only that a part normalises otherwise than the whole.

    python benchmarks/previews.py [BUNDLE...] [--untimed BUNDLE...]        # and picturebook
"""

import argparse
import contextlib
import io
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import record

import edgevlo
from edgevlo.cli.progress import follow
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.preview import HALO, Preview

PROMPT = "a red car on the beach at sunset"


def differences(model: edgevlo.Model, codes: Codes) -> dict[str, Any]:
    """Compare the previews of a grid of codes with its picture."""
    rows = len(codes)
    picture = np.asarray(model.decode(codes), dtype=np.int16)
    cell = picture.shape[0] // rows
    decoded = 0

    def decode(part: Codes) -> Any:
        nonlocal decoded
        decoded += len(part)
        return model.decode(part)

    preview, newest, all_so_far = Preview(rows, decode), [], []
    for done in range(1, rows):
        shown = np.asarray(preview.of(codes[:done]), dtype=np.int16)
        here = slice((done - 1) * cell, done * cell)
        newest.append(np.abs(shown[here] - picture[here]))
        all_so_far.append(np.abs(np.asarray(model.decode(codes[:done]), dtype=np.int16)[here] - picture[here]))
    last = np.abs(shown[: (rows - 1) * cell] - picture[: (rows - 1) * cell])
    return {
        "rows": rows,
        "halo": HALO,
        "rows_decoded_over_rows": round(decoded / rows, 2),
        "all_rows_so_far_over_rows": round(sum(range(1, rows)) / rows, 2),
        "newest_row_levels": _spread(np.concatenate(newest)),
        "newest_row_levels_all_rows_so_far": _spread(np.concatenate(all_so_far)),
        "last_preview_levels": _spread(last),
    }


def _spread(levels: Any) -> dict[str, float]:
    return {"mean": round(float(levels.mean()), 3), "p99": round(float(np.quantile(levels, 0.99)), 1)}


def costs(model: edgevlo.Model, runs: int) -> dict[str, Any]:
    """Time pictures that nobody watches, watched ones, and ones whose every preview is read, in turns."""
    ways: dict[str, Callable[[Iterator[edgevlo.Stroke]], edgevlo.Stroke]] = {
        "unwatched": _unwatched,
        "watch": _watched,
        "every_preview": _every_preview,
    }
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    worked: dict[str, list[float]] = {name: [] for name in ways}
    _unwatched(model.paint_rows(PROMPT, seed=0)).preview.load()  # opens the graphs
    for seed in range(runs):
        for name, way in ways.items():
            began, before = time.perf_counter(), time.process_time()
            way(model.paint_rows(PROMPT, seed=seed)).preview.load()
            seconds[name].append(time.perf_counter() - began)
            worked[name].append(time.process_time() - before)
    return {
        "seconds": {name: record.spread(values) for name, values in seconds.items()},
        "ratios": _ratios(seconds),
        "cpu_ratios": _ratios(worked),
    }


def _ratios(samples: dict[str, list[float]]) -> dict[str, float]:
    plain = statistics.median(samples["unwatched"])
    return {f"{name}/unwatched": round(statistics.median(values) / plain, 3) for name, values in samples.items()}


class _Terminal(io.StringIO):
    """Takes colours; what is no terminal has them filtered out, character by character."""

    def isatty(self) -> bool:
        return True


def _unwatched(strokes: Iterator[edgevlo.Stroke]) -> edgevlo.Stroke:
    *_, last = strokes
    return last


def _watched(strokes: Iterator[edgevlo.Stroke]) -> edgevlo.Stroke:
    with contextlib.redirect_stdout(_Terminal()):
        return follow(strokes, watch=True)


def _every_preview(strokes: Iterator[edgevlo.Stroke]) -> edgevlo.Stroke:
    for stroke in strokes:
        stroke.preview.load()
    return stroke


def measured(model: edgevlo.Model, runs: int) -> dict[str, Any]:
    """Return a bundle's figures, the differences at a picture that it paints."""
    *_, last = model.paint_rows(PROMPT, seed=0)
    return {"family": model.manifest.family, **differences(model, last.codes), **(costs(model, runs) if runs else {})}


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="*", type=Path)
    parser.add_argument("--untimed", nargs="*", type=Path, default=[], help="bundles whose differences alone count")
    parser.add_argument("--runs", type=int, default=5, help="pictures of each kind that are timed")
    arguments = parser.parse_args()
    figures = {}
    for folders, runs in (([None, *arguments.bundles], arguments.runs), (arguments.untimed, 0)):
        for model in map(edgevlo.load, folders):
            figures[model.bundle.folder.name] = measured(model, runs)
    record.write("previews", figures)


if __name__ == "__main__":
    main()
