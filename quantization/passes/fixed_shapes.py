"""Rewrites that GPU targets need whatever their precision: a cache of fixed capacity, and a top-k of fixed size."""

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.interfaces import MAX_TOP_K

from ._graph import constant, is_cache


class FixedCapacityPass(ir.passes.InPlacePass):
    """State the capacity of the KV cache: TensorRT updates a cache in place only if its size is fixed.

    past_keys ─► Shape[2:3] ─► Squeeze ─► Range    becomes    capacity ─► Squeeze ─► Range
    """

    def __init__(self, capacity: int) -> None:
        super().__init__()
        self.capacity = capacity

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every past and present."""
        graph, changed = model.graph, False
        caches = [value for value in (*graph.inputs, *graph.outputs) if is_cache(value.name)]
        for value in caches:
            if value.shape is None or len(value.shape) != 4:
                raise BundleError(f"{value.name} is not a cache of shape [B,KV,C,Dh]; export the checkpoint again.")
            value.shape = ir.Shape([self.capacity if axis == 2 else size for axis, size in enumerate(value.shape)])
            changed = True
        for node in list(graph):
            if node.op_type == "Shape" and node.inputs[0] in caches and _bounds(node) == (2, 3):
                capacity = constant(graph, "capacity", np.array([self.capacity], dtype=np.int64))
                ir.convenience.replace_nodes_and_values(graph, node, [node], [], node.outputs, [capacity])
        return ir.passes.PassResult(model, modified=changed)


def _bounds(node: ir.Node) -> tuple[int, int | None]:
    end = node.attributes.get("end")
    start = node.attributes.get("start")
    return (0 if start is None else start.as_int(), None if end is None else end.as_int())


class StaticTopKPass(ir.passes.InPlacePass):
    """Find the k-th largest logit by a TopK of constant size.

        logits ─► TopK(size) ─► ReduceMin    becomes    logits ─► TopK(3840 or all, sorted) ─► Gather(size - 1)

    A size is read on the host: TensorRT would take it as a shape, and a captured CUDA graph would keep the first. Where
    there are more codes than the limit, the runtime refuses a larger top-k.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every TopK whose values only a ReduceMin reads."""
        graph, changed = model.graph, False
        for node in list(graph):
            least = _least(node)
            logits, size = (node.inputs[0], node.inputs[1]) if node.op_type == "TopK" else (None, None)
            if least is None or logits is None or size is None or size.const_value is not None:
                continue
            self._replace(graph, node, least, logits, size)
            changed = True
        if changed:
            RemoveUnusedNodesPass()(model)
            TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=changed)

    def _replace(self, graph: ir.Graph, node: ir.Node, least: ir.Node, logits: ir.Value, size: ir.Value) -> None:
        count = _count(graph)
        most = constant(graph, "top_k_most", np.array([min(count, MAX_TOP_K)], dtype=np.int64))
        one = constant(graph, "top_k_one", np.array([1], dtype=np.int64))
        sorted_ = ir.node("TopK", [logits, most], attributes={"axis": -1, "largest": 1, "sorted": 1}, num_outputs=2)
        within = ir.node("Min", [size, most])
        place = ir.node("Sub", [within.outputs[0], one])
        kth = ir.node("Gather", [sorted_.outputs[0], place.outputs[0]], attributes={"axis": 1})
        kth.outputs[0].type, kth.outputs[0].shape = least.outputs[0].type, least.outputs[0].shape
        graph.insert_after(node, [sorted_, within, place, kth])
        ir.convenience.replace_all_uses_with(least.outputs[0], kth.outputs[0])


def _least(node: ir.Node) -> ir.Node | None:
    """Return the ReduceMin that is the only use of a TopK's values."""
    users = node.outputs[0].consumers() if node.op_type == "TopK" else ()
    return users[0] if len(users) == 1 and users[0].op_type == "ReduceMin" else None


def _count(graph: ir.Graph) -> int:
    """Return how many codes there are."""
    logits = next(value for value in graph.outputs if value.name == "logits")
    size = logits.shape[1] if logits.shape is not None else None
    if not isinstance(size, int):
        raise BundleError("the logits of the image head have no fixed size; export the checkpoint again.")
    return size
