"""Weights in fp8, dequantised in front of a matmul that stays in float.

x ───────────────────────────────────────────────┐
W fp8 ─► DequantizeLinear(a scale a channel) ────┴► MatMul ─► y
"""

from collections.abc import Collection

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from ..passes._graph import linear_layers
from ..passes.qdq import DequantizedWeights


class Float8WeightsPass(ir.passes.InPlacePass):
    """Store the weights of the linear layers that `only` names in fp8."""

    def __init__(self, only: Collection[str]) -> None:
        super().__init__()
        self.only, self._weights = frozenset(only), DequantizedWeights("fp8")

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above."""
        taken = [layer for layer in linear_layers(model.graph) if layer.node.name in self.only]
        for layer in taken:
            layer.node.replace_input_with(1, self._weights.of(model.graph, layer))
        if taken:
            RemoveUnusedNodesPass()(model)
            TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=bool(taken))
