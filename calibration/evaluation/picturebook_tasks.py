"""The tasks of picturebook's world, tried by two bundles at the same cases: `benchmarks/quality.py`, paired.

Only for models that come from that world, and the only module outside `picturebook` that knows it: its judge reads
pictures by the world's geometry.
"""

import functools
import itertools
import math
import multiprocessing
import os
import signal
import statistics
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
from PIL import Image

from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.judging import figures, trials
from edgevlo.picturebook.judging.figures import Line
from edgevlo.picturebook.judging.judge import Scores
from edgevlo.picturebook.judging.trials import Trial
from edgevlo.picturebook.language.words import LANGUAGES
from edgevlo.picturebook.world import atlas
from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.child_process import end_with_parent
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.memory.refuse import check_opening
from edgevlo.runtime.model import Model

SOURCE: Final = "picturebook"  # how the id of the checkpoint ends
Case: TypeAlias = tuple[str, str, int]  # row, language, number


@dataclass(frozen=True, slots=True)
class Tried:
    """One case, and the judge's scores of both bundles."""

    row: str
    language: str
    reference: Scores
    candidate: Scores


def check_world(bundle: Bundle) -> None:
    """Raise `RequestError` unless a bundle's model was trained on the world whose tasks these are."""
    source = bundle.manifest.source.id
    if not source.endswith(SOURCE):
        raise RequestError(f"`tasks` needs {SOURCE}, whose world has a judge; this bundle was made from {source}.")


def compare_tasks(
    reference: Bundle,
    candidate: Bundle,
    count: int,
    *,
    progress: Progress | None = None,
    rows: Sequence[str] = trials.ROWS,
) -> dict[str, Any]:
    """Return the figures of both bundles at `count` cases of each row and language, and their paired differences.

    Raises `RequestError` for a model of another world.
    """
    check_world(reference)
    listed = list(itertools.product(rows, LANGUAGES, range(count)))
    tell = progress or (lambda _what, _done, _all: None)
    tried = []
    for one in _try_all((reference, candidate), listed):
        tried.append(one)
        tell(f"tasks, {one.row}", len(tried), len(listed))
    return {"count": count, "lines": paired_lines(tried)}


def paired_lines(tried: Sequence[Tried]) -> dict[str, dict[str, dict[str, float]]]:
    """Return, for every line whose rows were all tried, both languages together and each."""
    rows = {one.row for one in tried}
    lines = {}
    for line in figures.LINES:
        if rows.issuperset(line.rows):
            chosen = [one for one in tried if one.row in line.rows]
            found = {"both": _paired(line, chosen)}
            for language in LANGUAGES:
                found[language] = _paired(line, [one for one in chosen if one.language == language])
            lines[line.name] = found
    return lines


def _paired(line: Line, tried: Sequence[Tried]) -> dict[str, float]:
    """Return n, both values, their difference and its 95 % interval, the last three in hundredths."""
    pairs = [
        pair
        for one in tried
        for pair in zip(one.reference.get(line.figure, []), one.candidate.get(line.figure, []), strict=True)
    ]
    if not pairs:
        return {"n": 0}
    low, high = share_interval(pairs) if line.share else mean_interval(pairs)
    ours, theirs = (statistics.fmean(values) for values in zip(*pairs, strict=True))
    points = {"difference": theirs - ours, "low": low, "high": high}
    values = {"reference": round(ours, 4), "candidate": round(theirs, 4)}
    return {"n": len(pairs), **values, **{name: round(100 * value, 2) for name, value in points.items()}}


def share_interval(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the 95 % interval of the difference (second - first) of two shares of the same cases.

    Bonett and Price's adjusted Wald interval (2012), which does not vanish where no case differs.
    """
    count = len(pairs)
    lost = (sum(first > second for first, second in pairs) + 1) / (count + 2)
    won = (sum(second > first for first, second in pairs) + 1) / (count + 2)
    half = figures.Z * math.sqrt((won + lost - (won - lost) ** 2) / (count + 2))
    return max(-1.0, won - lost - half), min(1.0, won - lost + half)


def mean_interval(pairs: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Return the 95 % interval of the mean difference (second - first) of numbers of the same cases."""
    differences = [second - first for first, second in pairs]
    middle = statistics.fmean(differences)
    half = figures.Z * statistics.stdev(differences) / math.sqrt(len(pairs)) if len(pairs) > 1 else math.inf
    return middle - half, middle + half


def task_table(found: dict[str, Any]) -> str:
    """Return the lines of `compare_tasks` as text, both languages together."""
    text = [f"{'tasks':24}    n  reference  candidate  points    95 % interval"]
    for name, line in found["lines"].items():
        both = line["both"]
        if not both["n"]:
            continue
        interval = f"{both['low']:+.1f} .. {both['high']:+.1f}"
        text.append(
            f"{name:24} {both['n']:4}  {both['reference']:9.3f}  {both['candidate']:9.3f}  {both['difference']:+6.1f}"
            f"  {interval:>15}"
        )
    return "\n".join(text)


# In worker processes.


def _try_all(bundles: tuple[Bundle, Bundle], listed: Sequence[Case]) -> Iterator[Tried]:
    """Yield all cases tried, in order, by one process a core."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = (bundle.folder.absolute() for bundle in bundles)
    workers = min(os.cpu_count() or 1, len(listed))
    pool = ProcessPoolExecutor(workers, context, initializer=_start)
    try:
        yield from pool.map(functools.partial(try_case, ours, theirs), listed, chunksize=4)
    finally:
        pool.shutdown(cancel_futures=True)


def _start() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None
    end_with_parent(parent.sentinel)  # else it waits for ever for work of a parent that was killed
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends its workers


def try_case(reference: Path, candidate: Path, case: Case) -> Tried:
    """Draw a case, let both bundles attempt it, and judge."""
    trial = trials.draw(*case)
    scores = [figures.judged(trial, _attempt(_open(folder), trial)) for folder in (reference, candidate)]
    return Tried(case[0], case[1], *scores)


@functools.cache
def _open(folder: Path) -> Model:
    bundle = open_bundle(folder)
    check_opening(bundle)
    return Model(bundle)


def _attempt(model: Model, trial: Trial) -> list[Any]:
    """Return what a model makes in each turn of a trial: pictures (height, width, 3), or answers."""
    made: list[Image.Image | str] = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # an empty answer is wrong, an odd picture is judged as it is
        for sample in trial.samples:
            last = made[-1] if made else None
            made.append(_make(model, sample, trial.number, last if isinstance(last, Image.Image) else None))
    return [one if isinstance(one, str) else np.asarray(one) for one in made]


def _make(model: Model, sample: Sample, seed: int, own: Image.Image | None) -> Image.Image | str:
    """Return what a model makes of a sample, of its own last picture if there is one."""
    sources = [own] if own else [Image.fromarray(atlas.pixels(codes)) for codes in sample.sources]
    if sample.target is None:
        return model.ask(sources, sample.instruction)
    if sources:
        return model.edit(sources, sample.instruction, seed=seed)
    rows, columns = sample.target.shape
    return model.paint(sample.instruction, size=(columns * atlas.CELL, rows * atlas.CELL), seed=seed)
