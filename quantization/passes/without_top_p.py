"""Image heads without top-p, for targets that cannot sort all codes.

shares ─► Where(outside, 0, shares) named `top_p` ─► ...    becomes    shares ─► ...
"""

from typing import Final

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

INPUT: Final = "top_p"


class WithoutTopPPass(ir.passes.InPlacePass):
    """Draw from all codes that top-k keeps; the graph loses its input top_p."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to the node that the exporter named for it."""
        graph = model.graph
        found = [node for node in graph if node.op_type == "Where" and node.name == INPUT]
        for node in found:
            shares = node.inputs[2]
            if shares is None:
                raise AssertionError("Where has three inputs")
            ir.convenience.replace_all_uses_with(node.outputs[0], shares)
        if found:
            RemoveUnusedNodesPass()(model)
            kept = [value for value in graph.inputs if value.name != INPUT]
            graph.inputs[:] = kept
        return ir.passes.PassResult(model, modified=bool(found))
