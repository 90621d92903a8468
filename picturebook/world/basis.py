"""The few dimensions that hold every tile: a mean, basis vectors and one coefficient vector per tile.

Pixels are in -1..1, in torch's PixelUnshuffle order (channel, row, column). A tile is what its coefficients give,
rounded to levels; the coefficients are nudged until no value lies near the border between two levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgevlo.runtime.arrays import Doubles, Floats

from .atlas import CELL, FOLDER

PIXELS = 3 * CELL * CELL
LARGEST = 2**15 - 1  # a coefficient is an int16 of its dimension's steps: half the bytes, in a bundle, too
ROOM = 1.05  # for what nudging adds to the largest
SAFE = 0.45  # levels from the middle of a level that count as safe; the border is at 0.5
PUSHED = 0.05  # levels: how far beyond, as rounding to steps takes some of it back


def unshuffled(patches: NDArray[np.generic]) -> Doubles:
    """(tiles, 16, 16, 3) levels -> (tiles, 768) in -1..1."""
    return np.moveaxis(patches.astype(np.float64), 3, 1).reshape(len(patches), PIXELS) / 127.5 - 1.0


def shuffled(rows: Doubles) -> Doubles:
    """(tiles, 768) in -1..1 -> (tiles, 16, 16, 3) levels, not rounded."""
    return np.moveaxis((rows + 1.0).reshape(len(rows), 3, CELL, CELL) * 127.5, 1, 3)


@dataclass(frozen=True)
class Basis:
    """Mean and vectors are numbers of half precision; coefficients whole numbers of steps, which are powers of two."""

    mean: Doubles  # (768,)
    vectors: Doubles  # (dimensions, 768)
    coefficients: Doubles  # (tiles, dimensions)
    steps: Doubles  # (dimensions,)

    def levels(self) -> Doubles:
        """Every tile in levels, not rounded, (tiles, 16, 16, 3)."""
        return shuffled(self.coefficients @ self.vectors + self.mean)

    def tiles(self) -> NDArray[np.uint8]:
        """The atlas."""
        return np.clip(np.rint(self.levels()), 0, 255).astype(np.uint8)

    def margin(self) -> float:
        """Smallest distance of any value from changing its level."""
        levels = self.levels()
        off = np.abs(levels - np.rint(levels))
        off[(levels < 0) | (levels > 255)] = 0.0
        return float(0.5 - off.max())

    def save(self) -> None:
        """Write basis.npz."""
        mean, vectors = self.mean.astype(np.float16), self.vectors.astype(np.float16)
        numbers = np.rint(self.coefficients / self.steps)
        if np.abs(numbers).max() > LARGEST:
            raise ValueError("a coefficient does not fit into 16 bits: raise ROOM")
        exponents = np.log2(self.steps).astype(np.int8)
        np.savez_compressed(
            FOLDER / "basis.npz", mean=mean, vectors=vectors, numbers=numbers.astype(np.int16), exponents=exponents
        )

    @staticmethod
    def load() -> Basis:
        """Read basis.npz."""
        with np.load(FOLDER / "basis.npz", allow_pickle=False) as file:
            mean, vectors, numbers = (file[name].astype(np.float64) for name in ("mean", "vectors", "numbers"))
            steps = 2.0 ** file["exponents"]
            return Basis(mean, vectors, numbers * steps, steps)


def _half(values: Doubles) -> Doubles:
    return values.astype(np.float16).astype(np.float64)


def fitted(patches: Doubles, weights: Doubles, limits: Doubles, dimensions: int, rounds: int = 600) -> Basis:
    """Weighted principal components of the drawn tiles, coefficients pushed away from the borders between levels.

    `limits`: how far from its drawing a colour of each tile may be, in levels; it is kept where that is possible.
    """
    rows = unshuffled(patches)
    mean = _half(rows.mean(axis=0))
    scaled = (rows - mean) * weights[:, None]
    _, columns = np.linalg.eigh(scaled.T @ scaled)
    vectors = _half(columns.T[::-1][:dimensions])
    largest = np.abs((rows - mean) @ np.linalg.pinv(vectors)).max(axis=0)
    steps = 2.0 ** np.ceil(np.log2(ROOM * largest / LARGEST))
    coefficients = np.empty((len(rows), dimensions), np.float32)
    for start in range(0, len(rows), 1024):  # what fits into a processor's cache
        some = slice(start, start + 1024)
        coefficients[some] = _nudged(
            (rows[some] + 1) * 127.5, limits[some], vectors * 127.5, (mean + 1) * 127.5, steps, rounds
        )
    return Basis(mean, vectors, coefficients.astype(np.float64), steps)


def _nudged(wanted: Doubles, limits: Doubles, vectors: Doubles, mean: Doubles, steps: Doubles, rounds: int) -> Floats:
    """Coefficients of some tiles, (tiles, dimensions): close to the drawings, safe from the borders between levels.

    Tiles, vectors and mean are in levels, (..., 768); single precision is exact enough.
    """
    inverse = (1.8 * np.linalg.pinv(vectors)).astype(np.float32)
    found = ((wanted - mean) @ inverse / 1.8).astype(np.float32)
    drawn, allowed, single, middle = (array.astype(np.float32) for array in (wanted, limits, vectors, mean))

    def in_steps(coefficients: Floats) -> Floats:
        return np.asarray(np.rint(coefficients / steps) * steps, np.float32)

    def improve(todo: NDArray[np.intp], push: Callable[[Floats, NDArray[np.intp]], Floats]) -> None:
        found[todo] = in_steps(found[todo])
        for _ in range(rounds):
            too_far = push(found[todo] @ single + middle, todo)
            bad = too_far.any(axis=1)
            todo, too_far = todo[bad], too_far[bad]
            if not len(todo):
                return
            found[todo] = in_steps(found[todo] - too_far @ inverse)

    def from_drawing(levels: Floats, todo: NDArray[np.intp]) -> Floats:
        errors = (levels - drawn[todo]).reshape(len(todo), 3, CELL * CELL)
        length = np.sqrt((errors**2).sum(axis=1, keepdims=True))
        limit = allowed[todo, None, None]
        share = np.where(length > limit, 1 - (limit - 1) / np.maximum(length, 1), 0)
        return (errors * share).reshape(len(todo), PIXELS)

    improve(np.flatnonzero(np.isfinite(allowed)), from_drawing)
    targets = np.clip(np.rint(found @ single + middle), 0, 255)

    def from_level(levels: Floats, todo: NDArray[np.intp]) -> Floats:
        goal = targets[todo]
        off = levels - goal
        inside = (np.abs(off) <= SAFE) | ((goal == 0) & (off < 0)) | ((goal == 255) & (off > 0))
        return np.where(inside, 0, off - np.sign(off) * np.float32(SAFE - PUSHED))

    improve(np.arange(len(found)), from_level)
    return found
