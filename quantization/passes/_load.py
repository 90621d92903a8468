"""Graphs of files whose weights other names lead to as well. Knows no operators."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Array


def load_model(path: Path) -> ir.Model:
    """Load a graph; weights in a file with several hard links are read too, which onnx_ir refuses to.

    `edgevlo pull` installs such files: they are the hub's cache's, under a second name. Nothing is lost by reading
    them, because a bundle's files were hashed before.
    """
    model = ir.load(path)
    for value in model.graph.initializers.values():
        tensor = value.const_value
        if isinstance(tensor, ir.ExternalTensor) and Path(tensor.path).stat().st_nlink > 1:
            value.const_value = ir.LazyTensor(
                _reader(tensor), dtype=tensor.dtype, shape=tensor.shape, name=tensor.name, cache=False
            )
    return model


def _reader(tensor: ir.ExternalTensor) -> Callable[[], ir.TensorProtocol]:
    def read() -> ir.TensorProtocol:
        stored = np.fromfile(tensor.path, np.uint8, count=tensor.nbytes, offset=tensor.offset or 0)
        if tensor.dtype.bitwidth < 8:
            return ir.PackedTensor(stored, tensor.dtype, shape=tensor.shape, name=tensor.name)
        numbers: Array = stored.view(tensor.dtype.numpy()).reshape(tensor.shape.numpy())
        return ir.Tensor(numbers, dtype=tensor.dtype, name=tensor.name)

    return read
