"""HQQ: the zero point that minimises a norm below 1 of the error (Badri and Shaji, 2023). Asymmetric; needs torch.

ONNX Runtime's own, but with rounded zero points: MatMulNBits is sixty times slower with fractional ones (2048 x 2048,
two rows, AVX2).
"""

from typing import Any

import numpy as np

from edgevlo.runtime.arrays import Floats

from ..precision_recipes import Blocks
from .packing import TINY, Packed, asymmetric, by_block, onnxruntime_quantizers


def hqq(matrix: Floats, weights: Blocks) -> Packed:
    """Quantise a matrix `(K, N)`."""
    import torch

    blocks = by_block(matrix, weights.block_size)
    peaks = np.abs(blocks).max(axis=2)
    peaks = np.where(peaks < TINY, np.float32(1), peaks)  # blocks are scaled to 1: HQQ's steps are never below 5e-5
    quantizers: Any = onnxruntime_quantizers()
    config = quantizers.HQQWeightOnlyQuantConfig(block_size=weights.block_size, bits=weights.bits)
    found = quantizers.HQQWeightOnlyQuantizer(config).quantize_internal(
        torch.from_numpy((blocks / peaks[..., None]).reshape(-1, weights.block_size)),
        bits=weights.bits,
        group_size=weights.block_size,
    )
    scales, zeros = (tensor.numpy().reshape(peaks.shape) for tensor in found[1:])
    return asymmetric(blocks, scales * peaks, np.rint(zeros), weights.bits)
