"""Weights stored in half precision and computed with in single: half the bytes on disk.

    W float32 ─► Conv    becomes    W float16 ─► Cast(float32) ─► Conv

ONNX Runtime folds the Cast when it opens the graph, so a step costs what it did.
"""

from typing import Final

import numpy as np
import onnx_ir as ir

SMALLEST: Final = 1024  # numbers; a Cast for fewer is not worth a node


class HalfStoragePass(ir.passes.InPlacePass):
    """Store float32 initializers as float16: all that fit its range, or only those that lose nothing by it."""

    def __init__(self, *, lossless: bool) -> None:
        super().__init__()
        self.lossless = lossless

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every large initializer that is no output."""
        found = [value for value in model.graph.initializers.values() if self._fits(value)]
        for value in found:
            _store(model.graph, value)
        return ir.passes.PassResult(model, modified=bool(found))

    def _fits(self, value: ir.Value) -> bool:
        tensor = value.const_value
        if tensor is None or tensor.dtype != ir.DataType.FLOAT or tensor.size < SMALLEST or value.is_graph_output():
            return False
        numbers = tensor.numpy()
        with np.errstate(over="ignore"):
            half = numbers.astype(np.float16)
        return bool(np.array_equal(half, numbers) if self.lossless else np.isfinite(half).all())


def _store(graph: ir.Graph, value: ir.Value) -> None:
    assert value.name is not None
    assert value.const_value is not None
    tensor = ir.tensor(value.const_value.numpy().astype(np.float16), name=f"{value.name}.half")
    half = ir.Value(name=tensor.name, type=ir.TensorType(tensor.dtype), shape=value.shape, const_value=tensor)
    cast = ir.node("Cast", [half], attributes={"to": ir.DataType.FLOAT}, name=f"{value.name}.cast")
    cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
    ir.convenience.replace_all_uses_with(value, cast.outputs[0])
    del graph.initializers[value.name]
    graph.register_initializer(half)
    graph.insert_before(graph[0], cast)
