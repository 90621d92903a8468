"""Static quantisation of activations and weights: QuantizeLinear and DequantizeLinear around products.

    x ─► MatMul(W) ─► y    becomes

    x ─► QuantizeLinear(s) ─► DequantizeLinear(s) ─┐
    W as int8 or fp8 ─► DequantizeLinear(S) ───────┴► MatMul ─► y

`s` is one number, the calibrated threshold over the largest number of the type; `S` has one number for each output
channel. Zero points are zero: TensorRT takes no others, and ONNX Runtime's CPU kernels multiply signed bytes exactly.
The same for Gemm and Conv. ONNX Runtime fuses the int8 form of MatMul into MatMulIntegerToFloat; fp8 it computes as
written, in float. Weights are quantised one at a time, when the graph is written.
"""

import functools
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.errors import BundleError, CalibrationError

from ._constants import read_constant

Kind: TypeAlias = Literal["int8", "fp8"]

TYPES: Final[dict[Kind, ir.DataType]] = {"int8": ir.DataType.INT8, "fp8": ir.DataType.FLOAT8E4M3FN}
LARGEST: Final[dict[Kind, float]] = {"int8": 127.0, "fp8": 448.0}
PRODUCTS: Final = ("MatMul", "Gemm", "Conv")

_LEAST_SCALE: Final = 1e-12  # of a tensor in which nothing but zeros was seen


@dataclass(frozen=True, slots=True)
class Product:
    """A product with a constant matrix or kernel, and the axis of the constant that counts output channels."""

    node: ir.Node
    x: ir.Value
    weight: ir.TensorProtocol
    axis: int


def products(graph: ir.Graph) -> list[Product]:
    """Return the MatMul, Gemm and Conv nodes of a graph whose second input is a constant."""
    found = []
    for node in graph:
        x, right = (*node.inputs, None, None)[:2]
        if node.op_type not in PRODUCTS or x is None or right is None:
            continue
        weight = ir.convenience.get_const_tensor(right)
        if weight is None or len(weight.shape) < 2 or (node.op_type == "MatMul" and len(weight.shape) != 2):
            continue
        transposed = node.op_type == "Gemm" and "transB" in node.attributes and node.attributes["transB"].as_int()
        found.append(Product(node, x, weight, 0 if node.op_type == "Conv" or transposed else 1))
    return found


class QuantizeDequantizePass(ir.passes.InPlacePass):
    """Quantise every product whose input is among `thresholds`, but for the operators that `keep` names.

    `thresholds` are calibrated absolute values by tensor name. An input read by several products is quantised once.
    """

    def __init__(self, kind: Kind, thresholds: Mapping[str, float], *, keep: Collection[str] = ()) -> None:
        super().__init__()
        self.kind, self.thresholds, self.keep = kind, thresholds, frozenset(keep)
        self._weights = DequantizedWeights(kind)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule; raise `CalibrationError` for a product whose input was never observed."""
        graph = model.graph
        taken = [one for one in products(graph) if one.node.name not in self.keep]
        for product in taken:
            product.node.replace_input_with(0, self._input(graph, product))
            product.node.replace_input_with(1, self._weights.of(graph, product))
        if taken:
            RemoveUnusedNodesPass()(model)
            TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=bool(taken))

    def _input(self, graph: ir.Graph, product: Product) -> ir.Value:
        """Return the product's input quantised and dequantised.

        Quantised once for all that read it, dequantised for each: ONNX Runtime fuses no product that shares it.
        """
        x = product.x
        threshold = self.thresholds.get(str(x.name))
        if threshold is None:
            raise CalibrationError(
                f"the calibration has no range of tensor {x.name!r}, which {product.node.name} reads; calibrate "
                "with cases that use it."
            )
        if not np.isfinite(threshold):
            raise CalibrationError(f"the calibrated range of tensor {x.name!r} is not finite; calibrate again.")
        scale = np.array(max(threshold / LARGEST[self.kind], _LEAST_SCALE), dtype=np.float32)
        inputs = [constant(graph, f"{x.name}.scale", scale), zero_point(graph, f"{x.name}.zero_point", (), self.kind)]
        name = f"{x.name}.quantize"
        quantize = next((use.node for use in x.uses() if use.node.name == name), None)
        if quantize is None:
            quantize = ir.node("QuantizeLinear", [x, *inputs], name=name)
            quantize.outputs[0].type = ir.TensorType(TYPES[self.kind])
            graph.append(quantize)
        dequantize = ir.node("DequantizeLinear", [quantize.outputs[0], *inputs], name=f"{product.node.name}.input")
        dequantize.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        graph.append(dequantize)
        return dequantize.outputs[0]


class DequantizedWeights:
    """Puts weights into a graph in int8 or fp8, dequantised: quantised one at a time, when the graph is written."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        # A weight is written, then its scales: kept until the next one is asked for.
        self._pack: Callable[..., tuple[Array, Floats]] = functools.lru_cache(maxsize=1)(quantised_weight)

    def of(self, graph: ir.Graph, product: Product) -> ir.Value:
        """Return the dequantised weight; the same weight read along the same axis is one tensor."""
        tensor, axis = product.weight, product.axis
        name = f"{tensor.name}.{self.kind}.{axis}"
        channels = int(tensor.shape.numpy()[axis])
        if name not in graph.initializers:
            pack = functools.partial(self._pack, tensor, axis, self.kind)
            _lazy(graph, name, TYPES[self.kind], tensor.shape.numpy(), lambda: pack()[0])
            _lazy(graph, f"{name}.scale", ir.DataType.FLOAT, (channels,), lambda: pack()[1])
        values = [graph.initializers[name], graph.initializers[f"{name}.scale"]]
        zero = zero_point(graph, f"{name}.zero_point", (channels,), self.kind)
        node = ir.node(
            "DequantizeLinear", [*values, zero], attributes={"axis": axis}, name=f"{product.node.name}.weight"
        )
        node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        graph.append(node)
        return node.outputs[0]


