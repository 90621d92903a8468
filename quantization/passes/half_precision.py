"""float32 graph -> float16 or bfloat16, for GPUs. What must not be rounded stays float32, with a Cast on either side.

    x (float32) ─► Cast ─► MatMul(W half) ─► Cast ─► RMSNormalization (float32) ─► Cast ─► ... ─► Cast ─► y (float32)

TensorRT takes every type from the graph, so this pass decides the precision of the engine. Inputs and outputs keep
their type, so that the interface of docs/bundle.md stays; `caches` are the exception, as their type is the manifest's
`cache_dtype`. A tensor is rounded when the graph is written; a finite number that becomes infinite is an error.
"""

from collections.abc import Callable, Collection
from typing import Final, Literal, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from edgevlo.runtime.arrays import Array
from edgevlo.runtime.errors import BundleError

from ..check_finite import check_finite
from ..operator_schemas import Schema, infer_types, schema_of
from ._graph import cast, is_cache, lazy_constant, read_constant

Half: TypeAlias = Literal["fp16", "bf16"]

TYPES: Final[dict[Half, ir.DataType]] = {"fp16": ir.DataType.FLOAT16, "bf16": ir.DataType.BFLOAT16}
_NUMPY: Final[dict[Half, npt.DTypeLike]] = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16}
_NAMES: Final[dict[Half, str]] = {"fp16": "tensor(float16)", "bf16": "tensor(bfloat16)"}
FLOAT: Final = ir.DataType.FLOAT
_LEAST_SCALE: Final = 2.0**-24  # the smallest float16

# Sums over many squares or exponentials: in half precision they overflow or lose what they are for.
NORMS: Final = frozenset({"RMSNormalization", "LayerNormalization", "InstanceNormalization", "Softmax"})
# The output type of these comes from an attribute, not from an input; a Cast behind them does the same.
_SOURCES: Final = frozenset({"Constant", "ConstantOfShape", "Range", "RandomNormal", "RandomUniform"})


