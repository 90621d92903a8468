"""Half-precision graph -> float32 graph that rounds where the types of the first say so. For CPUs, to judge GPU graphs.

    x half ─► MatMul(W half) ─► y half   becomes   x ─► Cast ─► MatMul(Cast(W)) ─► Cast to half ─► y half

ONNX Runtime's CPU provider has next to no kernels for half precision. It computes such nodes in float32 and leaves out
the roundings between them, so that a graph looks better there than it is; a Cast that stands in the graph is kept.
"""

from typing import Final

import onnx_ir as ir
from onnx_ir.passes.common import TopologicalSortPass

from .operators_schema import infer_types

HALVES: Final = frozenset({ir.DataType.FLOAT16, ir.DataType.BFLOAT16})

# These have kernels for every type, and change no number that is not rounded by them anyway.
_NATIVE: Final = frozenset({"Cast", "TensorScatter", "Constant", "ConstantOfShape", "Identity", "Reshape", "Shape"})


class RoundedFloatPass(ir.passes.InPlacePass):
    """Compute every node in float32 and round what it gives to the half type that it had.

    Inputs and outputs of the graph keep their types. What an operator does inside, as between the two products of
    Attention, stays float32: devices differ there.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Rewrite all nodes; raise `BundleError` when a type of the graph cannot be told."""
        infer_types(model)
        graph, floats = model.graph, dict[ir.Value, ir.Value]()
        for node in list(graph):
            if node.op_type in _NATIVE:
                continue
            for index, value in enumerate(node.inputs):
                if value is not None and value.dtype in HALVES:
                    if value not in floats:
                        floats[value] = _cast(graph, value, ir.DataType.FLOAT)
                    node.replace_input_with(index, floats[value])
            node.attributes.pop("accuracy_level", None)  # lets CPUs multiply in int8; GPUs take no notice
            for value in node.outputs:
                if value.dtype in HALVES:
                    _round(graph, value)
        TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=True)


def _round(graph: ir.Graph, value: ir.Value) -> None:
    """Make an output float32, and give all that read it the rounded number."""
    half, name = value.dtype, value.name
    assert half is not None
    value.type, value.name = ir.TensorType(ir.DataType.FLOAT), None
    uses = tuple(value.uses())
    rounded = _cast(graph, value, half)
    rounded.name = name
    for node, index in uses:
        node.replace_input_with(index, rounded)
    for index, output in enumerate(graph.outputs):
        if output is value:
            graph.outputs[index] = rounded


def _cast(graph: ir.Graph, value: ir.Value, to: ir.DataType) -> ir.Value:
    node = ir.node("Cast", [value], attributes={"to": to})
    (made,) = node.outputs
    made.type, made.shape = ir.TensorType(to), value.shape
    graph.append(node)
    return made
