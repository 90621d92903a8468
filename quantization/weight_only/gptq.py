"""GPTQ: one input after the other, its error made good by the inputs that follow (Frantar et al., arXiv:2210.17323).

How the error spreads is decided by the second moments of the layer's input, which are the Hessian of its squared error.
Symmetric. ONNX Runtime has GPTQ too, but returns rounded weights without their scales and searches these again, which
moves the weights off the grid they were fitted to.
"""

from typing import Final

import numpy as np

from edgevlo.runtime.arrays import Floats

from ..precision_recipes import Blocks
from .packing import Packed, symmetric_scale, to_bytes

DAMPING: Final = 0.01  # share of the mean second moment that is added to all
_PANEL: Final = 128  # inputs that are quantised before the ones behind them are corrected


def inverse_hessian_factor(moments: Floats) -> Floats:
    """Return the upper Cholesky factor `(K, K)` of the inverse Hessian: how an input's error spreads to later inputs.

    Raises `ValueError` for second moments that are not finite or that no data has.
    """
    if not np.isfinite(moments).all():
        raise ValueError("they are not finite")
    damped = moments.astype(np.float64)
    diagonal = np.einsum("ii->i", damped)
    mean = float(diagonal.mean()) or 1.0
    diagonal[diagonal == 0] = mean  # an input that was always 0: nothing to correct by
    diagonal += DAMPING * mean
    try:
        return np.ascontiguousarray(np.linalg.cholesky(np.linalg.inv(damped)).T, dtype=np.float32)
    except np.linalg.LinAlgError:
        raise ValueError("they are not positive definite, as those of any data are") from None


def gptq(matrix: Floats, weights: Blocks, factor: Floats) -> Packed:
    """Quantise a matrix `(K, N)` by the `inverse_hessian_factor` of its input."""
    left, block, half = matrix.copy(), weights.block_size, 2 ** (weights.bits - 1)
    inputs, outputs = matrix.shape
    numbers = np.full((-(-inputs // block) * block, outputs), half, dtype=np.uint8)
    scales = np.ones((-(-inputs // block), outputs), dtype=np.float32)
    for start in range(0, inputs, max(_PANEL, block)):
        stop = min(start + max(_PANEL, block), inputs)
        errors = np.zeros((stop - start, outputs), dtype=np.float32)
        for row in range(start, stop):
            if row % block == 0:
                scales[row // block] = symmetric_scale(left[row : min(row + block, inputs)], half)
            scale = scales[row // block]
            whole = np.clip(np.rint(left[row] / scale), -half, half - 1)
            numbers[row] = whole + half
            errors[row - start] = (left[row] - whole * scale) / factor[row, row]
            left[row:stop] -= np.outer(factor[row, row:stop], errors[row - start])
        left[stop:] -= factor[start:stop, stop:].T @ errors
    blocks = numbers.T.reshape(outputs, -1, block)
    return Packed(to_bytes(blocks, weights.bits), np.ascontiguousarray(scales.T), None)
