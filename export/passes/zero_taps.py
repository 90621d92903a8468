"""Convolutions lose border taps that are all zero, and the padding that fed them.

Conv(W [M,C,3,3], pads 1)  with zeros around its centre tap        becomes        Conv(W [M,C,1,1], pads 0)
"""

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgevlo.runtime.arrays import Floats


class ZeroTapsPass(ir.passes.InPlacePass):
    """Trim one row or column of taps at a time.

    A side is trimmed while its taps are zero, it has padding to lose and a tap would remain: the output keeps its size
    and every other tap still meets the same pixel, at any stride. Dilated or automatically padded convolutions, and
    weights that several nodes share, are left alone.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every two-dimensional Conv."""
        trimmed = [node for node in model.graph if node.op_type == "Conv" and _trim(model.graph, node)]
        if trimmed:
            RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=bool(trimmed))


def _trim(graph: ir.Graph, node: ir.Node) -> bool:
    value = node.inputs[1]
    if value is None or value.name is None or value.const_value is None or len(value.uses()) != 1:
        return False
    if len(value.const_value.shape) != 4 or any(size != 1 for size in _integers(node, "dilations", [1, 1])):
        return False
    if "auto_pad" in node.attributes and node.attributes["auto_pad"].as_string() != "NOTSET":
        return False
    weight = value.const_value.numpy()
    kept, pads = trim_taps(weight, _integers(node, "pads", [0, 0, 0, 0]))
    if kept.shape == weight.shape:
        return False
    tensor = ir.tensor(np.ascontiguousarray(kept), name=f"{value.name}.trimmed")
    new = ir.Value(name=tensor.name, type=ir.TensorType(tensor.dtype), shape=ir.Shape(kept.shape), const_value=tensor)
    graph.register_initializer(new)
    node.replace_input_with(1, new)
    node.attributes["pads"] = ir.AttrInt64s("pads", pads)
    node.attributes["kernel_shape"] = ir.AttrInt64s("kernel_shape", list(kept.shape[2:]))
    return True


def trim_taps(weight: Floats, pads: list[int]) -> tuple[Floats, list[int]]:
    """Return the weight `(M, C, rows, columns)` without its zero border, and the pads (top, left, bottom, right)."""
    pads = list(pads)
    for side, (axis, end) in enumerate([(2, 0), (3, 0), (2, -1), (3, -1)]):
        while pads[side] > 0 and weight.shape[axis] > 1 and not weight.take(end, axis=axis).any():
            weight = np.delete(weight, end, axis=axis)
            pads[side] -= 1
    return weight, pads


def _integers(node: ir.Node, name: str, default: list[int]) -> list[int]:
    return list(node.attributes[name].as_ints()) if name in node.attributes else default
