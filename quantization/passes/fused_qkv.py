"""The matmuls of queries, keys and values, which read the same input, become one on a CPU.

    x ─┬► MatMulNBits(Wq) ─► q ─┐
       ├► MatMulNBits(Wk) ─► k ─┼► GroupQueryAttention ─► y
       └► MatMulNBits(Wv) ─► v ─┘

becomes

    x ─► MatMulNBits([Wq Wk Wv]) ─► qkv ─► GroupQueryAttention ─► y

GroupQueryAttention splits its first input itself where it has no second and third. A step hands out its work once
instead of three times. Layers that are quantised in different ways, have biases or normalise their heads stay apart.
"""

import functools
from collections.abc import Sequence
from typing import Final, TypeAlias

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgevlo.runtime.arrays import Array

from ._graph import lazy_constant

_OUTPUTS: Final = "N"  # the attribute of MatMulNBits that counts output channels, the first axis of all its constants
_PROJECTIONS: Final = 3

Tensors: TypeAlias = tuple[tuple[ir.TensorProtocol, ...], ...]  # the constants of each layer


class FusedQkvPass(ir.passes.InPlacePass):
    """Fuse the three matmuls in front of every GroupQueryAttention where they are alike."""

    def __init__(self) -> None:
        super().__init__()
        # Weights are rounded when they are read, and written one constant after another: those of one layer are kept.
        self._join = functools.lru_cache(maxsize=1)(_joined)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above."""
        modified = False
        for node in [node for node in model.graph if node.op_type == "GroupQueryAttention"]:
            layers = [value.producer() for value in node.inputs[:_PROJECTIONS] if value is not None]
            alike = [layer for layer in layers if layer is not None and layer.op_type == "MatMulNBits"]
            if len(alike) == _PROJECTIONS and len({*map(_kind, alike)}) == 1:
                self._fuse(model.graph, node, alike)
                modified = True
        if modified:
            RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=modified)

    def _fuse(self, graph: ir.Graph, attention: ir.Node, layers: Sequence[ir.Node]) -> None:
        name = f"{str(layers[0].name).rpartition('.')[0]}.qkv_proj"
        tensors = tuple(tuple(map(_tensor, layer.inputs[1:])) for layer in layers)
        constants = [
            lazy_constant(
                graph,
                f"{name}.{place}",
                parts[0].dtype,
                (sum(int(part.shape.numpy()[0]) for part in parts), *parts[0].shape.numpy()[1:]),
                functools.partial(self._part, tensors, place),
            )
            for place, parts in enumerate(zip(*tensors, strict=True))
        ]
        attributes = {one.name: one.value for one in layers[0].attributes.values()}
        attributes[_OUTPUTS] = sum(layer.attributes[_OUTPUTS].as_int() for layer in layers)
        fused = ir.node(
            "MatMulNBits", [layers[0].inputs[0], *constants], attributes=attributes, domain=layers[0].domain, name=name
        )
        graph.insert_before(attention, [fused])
        for place, value in enumerate((fused.outputs[0], None, None)):
            attention.replace_input_with(place, value)

    def _part(self, tensors: Tensors, place: int) -> Array:
        return self._join(tensors)[place]


def _kind(layer: ir.Node) -> tuple[object, ...]:
    """Return all that must be the same for matmuls to be fused."""
    attributes = sorted((name, one.value) for name, one in layer.attributes.items() if name != _OUTPUTS)
    return layer.inputs[0], len(layer.inputs), len(layer.outputs[0].uses()), *attributes


def _tensor(value: ir.Value | None) -> ir.TensorProtocol:
    tensor = value.const_value if value is not None else None
    assert tensor is not None  # beside its input MatMulNBits reads constants alone
    return tensor


def _joined(tensors: Tensors) -> list[Array]:
    read = [[tensor.numpy() for tensor in layer] for layer in tensors]
    return [np.concatenate(arrays) for arrays in zip(*read, strict=True)]
