"""ONNX graphs under construction: one call per operator, weights read when they are written. Knows no model."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

from edgevlo.runtime.arrays import Array
from edgevlo.runtime.manifest.graphs import DType, Tensor

IR_VERSION: Final = 11  # the oldest that may hold opset 24

# Weights start on pages, so that runtimes can map them; smaller tensors are packed.
_PAGE: Final = 4096

Dimension = int | str
Read = Callable[[], Array]


class Network:
    """One graph: inputs, operators and outputs, in the order of the calls."""

    def __init__(self, name: str, opset: int) -> None:
        self.graph = ir.Graph([], [], nodes=[], opset_imports={"": opset}, name=name)
        self._constants: dict[tuple[str, tuple[int, ...], bytes], ir.Value] = {}

    def input(self, name: str, dtype: ir.DataType, shape: Sequence[Dimension]) -> ir.Value:
        """Declare an input; a dimension is a number or the name of one."""
        value = ir.Value(name=name, type=ir.TensorType(dtype), shape=ir.Shape(shape))
        self.graph.inputs.append(value)
        return value

    def output(self, value: ir.Value, name: str, dtype: ir.DataType, shape: Sequence[Dimension]) -> None:
        """Make a value an output under this name."""
        value.name, value.type, value.shape = name, ir.TensorType(dtype), ir.Shape(shape)
        self.graph.outputs.append(value)

    def op(self, kind: str, *inputs: ir.Value | None, name: str | None = None, **attributes: Any) -> ir.Value:
        """Add one operator with one output."""
        node = ir.node(kind, list(inputs), attributes=attributes or None, name=name)
        self.graph.append(node)
        return node.outputs[0]

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike) -> ir.Value:
        """Return a small constant; equal ones are the same value."""
        array = np.asarray(value, dtype=dtype)
        key = (array.dtype.str, array.shape, array.tobytes())
        if key not in self._constants:
            self._constants[key] = self._initializer(ir.tensor(array, name=f"constant_{len(self._constants)}"))
        return self._constants[key]

    def weight(self, name: str, shape: Sequence[int], read: Read) -> ir.Value:
        """Return a float32 weight that is read only when the graph is written."""
        tensor = ir.LazyTensor(
            functools.partial(_tensor, name, read), dtype=ir.DataType.FLOAT, shape=ir.Shape(shape), name=name
        )
        return self._initializer(tensor)

    def _initializer(self, tensor: ir.TensorProtocol) -> ir.Value:
        value = ir.Value(
            name=tensor.name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(tensor.shape.numpy()), const_value=tensor
        )
        self.graph.register_initializer(value)
        return value

    def model(self) -> ir.Model:
        """Return the graph as a model."""
        return ir.Model(self.graph, ir_version=IR_VERSION, producer_name="edgevlo")


def _tensor(name: str, read: Read) -> ir.Tensor[Any]:
    return ir.Tensor(read(), name=name)


def write_graph(model: ir.Model, path: Path, written: Callable[[int, int], None] | None = None) -> None:
    """Write a model and, beside it, one file of weights; `written(done, all)` is called after each tensor."""

    def tell(_tensor: ir.TensorProtocol, info: ir.external_data.CallbackInfo) -> None:
        if written is not None:
            written(info.index + 1, info.total)

    ir.save(model, path, external_data=f"{path.name}.data", callback=tell, alignment=_PAGE, align_threshold=_PAGE)


def interface(path: Path) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Return the inputs and outputs of an ONNX file as the manifest states them."""
    graph = ir.load(path).graph
    return tuple(map(_described, graph.inputs)), tuple(map(_described, graph.outputs))


_DTYPES: Final[dict[ir.DataType, DType]] = {
    ir.DataType.FLOAT: "float32",
    ir.DataType.FLOAT16: "float16",
    ir.DataType.INT64: "int64",
    ir.DataType.INT32: "int32",
}


def _described(value: ir.Value) -> Tensor:
    if value.name is None or value.dtype is None or value.shape is None:
        raise AssertionError(f"{value} is an input or output without name, type or shape")
    shape = tuple(size if isinstance(size, int) else str(size.value) for size in value.shape)
    return Tensor(name=value.name, dtype=_DTYPES[value.dtype], shape=shape)
