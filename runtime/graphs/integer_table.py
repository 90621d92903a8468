"""A table of embeddings in integers, dequantised row by row as they are read. Knows no tokens.

A row on disk: its numbers, signed bytes or two nibbles a byte (the lower one first, 8 more than what it means), then a
float32 scale for each block of 64 columns. All of a row lies together, so that reading one touches one page.
"""

from typing import Any, Final

import numpy as np

from ..arrays import Array, Floats, Octets

BLOCK: Final = 64
BITS: Final = {"int8": 8, "int4": 4}
_SCALE: Final = np.dtype("<f4")


def row_bytes(columns: int, bits: int) -> int:
    """Return the bytes of a row on disk."""
    return -(-columns * bits // 8) + -(-columns // BLOCK) * _SCALE.itemsize


def packed_rows(rows: Array, bits: int) -> Octets:
    """Return rows `(n, columns)` as they lie on disk, `(n, row_bytes)`; symmetric, to the nearest."""
    count, columns = rows.shape
    largest = 2 ** (bits - 1) - 1
    padded = np.zeros((count, -(-columns // BLOCK), BLOCK), dtype=np.float32)
    padded.reshape(count, -1)[:, :columns] = rows
    peaks = np.abs(padded).max(axis=2)
    scales = np.where(peaks == 0, 1, peaks / largest).astype(_SCALE)
    numbers = np.rint(padded / scales[..., None]).astype(np.int8)
    flat = numbers.reshape(count, -1)[:, : columns + columns % 2 * (bits == 4)]
    if bits == 4:
        flat = ((flat[:, ::2] + 8) | (flat[:, 1::2] + 8) << 4).astype(np.uint8)
    return np.concatenate([flat.view(np.uint8), scales.view(np.uint8)], axis=1)


class IntegerTable:
    """Rows of float32 over packed ones `(n, row_bytes)`; indexed with a row or with an array of rows."""

    def __init__(self, packed: Octets, columns: int, bits: int) -> None:
        self._packed, self._columns, self._bits = packed, columns, bits
        self._numbers = -(-columns * bits // 8)

    def __len__(self) -> int:
        return len(self._packed)

    def __getitem__(self, rows: Any) -> Floats:
        found: Octets = self._packed[rows]
        scales = found[..., self._numbers :].view(_SCALE)
        numbers = found[..., : self._numbers]
        if self._bits == 8:
            signed: Floats = numbers.view(np.int8).astype(np.float32)
        else:
            halves = np.stack((numbers & 15, numbers >> 4), axis=-1)
            signed = halves.reshape(*numbers.shape[:-1], -1)[..., : self._columns].astype(np.float32) - np.float32(8)
        signed *= np.repeat(scales, BLOCK, axis=-1)[..., : self._columns]
        return signed
