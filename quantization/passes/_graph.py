"""What several passes need of a graph: its linear layers, and constants read and added. Rewrites nothing."""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Array

_WITH_WEIGHTS: Final = ("MatMul", "Gemm", "Conv")
_CACHES: Final = ("past_keys.", "past_values.", "present_keys.", "present_values.")


@dataclass(frozen=True, slots=True)
class LinearLayer:
    """A MatMul, Gemm or Conv with constant weights, and the axis of the weights that counts output channels."""

    node: ir.Node
    x: ir.Value
    weight: ir.TensorProtocol
    axis: int

    @property
    def name(self) -> str:
        """The node's name."""
        return str(self.node.name)


def linear_layers(graph: ir.Graph) -> list[LinearLayer]:
    """Return the MatMul, Gemm and Conv nodes of a graph whose second input is a constant."""
    found = []
    for node in graph:
        x, right = (*node.inputs, None, None)[:2]
        if node.op_type not in _WITH_WEIGHTS or x is None or right is None:
            continue
        weight = ir.convenience.get_const_tensor(right)
        if weight is None or len(weight.shape) < 2 or (node.op_type == "MatMul" and len(weight.shape) != 2):
            continue
        transposed = node.op_type == "Gemm" and "transB" in node.attributes and node.attributes["transB"].as_int()
        found.append(LinearLayer(node, x, weight, 0 if node.op_type == "Conv" or transposed else 1))
    return found


def matmuls(graph: ir.Graph) -> list[ir.Node]:
    """Return the MatMuls of a graph whose right side is a constant matrix; those of two activations are left out."""
    return [node for node in graph if node.op_type == "MatMul" and matrix_of(node) is not None]


def matrix_of(node: ir.Node) -> ir.TensorProtocol | None:
    """Return the constant matrix that a MatMul multiplies by."""
    value = node.inputs[1]
    tensor = value.const_value if value is not None else None
    return tensor if tensor is not None and len(tensor.shape) == 2 else None


def is_cache(name: str | None) -> bool:
    """Whether an input or output of a backbone is a layer's keys or values."""
    return str(name).startswith(_CACHES)


def read_constant(tensor: ir.TensorProtocol) -> Array:
    """Return a copy of a tensor. A file is read, not mapped: pages of a map would stay resident once read."""
    if not isinstance(tensor, ir.ExternalTensor) or tensor.dtype.bitwidth < 8:
        return np.array(tensor.numpy())
    stored = np.fromfile(tensor.path, np.uint8, count=tensor.nbytes, offset=tensor.offset or 0)
    return stored.view(tensor.dtype.numpy()).reshape(tensor.shape.numpy())


def constant(graph: ir.Graph, name: str, array: Array, dtype: ir.DataType | None = None) -> ir.Value:
    """Return the initializer of this name, added if the graph does not have it."""
    return registered(graph, ir.Tensor(array, name=name, dtype=dtype))


def lazy_constant(
    graph: ir.Graph, name: str, dtype: ir.DataType, shape: Collection[int], read: Callable[[], Array]
) -> ir.Value:
    """Return the initializer of this name, added if the graph does not have it; read when the graph is written."""
    return registered(graph, lazy_tensor(name, dtype, shape, read))


def lazy_tensor(name: str, dtype: ir.DataType, shape: Collection[int], read: Callable[[], Array]) -> ir.LazyTensor:
    """Return a tensor whose numbers are computed when the graph is written: all of them at once may not fit."""
    return ir.LazyTensor(
        lambda: ir.Tensor(read(), name=name, dtype=dtype), dtype=dtype, shape=ir.Shape(shape), name=name
    )


def registered(graph: ir.Graph, tensor: ir.TensorProtocol) -> ir.Value:
    """Return the initializer with a tensor's name, added if the graph does not have it."""
    name = str(tensor.name)
    if name not in graph.initializers:
        shape, kind = ir.Shape(tensor.shape.numpy()), ir.TensorType(tensor.dtype)
        graph.register_initializer(ir.Value(name=name, type=kind, shape=shape, const_value=tensor))
    return graph.initializers[name]


def cast(graph: ir.Graph, value: ir.Value, to: ir.DataType) -> ir.Value:
    """Return a value in another type."""
    node = ir.node("Cast", [value], attributes={"to": to})
    (made,) = node.outputs
    made.type, made.shape = ir.TensorType(to), value.shape
    graph.append(node)
    return made
