"""Weights stored in half precision and computed with in single: half the bytes on disk.

    W float32 ─► Conv    becomes    W float16 ─► Cast(float32) ─► Conv

ONNX Runtime folds the Cast when it opens the graph, so a step costs what it did.
"""

from collections.abc import Collection
from typing import Final, TypeAlias

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.errors import BundleError

from ..check_finite import check_finite
from ..precision_recipes import Half
from ._graph import lazy_constant, read_constant

Reader: TypeAlias = tuple[ir.Node, int]  # and which of its inputs

_TYPES: Final = {"fp16": ir.DataType.FLOAT16, "bf16": ir.DataType.BFLOAT16}
_POSITIONS: Final = ("RotaryEmbedding", "GroupQueryAttention")  # their tables of angles are not weights
SMALLEST: Final = 1024  # numbers; a Cast for fewer is not worth a node


class HalfStoragePass(ir.passes.InPlacePass):
    """Store float32 initializers in half precision: all that fit its range, or only those that lose nothing by it.

    Those that the nodes named in `only` read, or all but those that the nodes in `other` do.
    """

    def __init__(
        self, half: Half, *, only: Collection[str] | None = None, other: Collection[str] = frozenset()
    ) -> None:
        super().__init__()
        self.half, self.only, self.other = half, only, other

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every large initializer that is not an output.

        Raises `BundleError` naming a tensor with NaN or infinity, or one that overflows unless `lossless` is set.
        """
        found = [value for value in model.graph.initializers.values() if self._readers(value) and self._fits(value)]
        for value in found:
            _store(model.graph, value, _TYPES[self.half.precision], self._readers(value))
        return ir.passes.PassResult(model, modified=bool(found))

    def _readers(self, value: ir.Value) -> list[Reader]:
        """Return the inputs of nodes that are to read the half-precision tensor."""
        return [
            (use.node, use.idx)
            for use in value.uses()
            if use.node.name not in self.other
            and (self.only is None or use.node.name in self.only)
            and use.node.op_type not in _POSITIONS
        ]

    def _fits(self, value: ir.Value) -> bool:
        tensor = value.const_value
        if tensor is None or tensor.dtype != ir.DataType.FLOAT or tensor.size < SMALLEST or value.is_graph_output():
            return False
        numbers = read_constant(tensor)
        check_finite(value.name, numbers)
        with np.errstate(over="ignore"):
            half = numbers.astype(_TYPES[self.half.precision].numpy())
        if self.half.lossless:
            return np.array_equal(half, numbers)
        if not np.isfinite(half).all():
            raise BundleError(f"{value.name} overflows {self.half.precision}; keep its module in fp32.")
        return True


def _store(graph: ir.Graph, value: ir.Value, kind: ir.DataType, readers: Collection[Reader]) -> None:
    assert value.name is not None
    assert value.const_value is not None
    exact, name = value.const_value, f"{value.name}.half"
    half = lazy_constant(graph, name, kind, exact.shape.numpy(), lambda: read_constant(exact).astype(kind.numpy()))
    cast = ir.node("Cast", [half], attributes={"to": ir.DataType.FLOAT}, name=f"{value.name}.cast")
    cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
    for node, index in readers:
        node.replace_input_with(index, cast.outputs[0])
    if not value.uses():
        del graph.initializers[value.name]
    graph.insert_before(graph[0], cast)
