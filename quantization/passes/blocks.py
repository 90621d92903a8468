"""Numbers for matrices quantised in blocks: how they are rounded, and how MatMulNBits reads them.

A matrix `(K, N)` becomes `bits` bits a number, in blocks of `block_size` along K that share a scale and, where the
method is asymmetric, a zero point: `w = (number - zero_point) * scale`. The methods:

- `rtn`: to the nearest, symmetric; ONNX Runtime's own quantiser.
- `awq`: the same, of weights that were scaled for it (`activation_aware.py`).
- `k_quant`: scale and zero point that minimise the weighted squared error, searched for as llama.cpp does; asymmetric,
  ONNX Runtime's own.
- `hqq`: a zero point that minimises a norm below 1 of the error (Badri and Shaji, 2023); asymmetric, ONNX Runtime's
  own. Its zero points are rounded, as MatMulNBits is sixty times slower with fractions (2048 x 2048, two rows, AVX2).
- `gptq`: one input after the other, the error of each made good by those that follow, by the second moments of what
  the layer reads (Frantar et al., 2022, arXiv:2210.17323); symmetric. ONNX Runtime has it too, but returns rounded
  weights without their scales and searches these again, which moves the weights off the grid they were fitted to.
"""

import functools
import logging
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np

from edgevlo.runtime.arrays import Array, Floats, Octets
from edgevlo.runtime.errors import BundleError

from ..recipes import Blocks

DAMPING: Final = 0.01  # of GPTQ: share of the mean second moment that is added to all
_TINY: Final = np.float32(2.0**-100)  # of a scale: below it there is nothing that a product would show
_NUMBERS: Final = 1 << 24  # at a time
_PANEL: Final = 128  # inputs that GPTQ treats before it corrects those behind them


class Packed(NamedTuple):
    """Blocks `(N, K/block, bytes)`, scales `(N, K/block)`, and zero points `(N, bytes)` or none where all are half."""

    blocks: Octets
    scales: Floats
    zero_points: Octets | None


def packed(name: str, matrix: Array, weights: Blocks, factor: Floats | None = None) -> Packed:
    """Return a matrix `(K, N)` as MatMulNBits reads it; `factor` is the `correction` of what `gptq` knows of its input.

    Raises `BundleError` naming a matrix that holds NaN or infinity.
    """
    found = [_of_slice(name, part, weights, factor) for part in _slices(matrix)]
    zeros = [one.zero_points for one in found if one.zero_points is not None]
    return Packed(
        np.concatenate([one.blocks for one in found]),
        np.concatenate([one.scales for one in found]),
        np.concatenate(zeros) if zeros else None,
    )


