"""Auxiliary targets: what the states of a picture's cells should tell half-way through the layers.

Where a cell lies, which slot it belongs to, what becomes of it under the instruction, and of which object an answer is
about to speak decide nearly every exercise, but reach the loss only through the few tokens that hang on them. The heads
of `heads.py` ask for them everywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from ..language.naming import clause, thing_name
from ..language.words import KIND
from ..world.scene import MAX_SIGN, Scene, Thing, column_slots, slots
from ..world.scene_to_codes import Grid, box_of, paint
from .questions import boxed
from .tasks import Sample
from .text_tokenizer import TEXT_TOKENS

MOST_CELLS = 24  # of a picture's row or column
NONE = -1


@dataclass(frozen=True)
class Kind:
    """One kind of target: after which share of the layers, of how many classes (None: a code), its loss's weight."""

    after: float
    classes: int | None
    weight: float


# What builds on what is asked for later. A state can only compare what an earlier layer brought to it.
KINDS = {
    "row": Kind(1 / 3, MOST_CELLS, 0.1),
    "column": Kind(1 / 3, MOST_CELLS, 0.1),
    "slot": Kind(1 / 2, 4, 0.2),  # column slot: left, middle, right, or between them
    "depth": Kind(1 / 2, 9, 0.2),  # row of slots, 8: above them all
    "before": Kind(1 / 2, None, 0.4),  # when comparing: the code of this cell in the first picture
    "differs": Kind(2 / 3, 2, 0.3),  # and whether it is another
    "differing column": Kind(5 / 6, 3, 0.3),  # slot of the object that differs
    "differing depth": Kind(5 / 6, 8, 0.3),
    "changed": Kind(2 / 3, 2, 0.3),  # when editing: the target has another code here
    "result": Kind(2 / 3, None, 0.4),  # and which
    "told column": Kind(2 / 3, 3, 0.3),  # slot of the object of which an answer tells next
    "told depth": Kind(2 / 3, 8, 0.3),
    "origin column": Kind(2 / 3, 3, 0.3),  # slot, in the picture it comes from, of the object that is painted next
    "origin depth": Kind(2 / 3, 8, 0.3),
}
PLACE = {name: number for number, name in enumerate(KINDS)}

Targets = NDArray[np.int64]  # (tokens, len(KINDS)), NONE where nothing is asked


