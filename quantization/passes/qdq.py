"""Static quantisation of activations and weights: QuantizeLinear and DequantizeLinear around linear layers.

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
from typing import Final, Literal, TypeAlias

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.errors import CalibrationError

from ..check_finite import check_finite
from ._graph import LinearLayer, constant, lazy_constant, linear_layers, read_constant

Kind: TypeAlias = Literal["int8", "fp8"]

TYPES: Final[dict[Kind, ir.DataType]] = {"int8": ir.DataType.INT8, "fp8": ir.DataType.FLOAT8E4M3FN}
LARGEST: Final[dict[Kind, float]] = {"int8": 127.0, "fp8": 448.0}

_LEAST_SCALE: Final = 1e-12  # of a tensor that was always zero


class QuantizeDequantizePass(ir.passes.InPlacePass):
    """Quantise every linear layer whose input is among `thresholds`, but for the operators that `keep` names.

    `thresholds` are calibrated absolute values by tensor name. An input of several layers is quantised once.
    """

    def __init__(self, kind: Kind, thresholds: Mapping[str, float], *, keep: Collection[str] = ()) -> None:
        super().__init__()
        self.kind, self.thresholds, self.keep = kind, thresholds, frozenset(keep)
        self._weights = DequantizedWeights(kind)

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule; raise `CalibrationError` for a layer whose input was never observed."""
        graph = model.graph
        taken = [layer for layer in linear_layers(graph) if layer.node.name not in self.keep]
        for layer in taken:
            layer.node.replace_input_with(0, self._input(graph, layer))
            layer.node.replace_input_with(1, self._weights.of(graph, layer))
        if taken:
            RemoveUnusedNodesPass()(model)
            TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=bool(taken))

    def _input(self, graph: ir.Graph, layer: LinearLayer) -> ir.Value:
        """Return the layer's input quantised and dequantised.

        Quantised once for all its readers, dequantised for each: ONNX Runtime fuses no matmul that shares a
        DequantizeLinear.
        """
        x = layer.x
        inputs = [
            constant(graph, f"{x.name}.scale", self._scale(layer)),
            zero_point(graph, f"{x.name}.zero_point", (), self.kind),
        ]
        name = f"{x.name}.quantize"
        quantize = next((use.node for use in x.uses() if use.node.name == name), None)
        if quantize is None:
            quantize = ir.node("QuantizeLinear", [x, *inputs], name=name)
            quantize.outputs[0].type = ir.TensorType(TYPES[self.kind])
            graph.append(quantize)
        dequantize = ir.node("DequantizeLinear", [quantize.outputs[0], *inputs], name=f"{layer.name}.input")
        dequantize.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        graph.append(dequantize)
        return dequantize.outputs[0]

    def _scale(self, layer: LinearLayer) -> Array:
        name = str(layer.x.name)
        threshold = self.thresholds.get(name)
        if threshold is None:
            raise CalibrationError(
                f"the calibration has no range for tensor {name!r}, the input of {layer.name}; calibrate with cases "
                "that use it."
            )
        if not np.isfinite(threshold):
            raise CalibrationError(f"the calibrated range of tensor {name!r} is not finite; calibrate again.")
        return np.array(max(threshold / LARGEST[self.kind], _LEAST_SCALE), dtype=np.float32)


class DequantizedWeights:
    """Puts weights into a graph in int8 or fp8, dequantised: quantised one at a time, when the graph is written."""

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        # Weights are written, then their scales: kept until the next ones are asked for.
        self._pack: Callable[..., tuple[Array, Floats]] = functools.lru_cache(maxsize=1)(quantised_weight)

    def of(self, graph: ir.Graph, layer: LinearLayer) -> ir.Value:
        """Return a layer's weights dequantised; the same weights read along the same axis are one tensor."""
        tensor, axis = layer.weight, layer.axis
        name = f"{tensor.name}.{self.kind}.{axis}"
        channels = int(tensor.shape.numpy()[axis])
        pack = functools.partial(self._pack, tensor, axis, self.kind)
        values = [
            lazy_constant(graph, name, TYPES[self.kind], tensor.shape.numpy(), lambda: pack()[0]),
            lazy_constant(graph, f"{name}.scale", ir.DataType.FLOAT, (channels,), lambda: pack()[1]),
            zero_point(graph, f"{name}.zero_point", (channels,), self.kind),
        ]
        node = ir.node("DequantizeLinear", values, attributes={"axis": axis}, name=f"{layer.name}.weight")
        node.outputs[0].type = ir.TensorType(ir.DataType.FLOAT)
        graph.append(node)
        return node.outputs[0]


def quantised_weight(tensor: ir.TensorProtocol, axis: int, kind: Kind) -> tuple[Array, Floats]:
    """Return a weight in int8 or fp8 and the scale of each of its channels along `axis`.

    Raises `BundleError` naming a tensor that holds NaN or infinity.
    """
    weight = read_constant(tensor).astype(np.float32, copy=False)
    others = tuple(index for index in range(weight.ndim) if index != axis)
    peaks = np.abs(weight).max(axis=others, keepdims=True)
    check_finite(tensor.name, peaks)
    scale = np.maximum(peaks / np.float32(LARGEST[kind]), np.float32(_LEAST_SCALE))
    scaled = weight / scale
    if kind == "int8":
        return np.clip(np.rint(scaled), -127, 127).astype(np.int8), scale.reshape(-1)
    return np.clip(scaled, -448, 448).astype(ml_dtypes.float8_e4m3fn), scale.reshape(-1)


def zero_point(graph: ir.Graph, name: str, shape: tuple[int, ...], kind: Kind) -> ir.Value:
    """Return zeros in the quantised type, by which the operators know the type."""
    dtype: npt.DTypeLike = np.int8 if kind == "int8" else ml_dtypes.float8_e4m3fn
    return constant(graph, name, np.zeros(shape, dtype=dtype), TYPES[kind])
