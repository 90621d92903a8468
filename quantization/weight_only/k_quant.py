"""k_quant: the scale and zero point of least weighted squared error, searched for as llama.cpp does. Asymmetric."""

import numpy as np

from edgevlo.runtime.arrays import Floats

from ..precision_recipes import Blocks
from .packing import Packed, asymmetric, by_block


def k_quant(matrix: Floats, weights: Blocks) -> Packed:
    """Quantise a matrix `(K, N)` with ONNX Runtime's own search."""
    from onnxruntime.quantization.neural_compressor.weight_only import quant_tensor_k_quant_cpu

    blocks = by_block(matrix, weights.block_size)
    with np.errstate(divide="ignore", invalid="ignore"):  # in blocks of equal weights, which `asymmetric` rounds itself
        _, scales, zeros = quant_tensor_k_quant_cpu(blocks.copy(), weights.bits, weights.block_size)
    return asymmetric(blocks, scales.reshape(blocks.shape[:2]), zeros.reshape(blocks.shape[:2]), weights.bits)
