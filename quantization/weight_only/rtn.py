"""RTN: round to nearest, symmetric. Needs no data; the default."""

import numpy as np

from edgevlo.runtime.arrays import Floats

from ..precision_recipes import Blocks
from .packing import Packed, onnxruntime_quantizers, symmetric_scale


def rtn(matrix: Floats, weights: Blocks) -> Packed:
    """Quantise a matrix `(K, N)` with ONNX Runtime's own kernel."""
    config = onnxruntime_quantizers().DefaultWeightOnlyQuantConfig(
        block_size=weights.block_size, is_symmetric=True, bits=weights.bits
    )
    blocks, scales, _ = onnxruntime_quantizers().DefaultWeightOnlyQuantizer(config).qbits_block_quant(matrix)
    return Packed(blocks, scales, None)


def rounded(matrix: Floats, weights: Blocks) -> Floats:
    """Return a matrix `(K, N)` as `rtn` leaves it, dequantised."""
    half, block, (inputs, outputs) = 2 ** (weights.bits - 1), weights.block_size, matrix.shape
    blocks = np.pad(matrix, ((0, -inputs % block), (0, 0))).reshape(-1, block, outputs)
    scales = symmetric_scale(blocks, half)[:, None]
    numbers: Floats = np.clip(np.rint(blocks / scales), -half, half - 1) * scales
    return numbers.reshape(-1, outputs)[:inputs]
