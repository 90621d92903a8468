"""Judge a training run as `benchmarks/quality.py` judges a bundle, but in torch and, unless told otherwise, greedily.

python -m edgevlo.picturebook.judging.evaluate RUN [--count 100] [--only paint1 edit ...]
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from tqdm import tqdm

from ..exercises import text_tokenizer
from ..exercises.sequence import Encoder
from ..exercises.tasks import Sample
from ..language.words import LANGUAGES
from ..model import painter
from ..model.checkpoint import assemble
from ..model.painter import Draw
from ..world.atlas import TILES, pixels
from . import figures, trials
from .figures import Verdict
from .judge import RgbArray, cells
from .trials import Trial

BATCH = 50


def batches(samples: list[Sample], size: int = BATCH) -> Iterator[list[int]]:
    """Indices of the samples in batches that ask for pictures of one grid, or for answers."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for index, sample in enumerate(samples):
        groups[sample.target.shape if sample.target is not None else None].append(index)
    for group in groups.values():
        yield from (group[start : start + size] for start in range(0, len(group), size))


def make(model: Any, encoder: Encoder, samples: list[Sample], draw: Draw) -> list[RgbArray | str]:
    """What the model makes of each sample: a picture (height, width, 3), or an answer."""
    made: list[RgbArray | str] = [""] * len(samples)
    for batch in batches(samples):
        some = [samples[index] for index in batch]
        results: list[Any] = []
        if some[0].target is None:
            results = painter.answer(model, encoder, some)
        else:
            results = [pixels(np.minimum(codes, len(TILES) - 1)) for codes in painter.paint(model, encoder, some, draw)]
        for index, result in zip(batch, results, strict=True):
            made[index] = result
    return made


def attempt(model: Any, encoder: Encoder, cases: list[Trial], draw: Draw) -> list[Verdict]:
    """The verdicts on trials of one row, turn by turn; true pictures need no ceiling here, their codes are exact."""
    turns: list[list[RgbArray | str]] = []
    for number in range(len(cases[0].samples)):
        own = [cells(one) if not isinstance(one, str) else None for one in turns[-1]] if turns else [None] * len(cases)
        samples = [trials.turn(trial, number, source) for trial, source in zip(cases, own, strict=True)]
        turns.append(make(model, encoder, samples, draw))
    return [
        Verdict(trial.row, trial.language, trial.number, trial.part, figures.judged(trial, made), None)
        for trial, made in zip(cases, zip(*turns, strict=True), strict=True)
    ]


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", type=Path, help="folder of a training run (decoder.pt, tokenizer.json)")
    parser.add_argument("--count", type=int, default=100, help="cases per row and language")
    parser.add_argument("--only", nargs="*", default=trials.ROWS, choices=trials.ROWS, metavar="ROW")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model, encoder = assemble(arguments.run), Encoder(text_tokenizer.load(arguments.run))
    draw = Draw(arguments.temperature, arguments.top_k, arguments.guidance)
    verdicts: list[Verdict] = []
    for row, language in tqdm([(row, language) for row in arguments.only for language in LANGUAGES], disable=None):
        cases = [trials.draw(row, language, number, arguments.seed) for number in range(arguments.count)]
        verdicts += attempt(model, encoder, cases, draw)
    found = figures.summary(verdicts)
    click.echo(figures.table(found["lines"]))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
