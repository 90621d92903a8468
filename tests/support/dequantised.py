"""What packed weights stand for, in float64, by ONNX Runtime's definition of MatMulNBits."""

import numpy as np
import numpy.typing as npt

from edgevlo.quantization.weight_only.packing import Packed
from edgevlo.runtime.arrays import Doubles


def dequantised(found: Packed, inputs: int, bits: int) -> Doubles:
    """Return the matrix `(K, N)` that packed numbers stand for."""

    def apart(values: npt.NDArray[np.uint8]) -> Doubles:
        halves = np.stack((values & 15, values >> 4), axis=-1).reshape(*values.shape[:-1], -1)
        return (values if bits == 8 else halves).astype(np.float64)

    zeros = np.full(found.scales.shape, 2.0 ** (bits - 1))
    if found.zero_points is not None:
        zeros = apart(found.zero_points)[:, : found.scales.shape[1]]
    numbers: Doubles = (apart(found.blocks) - zeros[..., None]) * found.scales[..., None]
    dense: Doubles = numbers.reshape(len(numbers), -1)[:, :inputs].T
    return dense
