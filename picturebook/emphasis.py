"""How much each cell of a painted target weighs in the loss: what decides weighs more than what follows from it.

A painter decides about a thing at its first cell, about its hat at the hat's first cell, about sky and place at the
first cell of their rows; an edit decides at the first cell that differs from the source. These are a few cells of a
picture, and binding text to them is what has to be learned; the others follow from their neighbours.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .layout import Grid
from .scene import Scene, Thing, cell_of, slots

FOLLOWING, EMPTY, SETTING, LETTER, KEPT, DECIDING = 1.0, 2.0, 4.0, 5.0, 5.0, 8.0


def painted(scene: Scene) -> NDArray[np.float32]:
    """Weights of a picture made from text, (rows, columns)."""
    weights = np.full(scene.grid, FOLLOWING, np.float32)
    weights[:2, 0] = SETTING
    if scene.sign:
        weights[1, 1 : len(scene.sign) + 2] = LETTER  # and what follows the last
    for depth, column in slots(*scene.grid):
        row, first = cell_of(scene, Thing("car", "red", column, depth))
        weights[row - 1 : row + 1, first] = EMPTY
    for row, first in deciding_cells(scene):
        weights[row, first] = DECIDING
    return weights


def edited(scene: Scene, source: Grid, target: Grid) -> NDArray[np.float32]:
    """Weights of an edited picture, (rows, columns)."""
    changed = source != target
    weights = np.full(target.shape, FOLLOWING, np.float32)
    for row, first in deciding_cells(scene):
        weights[row, first] = KEPT
    weights[changed] = EMPTY
    if scene.sign:
        weights[1, 1 : len(scene.sign) + 2] = LETTER
    before = np.pad(changed, ((1, 0), (1, 0)))
    weights[changed & ~before[:-1, 1:] & ~before[1:, :-1]] = DECIDING
    return weights


def fetched(scene: Scene, taker: Grid, target: Grid) -> NDArray[np.float32]:
    """Weights of a picture that gets an object of another one: its first cells decide which of the two is copied."""
    weights = edited(scene, taker, target)
    weights[:3, 0] = np.maximum(weights[:3, 0], DECIDING)
    return weights


def deciding_cells(scene: Scene) -> list[tuple[int, int]]:
    """The first cell of each thing and of each hat."""
    cells = []
    for thing in scene.things:
        row, column = cell_of(scene, thing)
        cells += [(row, column), (row - 1, column)] if thing.hat else [(row, column)]
    return cells
