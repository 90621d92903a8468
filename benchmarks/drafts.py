"""What guessing codes saves, and that it changes no picture.

Held-out cases of picturebook's judge (edits of one and of several things, segments, edges, boxes, plain painting at the
model's own sampling) are painted one code a pass and with as many codes as pay (docs/using.md), in turns. Measured:

- codes that differ between the two, over all pictures: there should be none, whatever is guessed and however much read;
- passes of the backbone over codes, the prompt's counted as one;
- time of reading the prompt and painting over that of one code a pass: on the clock and of the processor, which other
  work on the machine lengthens less. Medians over the cases, each the fastest of `--repeats`.
- the same for widths that are fixed, 2 to 8 codes: passes are counted as they would be on a device where a pass costs
  the same whatever its width.

    python benchmarks/drafts.py [--cases 24] [--repeats 3]
"""

import argparse
import os
import statistics
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import record
from PIL import Image

import edgevlo
from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.judging import trials
from edgevlo.picturebook.world import atlas
from edgevlo.runtime.arrays import Codes

KINDS: Final = ("paint1", "paint3", "edit", "compound", "segmentation", "edges", "boxes")
WIDTHS: Final = (2, 4, 8)
AUTOMATIC: Final = 0


@dataclass(frozen=True, slots=True)
class Painted:
    """One picture: its codes, the passes that they took, and seconds on the clock and of the processor."""

    codes: Codes
    passes: int
    wall: float
    cpu: float


def strokes(model: edgevlo.Model, sample: Sample, seed: int, width: int) -> Iterator[edgevlo.Stroke]:
    """Begin a case: pictures are read and everything is checked, nothing is painted."""
    pictures = [Image.fromarray(atlas.pixels(source)) for source in sample.sources]
    kind = sample.task.partition(":")[0]
    if kind == "paint":
        return model.paint_rows(sample.instruction, seed=seed, codes_per_pass=width)
    if kind in ("edit", "compound"):
        return model.edit_rows(pictures, sample.instruction, seed=seed, codes_per_pass=width)
    perceived: Any = {"segmentation": "segment"}.get(kind, kind)
    return model.perceive_rows(perceived, pictures[0], seed=seed, codes_per_pass=width)


def painted(model: edgevlo.Model, sample: Sample, seed: int, width: int) -> Painted:
    """Paint a case and time it from the prompt to the last code."""
    begun = strokes(model, sample, seed, width)
    clock, cpu = time.perf_counter(), time.process_time()
    *_, last = begun
    wall, worked = time.perf_counter() - clock, time.process_time() - cpu
    return Painted(last.codes, int(last.preview.info["passes"]), wall, worked)


def measured(model: edgevlo.Model, kind: str, cases: int, repeats: int) -> dict[str, Any]:
    """Return the figures of one kind of case."""
    differing, codes = 0, 0
    passes: dict[int, list[float]] = {width: [] for width in (AUTOMATIC, *WIDTHS)}
    wall, cpu = list[float](), list[float]()
    for number in range(cases):
        sample = trials.draw(kind, "en" if number % 2 else "zh", number, 5).samples[0]
        one, many = [], []
        for _ in range(repeats):
            one.append(painted(model, sample, number, 1))
            many.append(painted(model, sample, number, AUTOMATIC))
        wall.append(_fastest(many, "wall") / _fastest(one, "wall"))
        cpu.append(_fastest(many, "cpu") / _fastest(one, "cpu"))
        for width in passes:
            found = painted(model, sample, number, width) if width else many[-1]
            passes[width].append(found.passes / found.codes.size)
            differing += int(np.count_nonzero(found.codes != one[0].codes))
            codes += found.codes.size
    return {
        "pictures": cases,
        "codes_compared": codes,
        "codes_that_differ": differing,
        "passes_a_code": {
            "automatic" if not width else f"{width} codes a pass": round(statistics.mean(values), 3)
            for width, values in passes.items()
        },
        "wall_over_one_by_one": record.spread(wall),
        "cpu_over_one_by_one": record.spread(cpu),
    }


def _fastest(pictures: Sequence[Painted], clock: str) -> float:
    return min(float(getattr(picture, clock)) for picture in pictures)


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=24, help="of each kind")
    parser.add_argument("--repeats", type=int, default=3, help="of each picture, for the fastest")
    arguments = parser.parse_args()
    warnings.simplefilter("ignore", UserWarning)  # of pictures with cells outside the world, of which there are none
    model = edgevlo.load()
    model.paint("a red car")  # opens the graphs
    figures = {kind: measured(model, kind, arguments.cases, arguments.repeats) for kind in KINDS}
    before = {"bundle": model.bundle.digest[:16], "load": [round(load, 2) for load in os.getloadavg()]}
    record.write("drafts", {**before, **figures})


if __name__ == "__main__":
    main()
