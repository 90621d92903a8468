"""What the constants of a graph hold, read without keeping the weights' file in memory."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx_ir as ir


def read_constant(tensor: ir.TensorProtocol) -> npt.NDArray[Any]:
    """Return a copy of a tensor; what was mapped of a file to read it is given back, or all of it stays resident."""
    array = np.array(tensor.numpy())
    if isinstance(tensor, ir.ExternalTensor):
        tensor.release()
    return array
