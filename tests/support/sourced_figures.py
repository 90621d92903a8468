"""Figures in Markdown and the results files that they come from.

A comment behind a figure names its file below benchmarks/results and the place in it:

    paints in 0.48 s<!-- painting.json: whole_command_s/median -->

Several places, parted by `;`, are those of as many numbers before the comment. A comment alone above a table has one
place for each column behind the first; `{row}` is the row's first cell, or what `<!-- row: NAME -->` in that cell says;
`-` is a column without figures; ` & ` parts several numbers of one cell. Places may be counted in other units
(`* 100`, `/ 1e6`) or divided by one another (`/ PLACE`); `max` and `min` choose among several (`max A | B`), or among
all names where `*` stands for one (`max models/*/error`).
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

COMMENT = re.compile(r"<!--\s*(.*?)\s*-->", re.DOTALL)
SOURCE = re.compile(r"([\w-]+\.json):\s*(.+)", re.DOTALL)
NUMBER = re.compile(r"(?<![\w.-])-?\d[\d,]*(?:\.\d+)?(?:e-?\d+)?(?![\d.]*\d)")
UNITS = r"(?:\s?%|\s(?:s|ms|MB|GB|kB|nats|dB|points|times|minutes)\b)"
MEASURED = re.compile(rf"(?<![\w.-])(?:\d+\.\d+(?:e-?\d+)?(?![\w.]*\w)|\d[\d,]*(?:e-\d+)?(?={UNITS}))")
BLOT = "\0"  # neither a space nor a letter
CODE = re.compile(r"^```.*?^```$|^ {4,}\S[^\n]*$|`[^`\n]+`|\]\([^)]*\)", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as a page shows it, where in the page, and the file and place that it comes from."""

    shown: str
    start: int
    file: str
    place: str

    def holds(self, results: Path) -> bool:
        """Whether the file's number, rounded as the page rounds it, is the one that is shown."""
        found = value(json.loads((results / self.file).read_text(encoding="utf-8")), self.place)
        mantissa, _, exponent = self.shown.replace(",", "").partition("e")
        step = 10.0 ** (int(exponent or 0) - len(mantissa.partition(".")[2]))
        return abs(found - float(self.shown.replace(",", ""))) <= step / 2 * (1 + 1e-9)


def value(tree: Any, place: str) -> float:
    """Return the number at a place of a results file."""
    if parts := re.fullmatch(r"(.+?)\s+([*/])\s+(.+)", place, re.DOTALL):
        left, sign, right = parts.groups()
        by = float(right) if re.fullmatch(r"-?[\d.]+(e-?\d+)?", right) else value(tree, right)
        return value(tree, left) * by if sign == "*" else value(tree, left) / by
    choose, _, inner = place.partition(" ")
    if choose in ("min", "max"):
        found = [one for each in inner.split(" | ") for one in numbers(tree, each)]
        return min(found) if choose == "min" else max(found)
    (only,) = numbers(tree, place)
    return only


def numbers(tree: Any, place: str) -> list[float]:
    """Return the numbers at a place; names may have slashes in them, and `figures/` may be left out."""
    found = list(_walk(tree, place)) or list(_walk(tree.get("figures", {}), place))
    if not found or not all(isinstance(one, int | float) for one in found):
        raise LookupError(f"there is no number at {place!r}")
    return found


def _walk(tree: Any, place: str) -> Iterator[Any]:
    if not place:
        yield tree
    elif isinstance(tree, dict | list):
        named = tree.items() if isinstance(tree, dict) else ((str(at), one) for at, one in enumerate(tree))
        for name, inner in named:
            for first in ("*", name):
                if place == first or place.startswith(f"{first}/"):
                    yield from _walk(inner, place[len(first) + 1 :])


def readable(page: str) -> str:
    """Return a page of the same length in which code, comments and links' targets are blotted out."""

    return CODE.sub(_blot, COMMENT.sub(_blot, page))


def _blot(found: re.Match[str]) -> str:
    return re.sub(r"[^\n]", BLOT, found[0])


def sourced(page: str) -> Iterator[Figure]:
    """Yield every figure of a page that names its source."""
    text, shown = readable(page), CODE.sub(_blot, page)
    for comment in COMMENT.finditer(page):
        source = SOURCE.fullmatch(comment[1])
        if source and shown[comment.start()] != BLOT:
            file, places = source[1], [" ".join(place.split()) for place in source[2].split(";")]
            if _is_above_a_table(page, comment):
                yield from _table(page, text, comment.end(), file, places)
            else:
                before = list(NUMBER.finditer(text, 0, comment.start()))[-len(places) :]
                yield from (Figure(one[0], one.start(), file, place) for one, place in zip(before, places, strict=True))


def _is_above_a_table(page: str, comment: re.Match[str]) -> bool:
    return page[: comment.start()].endswith(("\n", "\n  ")) and page[comment.end() :].lstrip().startswith("|")


def _rows(page: str, at: int) -> list[re.Match[str]]:
    """Return the lines of the table that begins behind a comment."""
    end = re.compile(r"\n\s*(?!\s*\|)").search(page, page.index("|", at))
    rows = re.compile(r"^[ ]*\|(.*)\|[ ]*$", re.MULTILINE)
    return list(rows.finditer(page, at, end.start() if end else len(page)))


def _given(page: str, text: str) -> Iterator[int]:
    """Yield where the numbers are that `<!-- given -->` stands behind, or above the table of."""
    for comment in COMMENT.finditer(page):
        if comment[1] == "given" and _is_above_a_table(page, comment):
            spans = [row.span() for row in _rows(page, comment.end())]
            yield from (one.start() for span in spans for one in NUMBER.finditer(text, *span))
        elif comment[1] == "given":
            yield from (one.start() for one in list(NUMBER.finditer(text, 0, comment.start()))[-1:])


def _table(page: str, text: str, at: int, file: str, places: list[str]) -> Iterator[Figure]:
    """Yield the figures of the table that begins behind a comment."""
    for row in _rows(page, at)[2:]:
        start, label = row.start(1), ""
        for column, cell in enumerate(row[1].split("|")):
            shown = text[start : start + len(cell)]
            if column == 0:
                alias = re.search(r"<!-- row: (.*?) -->", cell)
                label = alias[1] if alias else cell.strip()
            elif (place := places[column - 1]) != "-":
                for one, inner in zip(NUMBER.finditer(shown), place.split(" & "), strict=False):
                    yield Figure(one[0], start + one.start(), file, inner.replace("{row}", label))
            start += len(cell) + 1


def unsourced(page: str, given: re.Pattern[str]) -> Iterator[str]:
    """Yield, with their line, the measured numbers of a page that have no source and are not given."""
    text = readable(page)
    known = {figure.start for figure in sourced(page)}
    known |= set(_given(page, text))
    spans = [range(*found.span()) for found in given.finditer(text)]
    for number in MEASURED.finditer(text):
        if number.start() not in known and not any(number.start() in span for span in spans):
            line = page.count("\n", 0, number.start()) + 1
            yield f"line {line}: {page.splitlines()[line - 1].strip()[:100]!r}: {number[0]}"
