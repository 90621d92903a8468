"""A table of embeddings in integers, dequantised row by row as they are read. Knows no tokens.

A row on disk: its numbers, signed bytes or two nibbles a byte (the lower one first, 8 more than what it means), then a
float32 scale for each block of 64 columns. All of a row lies together, so that reading one touches one page.

A table of bytes whose rows are a head's weights, too, is laid out as MatMulNBits reads it, so that both read one file:
the numbers of all rows in whole blocks, 128 more than what they mean, then from the next page on the float32 scales.
"""

from typing import Any, Final

import numpy as np

from ..arrays import Array, Floats, Octets

BLOCK: Final = 64
BITS: Final = {"int8": 8, "int4": 4}
PAGE: Final = 4096
_SCALE: Final = np.dtype("<f4")
_ZERO: Final = np.float32(128)


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


def scales_start(rows: int, columns: int, block: int) -> int:
    """Return where the scales of a table in a head's blocks begin."""
    numbers = rows * -(-columns // block) * block
    return -(-numbers // PAGE) * PAGE


class BlockTable:
    """Rows of float32 over blocks `(n, blocks * block)` and scales `(n, blocks)`, as a head's MatMulNBits has them."""

    def __init__(self, numbers: Octets, scales: Floats, columns: int) -> None:
        self._numbers, self._scales, self._columns = numbers, scales, columns
        self._block = numbers.shape[1] // scales.shape[1]

    def __len__(self) -> int:
        return len(self._numbers)

    def __getitem__(self, rows: Any) -> Floats:
        found: Floats = self._numbers[rows].astype(np.float32)
        found -= _ZERO
        found *= np.repeat(self._scales[rows], self._block, axis=-1)
        return found[..., : self._columns]