def _slices(matrix: Array) -> Iterator[Floats]:
    """Yield the matrix some columns at a time: they are quantised one apart from the other."""
    columns = max(1, _NUMBERS // len(matrix))
    for start in range(0, matrix.shape[1], columns):
        yield np.ascontiguousarray(matrix[:, start : start + columns], dtype=np.float32)


def _of_slice(name: str, matrix: Floats, weights: Blocks, factor: Floats | None) -> Packed:
    if not np.isfinite(matrix).all():
        raise BundleError(f"{name} holds NaN or infinity; export the checkpoint again from sound weights.")
    match weights.method:
        case "rtn" | "awq":
            return _nearest(matrix, weights)
        case "gptq":
            if factor is None:
                raise BundleError(f"nothing was seen of what {name} reads; GPTQ needs requests that use it.")
            return _corrected(matrix, weights, factor)
        case "k_quant":
            return _k_quant(matrix, weights)
        case "hqq":
            return _half_quadratic(matrix, weights)


@functools.cache
def _onnxruntime() -> Any:
    """Return ONNX Runtime's module of quantisers, whose import configures the root logger."""
    handlers, level = logging.root.handlers[:], logging.root.level
    from onnxruntime.quantization import matmul_nbits_quantizer

    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    return matmul_nbits_quantizer


def _nearest(matrix: Floats, weights: Blocks) -> Packed:
    config = _onnxruntime().DefaultWeightOnlyQuantConfig(
        block_size=weights.block_size, is_symmetric=True, bits=weights.bits
    )
    blocks, scales, _ = _onnxruntime().DefaultWeightOnlyQuantizer(config).qbits_block_quant(matrix)
    return Packed(blocks, scales, None)


def nearest(matrix: Floats, weights: Blocks) -> Floats:
    """Return a matrix `(K, N)` as `rtn` leaves it, in floats."""
    half, block, (inputs, outputs) = 2 ** (weights.bits - 1), weights.block_size, matrix.shape
    by_block = np.pad(matrix, ((0, -inputs % block), (0, 0))).reshape(-1, block, outputs)
    scales = _signed_scale(by_block, half)[:, None]
    rounded: Floats = np.clip(np.rint(by_block / scales), -half, half - 1) * scales
    return rounded.reshape(-1, outputs)[:inputs]


def _k_quant(matrix: Floats, weights: Blocks) -> Packed:
    from onnxruntime.quantization.neural_compressor.weight_only import quant_tensor_k_quant_cpu

    by_block = _by_block(matrix, weights.block_size)
    with np.errstate(divide="ignore", invalid="ignore"):  # of blocks of equal numbers, which `_rounded` treats
        _, scales, zeros = quant_tensor_k_quant_cpu(by_block.copy(), weights.bits, weights.block_size)
    return _rounded(by_block, scales.reshape(by_block.shape[:2]), zeros.reshape(by_block.shape[:2]), weights.bits)


def _half_quadratic(matrix: Floats, weights: Blocks) -> Packed:
    import torch

    by_block = _by_block(matrix, weights.block_size)
    peaks = np.abs(by_block).max(axis=2)
    peaks = np.where(peaks < _TINY, np.float32(1), peaks)  # scaled to 1: its steps are never below 5e-5
    quantizer: Any = _onnxruntime()
    config = quantizer.HQQWeightOnlyQuantConfig(block_size=weights.block_size, bits=weights.bits)
    found = quantizer.HQQWeightOnlyQuantizer(config).quantize_internal(
        torch.from_numpy((by_block / peaks[..., None]).reshape(-1, weights.block_size)),
        bits=weights.bits,
        group_size=weights.block_size,
    )
    scales, zeros = (tensor.numpy().reshape(peaks.shape) for tensor in found[1:])
    return _rounded(by_block, scales * peaks, np.rint(zeros), weights.bits)


def _rounded(by_block: Floats, scales: Array, zeros: Array, bits: int) -> Packed:
    """Return numbers `(N, blocks, block)` on a grid of scales and whole zero points `(N, blocks)`.

    Blocks whose zero point would lie off the grid, as those of one sign do, span from their farthest number to zero.
    """
    largest = 2**bits - 1
    low, high = by_block.min(axis=2), by_block.max(axis=2)
    off = (low > 0) | (high < 0) | (low == high) | (zeros < 0) | (zeros > largest) | ~np.isfinite(scales)
    span = (np.maximum(high, 0) - np.minimum(low, 0)) / largest
    scales = np.where(off, span, scales).astype(np.float32)
    scales = np.where(np.abs(scales) < _TINY, np.float32(1), scales)
    zeros = np.where(off, np.rint(-np.minimum(low, 0) / scales), zeros).astype(np.float32)
    numbers = np.clip(np.rint(by_block / scales[..., None] + zeros[..., None]), 0, largest).astype(np.uint8)
    return Packed(_joined(numbers, bits), scales, _joined(zeros.astype(np.uint8), bits))


def correction(moments: Floats) -> Floats:
    """Return GPTQ's factor `(K, K)`, upper triangular: how the error of an input is spread over those behind it.

    Raises `ValueError` for moments that are not finite, or of no real data.
    """
    if not np.isfinite(moments).all():
        raise ValueError("what it reads is not finite")
    damped = moments.astype(np.float64)
    diagonal = np.einsum("ii->i", damped)
    mean = float(diagonal.mean()) or 1.0
    diagonal[diagonal == 0] = mean  # never seen: nothing to correct by
    diagonal += DAMPING * mean
    try:
        return np.ascontiguousarray(np.linalg.cholesky(np.linalg.inv(damped)).T, dtype=np.float32)
    except np.linalg.LinAlgError:
        raise ValueError("the moments of what it reads are not those of any data") from None


def _corrected(matrix: Floats, weights: Blocks, factor: Floats) -> Packed:
    left, block, half = matrix.copy(), weights.block_size, 2 ** (weights.bits - 1)
    inputs, outputs = matrix.shape
    numbers = np.full((-(-inputs // block) * block, outputs), half, dtype=np.uint8)
    scales = np.ones((-(-inputs // block), outputs), dtype=np.float32)
    for start in range(0, inputs, max(_PANEL, block)):
        stop = min(start + max(_PANEL, block), inputs)
        errors = np.zeros((stop - start, outputs), dtype=np.float32)
        for row in range(start, stop):
            if row % block == 0:
                scales[row // block] = _signed_scale(left[row : min(row + block, inputs)], half)
            scale = scales[row // block]
            whole = np.clip(np.rint(left[row] / scale), -half, half - 1)
            numbers[row] = whole + half
            errors[row - start] = (left[row] - whole * scale) / factor[row, row]
            left[row:stop] -= np.outer(factor[row, row:stop], errors[row - start])
        left[stop:] -= factor[start:stop, stop:].T @ errors
    by_block = numbers.T.reshape(outputs, -1, block)
    return Packed(_joined(by_block, weights.bits), np.ascontiguousarray(scales.T), None)


def _signed_scale(block: Floats, half: int) -> Floats:
    """Return the scales of columns `(..., K, N)` with which the largest number, of either sign, is exactly `-half`."""
    largest = np.take_along_axis(block, np.abs(block).argmax(axis=-2, keepdims=True), axis=-2)[..., 0, :]
    scale: Floats = np.where(np.abs(largest) < _TINY, np.float32(1), largest / np.float32(-half))
    return scale


def _by_block(matrix: Floats, block: int) -> Floats:
    """Return a matrix `(K, N)` as `(N, blocks, block)`, padded with zeros."""
    short = -len(matrix) % block
    return np.ascontiguousarray(np.pad(matrix, ((0, short), (0, 0))).T).reshape(matrix.shape[1], -1, block)


def _joined(numbers: Octets, bits: int) -> Octets:
    """Return numbers in bytes along the last axis; of two in one byte the first is the lower half."""
    if bits == 8:
        return numbers
    if numbers.shape[-1] % 2:
        numbers = np.concatenate([numbers, np.zeros_like(numbers[..., :1])], axis=-1)
    pairs: Octets = (numbers[..., ::2] | numbers[..., 1::2] << 4).astype(np.uint8)
    return pairs
