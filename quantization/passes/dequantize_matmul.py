"""MatMulNBits, which only ONNX Runtime has, -> DequantizeLinear and MatMul, which TensorRT has too.

    x ─► MatMulNBits(B [N,K/block,bytes] uint8, scales [N,K/block]) ─► y

becomes

    W [K,N] int4 or int8, scales [K/block,N] ─► DequantizeLinear(axis 0, block_size) ─┐
    x ────────────────────────────────────────────────────────────────────────────────┴► MatMul ─► y

The form is the same for every method, so one quantiser serves every target. TensorRT quantises
symmetrically: a matrix with zero points of its own is refused. Its int8 scales are positive, so a block with a negative
one changes sign, and a 128 that would arise becomes 127.
"""

from collections.abc import Callable
from typing import Final, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from edgevlo.runtime.arrays import Array
from edgevlo.runtime.errors import BundleError

from ._graph import lazy_constant

OPSET: Final = 21  # the first with int4 and with blocks
_CHANGED: Final = frozenset({"GroupNormalization"})  # means something else from that opset on

Read: TypeAlias = Callable[[], Array]

_TYPES: Final = {4: ir.DataType.INT4, 8: ir.DataType.INT8}
_NUMPY: Final[dict[int, npt.DTypeLike]] = {4: ml_dtypes.int4, 8: np.int8}
# Below this a scale is 0 in float16, which TensorRT refuses, and so are the weights of its block.
_LEAST_SCALE: Final = 2.0**-24

_BIAS: Final = 5  # where MatMulNBits has its inputs
_ZERO_POINTS: Final = 3


class DequantizeMatMulPass(ir.passes.InPlacePass):
    """Rewrite every MatMulNBits; raise `BundleError` for weights that TensorRT does not support."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above to every MatMulNBits of the graph."""
        graph = model.graph
        found = [node for node in graph if node.op_type == "MatMulNBits"]
        if not found:
            return ir.passes.PassResult(model, modified=False)
        raise_opset(model, OPSET)
        for node in found:
            _replace(graph, node)
        RemoveUnusedNodesPass()(model)
        return ir.passes.PassResult(model, modified=True)


def raise_opset(model: ir.Model, version: int) -> None:
    """State a newer opset, which changes nothing for the operators in the graph; raise `BundleError` if it would."""
    graph = model.graph
    if graph.opset_imports[""] >= version:
        return
    changed = sorted({node.op_type for node in graph} & _CHANGED)
    if changed:
        raise BundleError(f"{', '.join(changed)} means something else in opset {version}; export the checkpoint again.")
    graph.opset_imports[""] = version


def _replace(graph: ir.Graph, node: ir.Node) -> None:
    rows, columns, bits, block = (node.attributes[name].as_int() for name in ("K", "N", "bits", "block_size"))
    name = node.name or str(node.outputs[0].name)
    if bits not in _TYPES:
        raise BundleError(f"{name} has weights of {bits} bits, which TensorRT does not support; use int4 or int8.")
    packed, scales = _constant(node, 1), _constant(node, 2)
    if len(node.inputs) > _ZERO_POINTS and node.inputs[_ZERO_POINTS] is not None:
        raise BundleError(f"{name} has zero points, and TensorRT quantises symmetrically; use a symmetric method.")
    read, read_scales = _matrix(packed, scales, rows, bits), _block_scales(scales, bits)
    if rows % block:
        weight = _dense(graph, f"{name}.weight", read, read_scales, block, (rows, columns))
        made = [ir.node("MatMul", [node.inputs[0], weight], name=name)]
    else:
        quantised = lazy_constant(graph, f"{name}.int{bits}", _TYPES[bits], (rows, columns), read)
        scale = lazy_constant(graph, f"{name}.scales", ir.DataType.FLOAT, (rows // block, columns), read_scales)
        weights = ir.node("DequantizeLinear", [quantised, scale], attributes={"axis": 0, "block_size": block})
        made = [weights, ir.node("MatMul", [node.inputs[0], weights.outputs[0]], name=name)]
    if len(node.inputs) > _BIAS and node.inputs[_BIAS] is not None:
        made.append(ir.node("Add", [made[-1].outputs[0], node.inputs[_BIAS]]))
    ir.convenience.replace_nodes_and_values(graph, node, [node], made, node.outputs, made[-1].outputs)


def _constant(node: ir.Node, index: int) -> ir.TensorProtocol:
    value = node.inputs[index]
    tensor = value.const_value if value is not None else None
    if tensor is None:
        raise BundleError(f"{node.name} has quantised weights that are not constants; quantize again.")
    return tensor


def _matrix(packed: ir.TensorProtocol, scales: ir.TensorProtocol, rows: int, bits: int) -> Read:
    def read() -> Array:
        blocks = packed.numpy()  # (N, K/block, bytes); the low half of a byte comes first
        if bits == 4:
            blocks = np.stack((blocks & 15, blocks >> 4), axis=-1)
        numbers = blocks.reshape(*blocks.shape[:2], -1).astype(np.int16) - (1 << bits - 1)
        by_block = scales.numpy().reshape(*blocks.shape[:2], 1)
        numbers = np.where(np.abs(by_block) < _LEAST_SCALE, 0, numbers)
        if bits == 8:
            numbers = np.minimum(np.where(by_block < 0, -numbers, numbers), 127)
        return np.ascontiguousarray(numbers.reshape(len(blocks), -1)[:, :rows].T).astype(_NUMPY[bits])

    return read


def _block_scales(scales: ir.TensorProtocol, bits: int) -> Read:
    def read() -> Array:
        by_block = scales.numpy().astype(np.float32).reshape(int(scales.shape.numpy()[0]), -1)
        by_block = np.where(np.abs(by_block) < _LEAST_SCALE, np.float32(1), by_block)
        return np.ascontiguousarray((np.abs(by_block) if bits == 8 else by_block).T)

    return read


def _dense(
    graph: ir.Graph,
    name: str,
    read: Read,
    scales: Read,
    block: int,
    shape: tuple[int, int],
) -> ir.Value:
    """Return the dequantised matrix itself: TensorRT takes no partial block at the end."""

    def dequantised() -> Array:
        dense: Array = read().astype(np.float32) * np.repeat(scales(), block, axis=0)[: shape[0]]
        return dense

    return lazy_constant(graph, name, ir.DataType.FLOAT, shape, dequantised)