class Float8WeightsPass(ir.passes.InPlacePass):
    """Hold the constant matrices of the products that `only` names in fp8; what they multiply stays as it is."""

    def __init__(self, only: Collection[str]) -> None:
        super().__init__()
        self.only, self._weights = frozenset(only), DequantizedWeights("fp8")

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above."""
        taken = [one for one in products(model.graph) if one.node.name in self.only]
        for product in taken:
            product.node.replace_input_with(1, self._weights.of(model.graph, product))
        if taken:
            RemoveUnusedNodesPass()(model)
            TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=bool(taken))


def quantised_weight(tensor: ir.TensorProtocol, axis: int, kind: Kind) -> tuple[Array, Floats]:
    """Return a weight in int8 or fp8 and the scale of each of its channels along `axis`.

    Raises `BundleError` naming a tensor that holds NaN or infinity.
    """
    weight = read_constant(tensor).astype(np.float32, copy=False)
    others = tuple(index for index in range(weight.ndim) if index != axis)
    peaks = np.abs(weight).max(axis=others, keepdims=True)
    if not np.isfinite(peaks).all():
        raise BundleError(f"{tensor.name} holds NaN or infinity; export the checkpoint again from sound weights.")
    scale = np.maximum(peaks / np.float32(LARGEST[kind]), np.float32(_LEAST_SCALE))
    scaled = weight / scale
    if kind == "int8":
        return np.clip(np.rint(scaled), -127, 127).astype(np.int8), scale.reshape(-1)
    return np.clip(scaled, -448, 448).astype(ml_dtypes.float8_e4m3fn), scale.reshape(-1)


def constant(graph: ir.Graph, name: str, array: Array, kind: ir.DataType | None = None) -> ir.Value:
    """Return an initializer of this name, made if the graph does not have it."""
    if name not in graph.initializers:
        tensor = ir.Tensor(array, name=name, dtype=kind)
        shape = ir.Shape(array.shape)
        graph.register_initializer(
            ir.Value(name=name, type=ir.TensorType(tensor.dtype), shape=shape, const_value=tensor)
        )
    return graph.initializers[name]


def zero_point(graph: ir.Graph, name: str, shape: tuple[int, ...], kind: Kind) -> ir.Value:
    """Return zeros in the quantised type: they say which type that is."""
    dtype: npt.DTypeLike = np.int8 if kind == "int8" else ml_dtypes.float8_e4m3fn
    return constant(graph, name, np.zeros(shape, dtype=dtype), TYPES[kind])


def _lazy(graph: ir.Graph, name: str, kind: ir.DataType, shape: Collection[int], read: Callable[[], Array]) -> None:
    lazy = ir.LazyTensor(lambda: ir.Tensor(read(), name=name, dtype=kind), dtype=kind, shape=ir.Shape(shape), name=name)
    graph.register_initializer(ir.Value(name=name, type=ir.TensorType(kind), shape=ir.Shape(shape), const_value=lazy))