@lru_cache(maxsize=256)
def _places(rows: int, columns: int) -> Targets:
    """Row, column, slot and depth of each cell, (rows, columns, 4)."""
    found = np.zeros((rows, columns, 4), np.int64)
    found[..., 0] = np.arange(rows)[:, None]
    found[..., 1] = np.arange(columns)
    starts = list(column_slots(columns).values())
    found[..., 2] = 3
    for index, start in enumerate(starts):
        found[:, start : start + 2, 2] = 2 if index == len(starts) - 1 else index
    depths = 1 + max(depth for depth, _ in slots(rows, columns))
    found[..., 3] = np.where(np.arange(rows) < 2, 8, (np.arange(rows) - 2) // 3)[:, None]
    found[2 + 3 * depths :, :, 3] = depths - 1
    return found


def of_picture(grid: Grid) -> Targets:
    """Where the cells of a picture lie, (rows, columns, kinds)."""
    found = np.full((*grid.shape, len(KINDS)), NONE, np.int64)
    found[..., :4] = _places(*grid.shape)
    return found


def of_pair(grid: Grid, other: Grid, differs: str, code: str) -> Targets:
    """The targets of a picture whose cells are compared with another's; codes are told at object cells and changes.

    Asked for every unchanged cell, too, the codes would drown the few that matter.
    """
    found = of_picture(grid)
    if other.shape == grid.shape:
        changed = grid != other
        asked = changed.copy()
        asked[2:] |= grid[2:] != np.bincount(grid[2:].reshape(-1)).argmax()  # all but ground
        found[..., PLACE[differs]] = changed
        found[..., PLACE[code]] = np.where(asked, other, NONE)
    return found


def of_giver(grid: Grid, scene: Scene, taken: Thing) -> Targets:
    """The targets of the picture that an object is taken from: its cells count as changed."""
    found = of_picture(grid)
    left, top, right, bottom = box_of(scene, taken)
    found[..., PLACE["changed"]] = 0
    found[top:bottom, left:right, PLACE["changed"]] = 1
    return found


def _of_sources(sample: Sample) -> list[Targets]:
    sources, target = sample.sources, sample.target
    came = _origins(sample)
    if sample.task == "fetch" and target is not None and came:
        taker, (taken, _) = taker_of(sample), came[0]
        giver = of_giver(sources[1 - taker], sample.scenes[1 - taker], taken)
        told = [giver, of_pair(sources[taker], target, "changed", "result")]
        return told[::-1] if taker == 0 else told
    if sample.task == "read:edit":
        target = paint(sample.scenes[-1])
    if target is not None:
        return [of_pair(source, target, "changed", "result") for source in sources]
    compared = [of_pair(source, sources[0], "differs", "before") for source in sources[1:]]
    return [of_picture(source) for source in sources[:1]] + compared


def taker_of(sample: Sample) -> int:
    """Which of two source pictures is the one that gets an object."""
    _, second, new = sample.scenes
    return 1 if set(second.things) < set(new.things) and replace(second, things=new.things) == new else 0


def _kind_named(text: str, language: str) -> str | None:
    """The kind of which a question speaks, by any of its names; the longest name counts, as one may hold another."""
    edge = r"\b" if language == "en" else ""
    named = [
        (len(name), kind)
        for kind, names in KIND[language].items()
        for name in names
        if re.search(f"{edge}{name}{edge}", text, re.IGNORECASE)
    ]
    return max(named)[1] if named else None


def _spoken_of(sample: Sample) -> list[tuple[int, int, Thing, str]]:
    """Which characters of the answer tell of which object, and the name of the kind of target."""
    answer, scene = sample.answer or "", sample.scenes[0]
    if sample.task.startswith("read"):
        return []
    if sample.task == "compare":
        gone = [thing for thing in scene.things if thing not in sample.scenes[1].things]
        return [(0, len(answer), gone[0], "differing column")] if gone else []
    if sample.task in ("ask:where", "ask:colour"):
        kind = _kind_named(sample.instruction, sample.language)
        asked = [thing for thing in scene.things if thing.kind == kind]
        return [(0, len(answer), asked[0], "told column")] if len(asked) == 1 else []
    found, start = [], 0
    for thing in scene.things:
        forms = (clause(scene, thing, sample.language), boxed(scene, thing, sample.language))
        for words in (*forms, thing_name(thing, sample.language)):
            at = answer.find(words, start)
            if at >= 0:
                start = at + len(words)
                found.append((at, start, thing, "told column"))
                break
    return found


def _origins(sample: Sample) -> list[tuple[Thing, Thing]]:
    """Objects that the target shows elsewhere than the picture they come from: as they are there, and here."""
    *olds, new = sample.scenes
    if not olds:
        return []
    changed = olds[taker_of(sample)] if len(olds) == 2 else olds[0]
    # of one picture, what still stands where it stood has not moved
    left = olds[1 - taker_of(sample)].things if len(olds) == 2 else set(changed.things) - set(new.things)
    found = []
    for thing in set(new.things) - set(changed.things):
        looks = replace(thing, column=0, depth=0)
        came = [one for one in left if replace(one, column=0, depth=0) == looks]
        if len(came) == 1:
            found.append((came[0], thing))
    return found


def targets(sample: Sample, ids: NDArray[np.int64], answer: list[tuple[int, int]], quote: int) -> Targets:
    """The targets of all tokens of an exercise.

    `answer` has the characters that each token of the answer covers, and `quote` is the token of a quotation mark. A
    token is asked for the object of which the next token tells, or of which the next cell is a part.
    """
    found = np.full((len(ids), len(KINDS)), NONE, np.int64)
    told = _of_sources(sample) + ([of_picture(sample.target)] if sample.target is not None else [])
    if told:
        found[ids >= TEXT_TOKENS] = np.concatenate([cells.reshape(-1, len(KINDS)) for cells in told])
    if sample.target is not None:
        slots_of = np.full((*sample.target.shape, 2), NONE, np.int64)
        for origin, thing in _origins(sample):
            left, top, right, bottom = box_of(sample.scenes[-1], thing)
            slots_of[top:bottom, left:right] = origin.column, origin.depth
        cells = np.flatnonzero(ids >= TEXT_TOKENS)[-sample.target.size :]
        found[cells - 1, PLACE["origin column"] : PLACE["origin depth"] + 1] = slots_of.reshape(-1, 2)
    first = len(ids) - 1 - len(answer)
    for start, end, thing, kind in _spoken_of(sample) if answer else []:
        for number, (_, after) in enumerate(answer, first):
            if start < after <= end:
                found[number - 1, PLACE[kind] : PLACE[kind] + 2] = thing.column, thing.depth
    quotes = [place for place in np.flatnonzero(ids == quote) if place < len(ids) - 1 - len(answer)]
    for opening, closing in zip(quotes[::2], quotes[1::2], strict=False):
        word = np.arange(opening + 1, closing)[:MAX_SIGN]
        found[word, PLACE["row"]] = 1  # a letter is asked for the cell after which it stands on the sign
        found[word, PLACE["column"]] = np.arange(len(word))
    return found
