"""Blocks of weights as MatMulNBits stores them. Chooses no scales but those that every method falls back to.

A matrix `(K, N)` becomes `bits` bits a weight, in blocks of `block_size` along K that share a scale and, where the
method is asymmetric, a zero point: `w = (number - zero_point) * scale`. In `rtn.py`, and so in `awq.py`, ONNX
Runtime packs.
"""

import functools
import logging
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.arrays import Floats, Octets

TINY: Final = np.float32(2.0**-100)  # a block with a smaller scale is all zeros


class Packed(NamedTuple):
    """Blocks `(N, K/block, bytes)`, scales `(N, K/block)`, and zero points `(N, bytes)`, None where symmetric."""

    blocks: Octets
    scales: Floats
    zero_points: Octets | None


def by_block(matrix: Floats, block: int) -> Floats:
    """Return a matrix `(K, N)` as `(N, blocks, block)`, padded with zeros."""
    short = -len(matrix) % block
    return np.ascontiguousarray(np.pad(matrix, ((0, short), (0, 0))).T).reshape(matrix.shape[1], -1, block)


def symmetric_scale(block: Floats, half: int) -> Floats:
    """Return the scales of columns `(..., K, N)` at which the largest number, of either sign, is exactly `-half`."""
    largest = np.take_along_axis(block, np.abs(block).argmax(axis=-2, keepdims=True), axis=-2)[..., 0, :]
    scale: Floats = np.where(np.abs(largest) < TINY, np.float32(1), largest / np.float32(-half))
    return scale


def asymmetric(blocks: Floats, scales: npt.NDArray[Any], zeros: npt.NDArray[Any], bits: int) -> Packed:
    """Round blocks `(N, blocks, block)` to a grid of scales and whole zero points `(N, blocks)`.

    A block whose zero point would be off the grid, as where all have one sign, spans from zero to its farthest weight.
    """
    largest = 2**bits - 1
    low, high = blocks.min(axis=2), blocks.max(axis=2)
    off = (low > 0) | (high < 0) | (low == high) | (zeros < 0) | (zeros > largest) | ~np.isfinite(scales)
    span = (np.maximum(high, 0) - np.minimum(low, 0)) / largest
    scales = np.where(off, span, scales).astype(np.float32)
    scales = np.where(np.abs(scales) < TINY, np.float32(1), scales)
    zeros = np.where(off, np.rint(-np.minimum(low, 0) / scales), zeros).astype(np.float32)
    numbers = np.clip(np.rint(blocks / scales[..., None] + zeros[..., None]), 0, largest).astype(np.uint8)
    return Packed(to_bytes(numbers, bits), scales, to_bytes(zeros.astype(np.uint8), bits))


def to_bytes(numbers: Octets, bits: int) -> Octets:
    """Pack numbers along the last axis; of two in one byte the first is the low half."""
    if bits == 8:
        return numbers
    if numbers.shape[-1] % 2:
        numbers = np.concatenate([numbers, np.zeros_like(numbers[..., :1])], axis=-1)
    pairs: Octets = (numbers[..., ::2] | numbers[..., 1::2] << 4).astype(np.uint8)
    return pairs


@functools.cache
def onnxruntime_quantizers() -> Any:
    """Import ONNX Runtime's quantisers, which configure the root logger when imported, and undo that."""
    handlers, level = logging.root.handlers[:], logging.root.level
    from onnxruntime.quantization import matmul_nbits_quantizer

    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    return matmul_nbits_quantizer
