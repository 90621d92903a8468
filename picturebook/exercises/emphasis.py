"""How much each cell of a painted target weighs in the loss: where a painter decides weighs more than what follows.

It decides about a thing at the first cell of every slot, about a hat at the cell above, about sky, place, sign and
ground at the first cells of their rows. These are a few cells of a picture, and binding text to them is what has to be
learned; the others follow from their neighbours. They weigh the same whether something is there or not: a weight that
hangs on the outcome would teach to paint it too often.
"""

from __future__ import annotations

import numpy as np

from edgevlo.runtime.arrays import Floats

from ..world.scene import Scene, Thing, cell_of, slots
from ..world.scene_to_codes import Grid

FOLLOWING, CHANGED, LETTER, DECIDING = 1.0, 2.0, 5.0, 6.0


def painted(scene: Scene) -> Floats:
    """Weights of a picture made from text, (rows, columns)."""
    weights = np.full(scene.grid, FOLLOWING, np.float32)
    return _decided(scene, weights)


def edited(scene: Scene, source: Grid, target: Grid) -> Floats:
    """Weights of an edited picture, (rows, columns)."""
    return _decided(scene, np.where(source != target, CHANGED, FOLLOWING).astype(np.float32))


def _decided(scene: Scene, weights: Floats) -> Floats:
    if scene.sign:
        weights[1, 1 : len(scene.sign) + 2] = LETTER  # and what follows the last
    for row, column in deciding_cells(scene):
        weights[row, column] = DECIDING
    return weights


def deciding_cells(scene: Scene) -> list[tuple[int, int]]:
    """The first cells of sky, horizon, sign and ground, of each slot and of the hat above it."""
    cells = [(0, 0), (1, 0), (1, 1), (2, 0)]
    for depth, column in slots(*scene.grid):
        row, first = cell_of(scene, Thing("car", "red", column, depth))
        cells += [(row, first), (row - 1, first)]
    return cells
