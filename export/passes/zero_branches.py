"""Residual branches that are zero whatever they are given vanish.

x ─┬─► ... ─► Conv(W = 0, bias = 0) ─► Reshape ─► Add ─► y        becomes        x ─► y
   └──────────────────────────────────────────────┘
"""

from collections.abc import Callable
from typing import Final

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

# Operators that only move their first input's elements about.
MOVERS: Final = frozenset({"Reshape", "Transpose", "Squeeze", "Unsqueeze", "Identity", "Resize", "Slice", "Flatten"})


class ZeroBranchesPass(ir.passes.InPlacePass):
    """Find values that are always zero, then remove additions of them.

    1. A constant of zeros is zero.
    2. A Conv, MatMul or Gemm with zero weights is zero if its bias is absent or zero; so is a Mul with a zero.
    3. A zero that is reshaped, transposed or resized is zero; so is the sum of two zeros.
    4. `Add(x, zero)` is x where both have the same shape; a broadcast x would change its shape and is left alone.

    Exact for finite activations (0 * inf is not 0).
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rules in the order of the graph."""
        zeros: set[ir.Value] = {value for value in model.graph.initializers.values() if _is_constant_zero(value)}

        def is_zero(value: ir.Value | None) -> bool:
            return value is not None and (value in zeros or _is_constant_zero(value))

        modified = False
        for node in model.graph:
            if _gives_zero(node, is_zero):
                zeros.update(node.outputs)
            elif (kept := _summand(node, is_zero)) is not None:
                ir.convenience.replace_all_uses_with(node.outputs[0], kept)
                modified = True
        if modified:
            RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified)


def _gives_zero(node: ir.Node, is_zero: Callable[[ir.Value | None], bool]) -> bool:
    """Return whether rule 2 or 3 holds."""
    inputs = node.inputs
    if node.op_type in MOVERS:
        return is_zero(inputs[0])
    if node.op_type in {"Mul", "MatMul"}:
        return is_zero(inputs[0]) or is_zero(inputs[1])
    if node.op_type == "Add":
        return is_zero(inputs[0]) and is_zero(inputs[1])
    if node.op_type in {"Conv", "Gemm"}:
        unbiased = len(inputs) < 3 or inputs[2] is None or is_zero(inputs[2])
        return unbiased and (is_zero(inputs[0]) or is_zero(inputs[1]))
    return False


def _summand(node: ir.Node, is_zero: Callable[[ir.Value | None], bool]) -> ir.Value | None:
    """Return what rule 4 leaves of an addition."""
    if node.op_type != "Add" or node.outputs[0].is_graph_output():
        return None  # an output keeps its name and its node
    first, second = node.inputs
    if first is None or second is None or is_zero(first) == is_zero(second):
        return None
    kept = first if is_zero(second) else second
    same_shape = kept.shape is not None and kept.shape == node.outputs[0].shape
    return kept if same_shape else None


def _is_constant_zero(value: ir.Value) -> bool:
    tensor = value.const_value
    return tensor is not None and tensor.dtype.is_floating_point() and not tensor.numpy().any()
