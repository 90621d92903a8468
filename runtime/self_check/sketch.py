"""A vector in a few numbers: every so-manieth of its own, and sums over all of them with fixed signs.

The first find a value that is large where it should not be, the sums a fault in any column: both differ by about as
much as single values do, so that one limit serves them all. Signs come from integers alone, equal on every machine.
"""

from typing import Final

import numpy as np

from ..arrays import Array, Doubles

COLUMNS: Final = 48
FOLDS: Final = 16
TOP: Final = 8  # of the largest logits, kept with their ids


def size(length: int) -> int:
    """Return how many numbers the sketch of a vector has."""
    return len(range(0, length, _step(length))) + min(FOLDS, length)


def sketch(values: Array) -> Doubles:
    """Return the sketch, float64, of a vector of numbers."""
    vector = np.asarray(values, dtype=np.float64)
    length = len(vector)
    folds = min(FOLDS, length)
    padded = np.zeros(-(-length // folds) * folds)
    padded[:length] = vector * _signs(length)
    sums = padded.reshape(-1, folds).sum(axis=0) / np.sqrt(length / folds)
    return np.concatenate([vector[:: _step(length)], sums])


def largest(values: Array) -> list[tuple[int, float]]:
    """Return ids and values of the largest numbers of a vector, the largest first."""
    order = np.argsort(-np.asarray(values, dtype=np.float64), kind="stable")[:TOP]
    return [(int(place), float(values[place])) for place in order]


def _step(length: int) -> int:
    return -(-length // COLUMNS)


def _signs(length: int) -> Array:
    bits = (np.arange(length, dtype=np.uint64) * np.uint64(2654435761)) >> np.uint64(15) & np.uint64(1)
    return np.where(bits == 1, 1.0, -1.0)
