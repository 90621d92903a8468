"""The few dimensions that hold every tile: a mean, basis vectors and one coefficient vector per tile.

Pixels are in -1..1, in torch's PixelUnshuffle order (channel, row, column). A tile is what its coefficients give,
rounded to levels; the coefficients are nudged until no value lies near the border between two levels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edgevlo.runtime.arrays import Doubles

from .atlas import CELL, FOLDER

PIXELS = 3 * CELL * CELL
SAFE = 0.45  # levels from the middle of a level that count as safe; the border is at 0.5


def unshuffled(patches: NDArray[np.generic]) -> Doubles:
    """(tiles, 16, 16, 3) levels -> (tiles, 768) in -1..1."""
    return np.moveaxis(patches.astype(np.float64), 3, 1).reshape(len(patches), PIXELS) / 127.5 - 1.0


def shuffled(rows: Doubles) -> Doubles:
    """(tiles, 768) in -1..1 -> (tiles, 16, 16, 3) levels, not rounded."""
    return np.moveaxis((rows + 1.0).reshape(len(rows), 3, CELL, CELL) * 127.5, 1, 3)


@dataclass(frozen=True)
class Basis:
    """Mean and vectors are stored in half precision, so every number there is one; coefficients in single."""

    mean: Doubles  # (768,)
    vectors: Doubles  # (dimensions, 768)
    coefficients: Doubles  # (tiles, dimensions)

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
        np.savez_compressed(
            FOLDER / "basis.npz", mean=mean, vectors=vectors, coefficients=self.coefficients.astype(np.float32)
        )

    @staticmethod
    def load() -> Basis:
        """Read basis.npz."""
        with np.load(FOLDER / "basis.npz", allow_pickle=False) as file:
            return Basis(*(file[name].astype(np.float64) for name in ("mean", "vectors", "coefficients")))


def _half(values: Doubles) -> Doubles:
    return values.astype(np.float16).astype(np.float64)


def fitted(patches: Doubles, weights: Doubles, dimensions: int, rounds: int = 600) -> Basis:
    """Weighted principal components of the drawn tiles, coefficients pushed away from the borders between levels."""
    rows = unshuffled(patches)
    mean = _half(rows.mean(axis=0))
    _, _, right = np.linalg.svd((rows - mean) * weights[:, None], full_matrices=False)
    vectors = _half(right[:dimensions])
    inverse = np.linalg.pinv(vectors)
    coefficients = _single((rows - mean) @ inverse)
    targets = np.clip(np.rint(shuffled(coefficients @ vectors + mean)), 0, 255)
    todo = np.arange(len(patches))
    for _ in range(rounds):
        off = shuffled(coefficients[todo] @ vectors + mean) - targets[todo]
        outside = ((targets[todo] == 0) & (off < 0)) | ((targets[todo] == 255) & (off > 0))
        too_far = np.where(outside | (np.abs(off) <= SAFE), 0.0, off - np.sign(off) * (SAFE - 0.03))
        bad = np.abs(too_far).max(axis=(1, 2, 3)) > 0
        if not bad.any():
            break
        todo = todo[bad]
        push = np.moveaxis(too_far[bad], 3, 1).reshape(len(todo), PIXELS) / 127.5
        coefficients[todo] = _single(coefficients[todo] - 1.8 * push @ inverse)
    return Basis(mean, vectors, coefficients)


def _single(values: Doubles) -> Doubles:
    return values.astype(np.float32).astype(np.float64)
