"""Auxiliary targets: what the states of a picture's cells should tell half-way through the layers.

Where a cell lies, which slot it belongs to, what becomes of it under the instruction, and of which object an answer is
about to speak decide nearly every exercise, but reach the loss only through the few tokens that hang on them. Small
heads on the states between the layers, thrown away after training, ask for them everywhere: deep supervision (Lee et
al., 2015, arXiv:1409.5185).
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from .language import clause
from .layout import Grid, box_of
from .questions import boxed
from .scene import Scene, Thing, column_slots, slots
from .tasks import Sample
from .text import TEXT_TOKENS

MOST_CELLS = 24  # of a picture's row or column
# name -> (after this share of the layers, classes, weight in the loss)
HEADS = {
    "row": (1 / 3, MOST_CELLS, 0.1),
    "column": (1 / 3, MOST_CELLS, 0.1),
    "slot": (1 / 2, 4, 0.2),  # column slot: left, middle, right, or between them
    "depth": (1 / 2, 9, 0.2),  # row of slots, 8: above them all
    "changed": (2 / 3, 2, 0.3),  # the same cell of the target (when comparing, of the first source) is another
    "told column": (2 / 3, 3, 0.3),  # column slot of the object of which an answer tells next
    "told depth": (2 / 3, 8, 0.3),
}
CHANGED, TOLD = list(HEADS).index("changed"), list(HEADS).index("told column")
RESULT = len(HEADS)  # place of the code to tell in a token's targets
RESULT_AFTER, RESULT_WEIGHT = 2 / 3, 0.4
NONE = -1

Targets = NDArray[np.int64]  # (tokens, RESULT + 1), NONE where nothing is asked


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


def of_picture(grid: Grid, becomes: Grid | None = None) -> Targets:
    """The targets of a picture's cells, (rows, columns, RESULT + 1); `becomes` is told at object cells and changes.

    Asked for every unchanged cell, too, the codes would drown the few that matter.
    """
    found = np.full((*grid.shape, RESULT + 1), NONE, np.int64)
    found[..., :4] = _places(*grid.shape)
    if becomes is not None and becomes.shape == grid.shape:
        changed = grid != becomes
        found[..., CHANGED] = changed
        asked = changed.copy()
        asked[2:] |= grid[2:] != np.bincount(grid[2:].reshape(-1)).argmax()  # all but ground
        found[..., RESULT] = np.where(asked, becomes, NONE)
    return found


def of_giver(grid: Grid, scene: Scene, taken: Thing) -> Targets:
    """The targets of the picture that an object is taken from: its cells count as changed."""
    found = of_picture(grid)
    left, top, right, bottom = box_of(scene, taken)
    found[..., CHANGED] = 0
    found[top:bottom, left:right, CHANGED] = 1
    return found


def _of_sources(sample: Sample) -> list[Targets]:
    sources, target = sample.sources, sample.target
    if sample.task == "fetch" and target is not None:
        taker = taker_of(sample)
        fetched = next(thing for thing in sample.scenes[2].things if thing not in sample.scenes[taker].things)
        giver = sample.scenes[1 - taker]
        looks = (fetched.kind, fetched.colour, fetched.hat)
        taken = next(thing for thing in giver.things if (thing.kind, thing.colour, thing.hat) == looks)
        told = [of_giver(sources[1 - taker], giver, taken), of_picture(sources[taker], target)]
        return told[::-1] if taker == 0 else told
    if target is None and len(sources) == 2:
        return [of_picture(sources[0]), of_picture(sources[1], sources[0])]
    return [of_picture(source, target) for source in sources]


def taker_of(sample: Sample) -> int:
    """Of two source pictures the one that is changed: the one that the target is most alike."""
    return min((0, 1), key=lambda index: np.count_nonzero(sample.sources[index] != sample.target))


def _spoken_of(sample: Sample) -> list[tuple[int, int, Thing]]:
    """Which characters of the answer tell of which object."""
    answer, scene = sample.answer or "", sample.scenes[0]
    if sample.task == "compare":
        gone = [thing for thing in scene.things if thing not in sample.scenes[1].things]
        return [(0, len(answer), gone[0])] if gone else []
    found, start = [], 0
    for thing in scene.things:
        for words in (clause(scene, thing, sample.language), boxed(scene, thing, sample.language)):
            at = answer.find(words, start)
            if at >= 0:
                start = at + len(words)
                found.append((at, start, thing))
    return found


def targets(sample: Sample, ids: NDArray[np.int64], answer: list[tuple[int, int]]) -> Targets:
    """The targets of all tokens of an exercise; `answer` has the characters that each token of the answer covers.

    A token is asked for the object of which the next token tells.
    """
    found = np.full((len(ids), RESULT + 1), NONE, np.int64)
    told = _of_sources(sample) + ([of_picture(sample.target)] if sample.target is not None else [])
    if told:
        found[ids >= TEXT_TOKENS] = np.concatenate([cells.reshape(-1, RESULT + 1) for cells in told])
    first = len(ids) - 1 - len(answer)
    for start, end, thing in _spoken_of(sample) if answer else []:
        for number, (_, after) in enumerate(answer, first):
            if start < after <= end:
                found[number - 1, TOLD : TOLD + 2] = thing.column, thing.depth
    return found


class Heads(nn.Module):
    """The heads; they start at zero, so they do not disturb a trained model."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.layers = layers
        self.heads = nn.ModuleDict({name: nn.Linear(width, classes) for name, (_, classes, _) in HEADS.items()})
        self.result = nn.Linear(width, width, bias=False)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def _after(self, share: float, states: tuple[torch.Tensor, ...], asked: torch.Tensor) -> torch.Tensor:
        """States of the asked tokens after a share of the layers, normalised, (asked, width)."""
        chosen = states[max(1, round(share * self.layers))][asked].float()
        return functional.rms_norm(chosen, chosen.shape[-1:])

    def forward(self, states: tuple[torch.Tensor, ...], targets: torch.Tensor, codes: torch.Tensor) -> Any:
        """Loss from the states after each layer, (batch, tokens, width), targets and the codes' embeddings."""
        total = states[0].new_zeros(())
        for place, (name, (share, _, weight)) in enumerate(HEADS.items()):
            asked = targets[..., place] != NONE
            if asked.any():
                logits = self.heads[name](self._after(share, states, asked))
                total = total + weight * functional.cross_entropy(logits, targets[..., place][asked])
        asked = targets[..., RESULT] != NONE
        if asked.any():
            logits = self.result(self._after(RESULT_AFTER, states, asked)) @ codes.T
            total = total + RESULT_WEIGHT * functional.cross_entropy(logits, targets[..., RESULT][asked])
        return total
