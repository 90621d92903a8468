"""What the constants of a graph hold, read without keeping the weights' file in memory."""

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Array


def read_constant(tensor: ir.TensorProtocol) -> Array:
    """Return a copy of a tensor. One of a file is not mapped: what was once read of it would stay resident."""
    if not isinstance(tensor, ir.ExternalTensor) or tensor.dtype.bitwidth < 8:
        return np.array(tensor.numpy())
    stored = np.fromfile(tensor.path, np.uint8, count=tensor.nbytes, offset=tensor.offset or 0)
    return stored.view(tensor.dtype.numpy()).reshape(tensor.shape.numpy())
