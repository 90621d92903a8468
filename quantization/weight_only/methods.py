"""One matrix to blocks, by whichever method its recipe names. Knows no graphs."""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import BundleError

from ..check_finite import check_finite
from ..precision_recipes import Blocks
from .gptq import gptq
from .hqq import hqq
from .k_quant import k_quant
from .packing import Packed
from .rtn import rtn

_WEIGHTS: Final = 1 << 24  # at a time


def packed(name: str, matrix: npt.NDArray[Any], weights: Blocks, factor: Floats | None = None) -> Packed:
    """Return a matrix `(K, N)` as MatMulNBits reads it; `factor` is GPTQ's `inverse_hessian_factor`.

    Raises `BundleError` naming a matrix that holds NaN or infinity.
    """
    found = [_quantised(name, part, weights, factor) for part in _column_slices(matrix)]
    zeros = [one.zero_points for one in found if one.zero_points is not None]
    return Packed(
        np.concatenate([one.blocks for one in found]),
        np.concatenate([one.scales for one in found]),
        np.concatenate(zeros) if zeros else None,
    )


def _column_slices(matrix: npt.NDArray[Any]) -> Iterator[Floats]:
    """Yield some columns at a time: every column is quantised apart from the others."""
    columns = max(1, _WEIGHTS // len(matrix))
    for start in range(0, matrix.shape[1], columns):
        yield np.ascontiguousarray(matrix[:, start : start + columns], dtype=np.float32)


def _quantised(name: str, matrix: Floats, weights: Blocks, factor: Floats | None) -> Packed:
    check_finite(name, matrix)
    match weights.method:
        case "rtn" | "awq":  # awq has scaled the weights beforehand
            return rtn(matrix, weights)
        case "gptq":
            if factor is None:
                raise BundleError(
                    f"GPTQ has no second moments of the input of {name}; calibrate on requests that use it."
                )
            return gptq(matrix, weights, factor)
        case "k_quant":
            return k_quant(matrix, weights)
        case "hqq":
            return hqq(matrix, weights)
