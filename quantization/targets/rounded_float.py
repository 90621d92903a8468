"""Graph for a GPU -> float32 graph that rounds where the types of the first say so. For CPUs, to judge GPU graphs.

    x half ─► MatMul(W half) ─► y half   becomes   x ─► Cast ─► MatMul(W in float32) ─► Cast to half ─► y half

ONNX Runtime's CPU provider has next to no kernels for half precision. It computes such nodes in float32 and leaves out
the roundings between them, so that a graph looks better there than it is; a Cast that stands in the graph is kept.
"""

from collections.abc import Callable
from typing import Final

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from edgevlo.runtime.arrays import Array

from ..operator_schemas import infer_types
from ..passes._graph import cast, is_cache, lazy_constant, read_constant

HALVES: Final = frozenset({ir.DataType.FLOAT16, ir.DataType.BFLOAT16})

# These have kernels for every type, and round nothing.
_NATIVE: Final = frozenset({"Cast", "Constant", "ConstantOfShape", "Identity", "Reshape", "Shape"})


class RoundedFloatPass(ir.passes.InPlacePass):
    """Compute every node in float32 and round its outputs to the half type that they had.

    Constants are stored in float32, those of quantised weights dequantised: ONNX Runtime would dequantise them at every
    step, or with kernels that saturate. A half-precision KV cache becomes float32, too, as all that enters it is
    rounded. Other inputs and outputs keep their types. What an operator does inside, as between the two matmuls of
    Attention, stays float32: devices differ there.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrite all nodes; raise `BundleError` when a type of the graph cannot be inferred."""
        infer_types(model)
        graph, floats = model.graph, dict[ir.Value, ir.Value]()
        for value in (*graph.inputs, *graph.outputs):
            if is_cache(value.name) and value.dtype in HALVES:
                value.type = ir.TensorType(ir.DataType.FLOAT)
        for node in list(graph):
            if _is_weights(node):
                _replace(graph, node)
            elif node.op_type not in _NATIVE:
                _compute_in_float(graph, node, floats)
        TopologicalSortPass()(model)
        RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=True)


def _compute_in_float(graph: ir.Graph, node: ir.Node, floats: dict[ir.Value, ir.Value]) -> None:
    for index, value in enumerate(node.inputs):
        if value is not None and value.dtype in HALVES:
            if value not in floats:
                floats[value] = _in_float(graph, value)
            node.replace_input_with(index, floats[value])
    node.attributes.pop("accuracy_level", None)  # lets CPUs multiply in int8; GPUs ignore it
    for value in node.outputs:
        if value.dtype in HALVES:
            _round(graph, value)


def _in_float(graph: ir.Graph, value: ir.Value) -> ir.Value:
    tensor = value.const_value
    if tensor is None or value.producer() is not None:
        return cast(graph, value, ir.DataType.FLOAT)
    shape = tensor.shape.numpy()
    return lazy_constant(
        graph, f"{value.name}.float", ir.DataType.FLOAT, shape, lambda: read_constant(tensor).astype(np.float32)
    )


def _round(graph: ir.Graph, value: ir.Value) -> None:
    """Make an output float32, and round it to its half type for all its readers."""
    half, name = value.dtype, value.name
    assert half is not None
    value.type, value.name = ir.TensorType(ir.DataType.FLOAT), None
    uses = tuple(value.uses())
    rounded = cast(graph, value, half)
    rounded.name = name
    for node, index in uses:
        node.replace_input_with(index, rounded)
    for index, output in enumerate(graph.outputs):
        if output is value:
            graph.outputs[index] = rounded


def _is_weights(node: ir.Node) -> bool:
    """Whether a node dequantises constants."""
    if node.op_type != "DequantizeLinear":
        return False
    return all(value is None or (value.producer() is None and value.const_value is not None) for value in node.inputs)


def _replace(graph: ir.Graph, node: ir.Node) -> None:
    """Put dequantised numbers, rounded to the half type of the node, in the place of a DequantizeLinear."""
    output, shape = node.outputs[0], node.inputs[0].shape if node.inputs[0] is not None else None
    assert output.dtype is not None
    assert shape is not None
    name, kind = f"{node.name or output.name}.float", output.dtype
    made = lazy_constant(graph, name, kind, shape.numpy(), _dequantising(node, kind))
    ir.convenience.replace_all_uses_with(output, made)


def _dequantising(node: ir.Node, kind: ir.DataType) -> Callable[[], Array]:
    quantised, scales = (value.const_value for value in node.inputs[:2] if value is not None)
    assert quantised is not None
    assert scales is not None
    axis = node.attributes["axis"].as_int() if "axis" in node.attributes else 1
    block = node.attributes["block_size"].as_int() if "block_size" in node.attributes else 0

    def read() -> Array:
        numbers, scale = (read_constant(one).astype(np.float32) for one in (quantised, scales))
        if block:
            scale = np.repeat(scale, block, axis=axis)
        elif scale.ndim:
            scale = scale.reshape([-1 if index == axis % numbers.ndim else 1 for index in range(numbers.ndim)])
        dequantised: Array = (numbers * scale).astype(kind.numpy())
        return dequantised

    return read
