"""From the judge's scores to the rows of the table: means, 95 % intervals, ceilings and targets."""

from __future__ import annotations

import math
import statistics
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from ..language.words import LANGUAGES
from . import judge
from .judge import RgbArray, Scores
from .trials import Trial

Z = 1.96  # 95 %


@dataclass(frozen=True)
class Verdict:
    """The judge's scores of one trial: of what was made, and of the true picture, for answers None."""

    row: str
    language: str
    number: int
    part: str
    scores: Scores
    ceiling: Scores | None


@dataclass(frozen=True)
class Line:
    """A line of the table: one figure over the trials of one row or several."""

    name: str
    rows: tuple[str, ...]
    figure: str = "all"
    target: float | None = None
    share: bool = True  # a share of cases, or else a mean of numbers
    most: float = 1.0  # the greatest value there can be


LINES = (
    Line("one object", ("paint1",), target=0.97),
    Line("two objects", ("paint2",), target=0.93),
    Line("three objects", ("paint3",), target=0.85),
    Line("two objects, no column named", ("paint2-anywhere",)),
    Line("three objects, no column named", ("paint3-anywhere",)),
    Line("word on a sign", ("sign",)),
    Line("other trained sizes", ("sizes",)),
    Line("sizes never trained", ("new-sizes",)),
    Line("single edit", ("edit",), target=0.96),
    Line("compound edit", ("compound",), target=0.88),
    Line("unchanged region", ("edit", "compound"), "kept", 0.98, share=False),
    Line("three turns", ("turns",)),
    Line("detection, IoU", ("detect",), "iou", 0.88, share=False),
    Line("detection, found", ("detect",), "found", 0.96),
    Line("detection, wrong boxes", ("detect",), "extra", share=False, most=math.inf),
    Line("drawn boxes, IoU", ("boxes",), "iou", share=False),
    Line("drawn boxes, found", ("boxes",), "found"),
    Line("drawn boxes, wrong", ("boxes",), "extra", share=False, most=math.inf),
    Line("segmentation, mIoU", ("segmentation",), target=0.92, share=False),
    Line("edges, F1", ("edges",), target=0.92, share=False),
    Line("questions", ("ask",), target=0.97),
    Line("caption", ("describe",), target=0.94),
    Line("two pictures: compare", ("compare",)),
    Line("two pictures: fetch", ("fetch",)),
    Line("two pictures, mean", ("compare", "fetch"), target=0.88),
)


def wilson(share: float, count: int) -> tuple[float, float]:
    """The 95 % interval of a share of `count` cases."""
    middle = (share + Z**2 / (2 * count)) / (1 + Z**2 / count)
    half = Z / (1 + Z**2 / count) * math.sqrt(share * (1 - share) / count + Z**2 / (4 * count**2))
    return max(0.0, middle - half), min(1.0, middle + half)


def normal(values: Sequence[float], most: float = 1.0) -> tuple[float, float]:
    """The 95 % interval of the mean of numbers between 0 and `most` that are no shares."""
    mean = statistics.fmean(values)
    half = Z * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else 0.0
    return max(0.0, mean - half), min(most, mean + half)


def judged(trial: Trial, made: Sequence[RgbArray | str]) -> Scores:
    """The scores of what was made in each turn of a trial; several turns are right when each of them is."""
    turns = [judge.score(sample, one) for sample, one in zip(trial.samples, made, strict=True)]
    if len(turns) == 1:
        return turns[0]
    named = {f"turn {number}": scores["all"] for number, scores in enumerate(turns, 1)}
    return named | {"all": [min(value for scores in turns for value in scores["all"])]}


def _pooled(scores: Iterable[Scores]) -> Scores:
    pool: Scores = defaultdict(list)
    for one in scores:
        for name, values in one.items():
            pool[name] += values
    return pool


def _means(verdicts: list[Verdict]) -> dict[str, float]:
    pool = _pooled(verdict.scores for verdict in verdicts)
    return {name: round(statistics.fmean(values), 4) for name, values in pool.items() if values}


def line_figures(line: Line, verdicts: list[Verdict]) -> dict[str, Any]:
    """n, value, low, high and ceiling of one language; `ceiling` is None for answers."""
    values = _pooled(verdict.scores for verdict in verdicts)[line.figure]
    if not values:
        return {"n": 0}
    value = statistics.fmean(values)
    low, high = wilson(value, len(values)) if line.share else normal(values, line.most)
    best = _pooled(verdict.ceiling for verdict in verdicts if verdict.ceiling)[line.figure]
    found = {"value": value, "low": low, "high": high} | ({"ceiling": statistics.fmean(best)} if best else {})
    return {"n": len(values)} | {name: round(number, 4) for name, number in found.items()}


def row_details(verdicts: list[Verdict]) -> dict[str, Any]:
    """Every figure of a row in one language, and its headline by part."""
    parts = defaultdict(list)
    for verdict in verdicts:
        parts[verdict.part].append(verdict)
    listed = {part: {"n": len(some)} | {"all": _means(some)["all"]} for part, some in sorted(parts.items())}
    return {"n": len(verdicts), **_means(verdicts)} | ({"by": listed} if len(listed) > 1 else {})


def summary(verdicts: list[Verdict]) -> dict[str, Any]:
    """`lines`, the table as data, for each line whose rows were all judged; and `rows`, the figures behind it."""
    by: dict[tuple[str, str], list[Verdict]] = defaultdict(list)
    for verdict in verdicts:
        by[verdict.row, verdict.language].append(verdict)
    rows = {row for row, _ in by}
    lines: dict[str, Any] = {}
    for line in LINES:
        if not rows.issuperset(line.rows):
            continue
        found: dict[str, Any] = {
            language: line_figures(line, [verdict for row in line.rows for verdict in by[row, language]])
            for language in LANGUAGES
        }
        if all("value" in found[language] for language in LANGUAGES):
            found["en - zh"] = round(found["en"]["value"] - found["zh"]["value"], 4)
        lines[line.name] = {"target": line.target} | found
    details = {row: {tongue: row_details(by[row, tongue]) for tongue in LANGUAGES} for row, _ in by}
    return {"lines": lines, "rows": details}


def table(lines: dict[str, Any]) -> str:
    """`summary(...)["lines"]` as text: a row for each line and language."""
    text = [f"{'':22}     {'n':>4}  value     95 % interval  ceiling  target         en - zh"]
    for name, line in lines.items():
        for language in LANGUAGES:
            found = line[language]
            start = f"{name:22} {language}  {found['n']:4}  "
            if "value" not in found:
                text.append(start + "    -")
                continue
            ceiling = f"{found['ceiling']:.3f}" if "ceiling" in found else "-"
            target = line["target"]
            goal = f"{target:.2f} {'met' if found['value'] >= target else 'missed'}" if target is not None else "-"
            interval = f"{found['low']:.3f} .. {found['high']:.3f}"
            apart = f"{line['en - zh']:+.3f}" if language == "en" and "en - zh" in line else ""
            text.append(f"{start}{found['value']:.3f}  {interval:>16}  {ceiling:>7}  {goal:12}  {apart:>7}".rstrip())
    return "\n".join(text)
