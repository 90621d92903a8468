"""Weights stored in half precision and computed with in single: half the bytes on disk.

    W float32 ─► Conv    becomes    W float16 ─► Cast(float32) ─► Conv

ONNX Runtime folds the Cast when it opens the graph, so a step costs what it did.
"""

from collections.abc import Collection
from typing import Final, TypeAlias

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.errors import BundleError

from ..recipes import Half
from ._constants import read_constant

Reader: TypeAlias = tuple[ir.Node, int]  # and which of its inputs

_TYPES: Final = {"fp16": ir.DataType.FLOAT16, "bf16": ir.DataType.BFLOAT16}
_POSITIONS: Final = ("RotaryEmbedding", "GroupQueryAttention")  # whose tables of angles are no weights
SMALLEST: Final = 1024  # numbers; a Cast for fewer is not worth a node


class HalfStoragePass(ir.passes.InPlacePass):
    """Store float32 initializers in half precision: all that fit its range, or only those that lose nothing by it.

    Those that the products in `only` multiply by, or all but those that the products in `other` do.
    """

    def __init__(
        self, half: Half, *, only: Collection[str] | None = None, other: Collection[str] = frozenset()
    ) -> None:
        super().__init__()
        self.half, self.only, self.other = half, only, other

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every large initializer that is no output.

        Raises `BundleError` naming a tensor with NaN or infinity, and one that does not fit unless only what loses
        nothing is stored.
        """
        found = [value for value in model.graph.initializers.values() if self._readers(value) and self._fits(value)]
        for value in found:
            _store(model.graph, value, _TYPES[self.half.precision], self._readers(value))
        return ir.passes.PassResult(model, modified=bool(found))

    def _readers(self, value: ir.Value) -> list[Reader]:
        """Return who is to read the half numbers."""
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
        if not np.isfinite(numbers).all():
            raise BundleError(f"{value.name} holds NaN or infinity; export the checkpoint again from sound weights.")
        with np.errstate(over="ignore"):
            half = numbers.astype(_TYPES[self.half.precision].numpy())
        if self.half.lossless:
            return np.array_equal(half, numbers)
        if not np.isfinite(half).all():
            raise BundleError(f"{value.name}: a number does not fit {self.half.precision}; keep its module in fp32.")
        return True


def _store(graph: ir.Graph, value: ir.Value, kind: ir.DataType, readers: Collection[Reader]) -> None:
    assert value.name is not None
    assert value.const_value is not None
    exact, name = value.const_value, f"{value.name}.half"
    tensor = ir.LazyTensor(  # read again when the graph is written: all of them at once may not fit
        lambda: ir.Tensor(read_constant(exact).astype(kind.numpy()), name=name),
        dtype=kind,
        shape=ir.Shape(exact.shape.numpy()),
        name=name,
    )
    half = ir.Value(name=name, type=ir.TensorType(kind), shape=value.shape, const_value=tensor)
    cast = ir.node("Cast", [half], attributes={"to": ir.DataType.FLOAT}, name=f"{value.name}.cast")
    cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
    for node, index in readers:
        node.replace_input_with(index, cast.outputs[0])
    if not value.uses():
        del graph.initializers[value.name]
    graph.register_initializer(half)
    graph.insert_before(graph[0], cast)