class HalfPrecisionPass(ir.passes.InPlacePass):
    """Compute in `half` wherever an operator can, but for the operators that `keep` names.

    With `only_matmuls`, nothing but operators with constant weights is in half precision: drawing a code stays exact.
    """

    def __init__(
        self, half: Half, *, keep: Collection[str] = NORMS, only_matmuls: bool = False, caches: bool = False
    ) -> None:
        super().__init__()
        self.half, self.keep, self.only_matmuls, self.caches = half, frozenset(keep), only_matmuls, caches

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every node; raise `BundleError` when a type of the graph cannot be inferred."""
        infer_types(model)
        _Rewrite(model, self).run()
        RemoveUnusedNodesPass()(model)
        TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=True)

    def takes(self, node: ir.Node, schema: Schema) -> bool:
        """Whether a node computes in half precision."""
        if node.op_type in self.keep or node.op_type in _SOURCES or (self.only_matmuls and not _has_weights(node)):
            return False
        given = [index for index, value in enumerate(node.outputs) if self.is_real(value)]
        taken = [index for index, value in enumerate(node.inputs) if self.takes_input(schema, index, value)]
        return bool(taken) and all(_NAMES[self.half] in schema.output_types(index) for index in given)

    def takes_input(self, schema: Schema, index: int, value: ir.Value | None) -> bool:
        """Whether an input may be half; the scales of a Resize may not."""
        return value is not None and self.is_real(value) and _NAMES[self.half] in schema.input_types(index)

    def is_real(self, value: ir.Value) -> bool:
        """Whether a value is float32, or was before this pass."""
        return value.dtype in (FLOAT, TYPES[self.half])


def _has_weights(node: ir.Node) -> bool:
    """Whether a node multiplies by a constant matrix, or dequantises that matrix."""
    if node.op_type in ("MatMul", "Gemm", "Conv", "MatMulNBits"):
        second = node.inputs[1]
        return second is not None and _is_constant(second)
    return node.op_type in ("QuantizeLinear", "DequantizeLinear")


def _is_constant(value: ir.Value) -> bool:
    """Whether a value is an initializer, or one dequantised."""
    producer = value.producer()
    if producer is None:
        return value.const_value is not None
    first = producer.inputs[0] if producer.inputs else None
    return producer.op_type in ("DequantizeLinear", "QuantizeLinear") and first is not None and _is_constant(first)


class _Rewrite:
    """One run over one graph: the halves and casts made so far."""

    def __init__(self, model: ir.Model, rule: HalfPrecisionPass) -> None:
        self.graph, self.model, self.rule = model.graph, model, rule
        self.type = TYPES[rule.half]
        self.halves: dict[ir.Value, ir.Value] = {}  # float32 value -> its half
        self.floats: dict[ir.Value, ir.Value] = {}  # half value -> its float32

    def run(self) -> None:
        if self.rule.caches:
            for value in self.graph.inputs:
                if is_cache(value.name) and value.dtype == FLOAT:
                    self._becomes_half(value)
        for node in list(self.graph):
            self._node(node)
        for index, value in enumerate(self.graph.outputs):
            if value.dtype == self.type and not (self.rule.caches and is_cache(value.name)):
                self.graph.outputs[index] = self._restored(value)

    def _node(self, node: ir.Node) -> None:
        schema = schema_of(self.model, node)
        half = self.rule.takes(node, schema)
        for index, value in enumerate(node.inputs):
            if value is None or not self.rule.is_real(value):
                continue
            if half and self.rule.takes_input(schema, index, value):
                node.replace_input_with(index, self._half(value))
            else:
                node.replace_input_with(index, self._float(value))
        if not half:
            return
        if node.op_type == "Cast" and node.attributes["to"].as_int() == FLOAT:
            node.attributes["to"] = ir.AttrInt64("to", self.type)
        for value in node.outputs:
            if value.dtype == FLOAT:
                self._becomes_half(value)

    def _becomes_half(self, value: ir.Value) -> None:
        value.type = ir.TensorType(self.type)

    def _half(self, value: ir.Value) -> ir.Value:
        if value.dtype == self.type:
            return value
        if value not in self.halves:
            constant = value.const_value is not None and value.producer() is None
            self.halves[value] = self._rounded(value) if constant else cast(self.graph, value, self.type)
        return self.halves[value]

    def _rounded(self, value: ir.Value) -> ir.Value:
        tensor, name = value.const_value, f"{value.name}.{self.rule.half}"
        assert tensor is not None
        read = _rounding(tensor, self.rule.half, scale=_is_scale(value))
        return lazy_constant(self.graph, name, self.type, tensor.shape.numpy(), read)

    def _float(self, value: ir.Value) -> ir.Value:
        if value.dtype == FLOAT:
            return value
        if value not in self.floats:
            self.floats[value] = cast(self.graph, value, FLOAT)
        return self.floats[value]

    def _restored(self, value: ir.Value) -> ir.Value:
        """Return the float32 output of the same name."""
        made = cast(self.graph, value, FLOAT)
        name, value.name = value.name, None
        made.name = name
        return made


def _is_scale(value: ir.Value) -> bool:
    """Whether a constant is the scale of a QuantizeLinear or DequantizeLinear."""
    return any(node.op_type in ("QuantizeLinear", "DequantizeLinear") and index == 1 for node, index in value.uses())


def _rounding(tensor: ir.TensorProtocol, half: Half, *, scale: bool) -> Callable[[], Array]:
    """Return a function that reads a tensor and rounds it; TensorRT wants every scale positive, however small."""

    def read() -> Array:
        exact = read_constant(tensor)
        check_finite(tensor.name, exact)
        with np.errstate(over="ignore"):
            rounded: Array = exact.astype(_NUMPY[half])
        if not np.isfinite(rounded.astype(np.float32)).all():
            raise BundleError(f"{tensor.name} holds numbers too large for {half}; choose bf16 for this model.")
        if scale:
            rounded = np.where((rounded == 0) & (exact > 0), np.array(_LEAST_SCALE, rounded.dtype), rounded)
        return rounded

    return read
