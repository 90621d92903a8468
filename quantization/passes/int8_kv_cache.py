"""An int8 KV cache: one calibrated scale for every channel of keys and values, constant in the graph.

Where GroupQueryAttention stands (after the `ort` pass), it reads and writes the quantised cache itself:

    GroupQueryAttention(..., k_scale, v_scale, k_quant_type = v_quant_type = PER_CHANNEL, kv_cache_bit_width 8)

Elsewhere the cache is quantised at its border, in standard operators:

    k ─► Div(scales) ─► QuantizeLinear(1) ─► TensorScatter(int8) ─► DequantizeLinear(1) ─► Mul(scales) ─► Attention

ONNX Runtime's CPU kernel takes one kind of scale for both sides. In the second form the whole cache of a layer stands
in the precision of the rest for as long as it is read; on GPUs that is half precision, which `LEAST_HALF` is for.

Keys are cached rotated, and a rotation moves size between the two channels of a pair as positions go on: both get the
scale of the larger. What a prompt brings beyond the calibration ranges must not be clipped, because every later token
reads it: the scales leave a margin (picturebook, divergence of the next code: 6e-3 nats without either, 2.6e-5 with).
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import TopologicalSortPass

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import CalibrationError

from ._graph import constant
from .qdq import LARGEST, TYPES, Kind, zero_point

MARGIN: Final = 1.5  # over the largest value observed; twice as much measures no better

LEAST_HALF: Final = 2.0**-14  # float16 holds smaller scales with fewer digits, or not at all
_SIDES: Final = {"keys": (3, 12), "values": (4, 13)}  # inputs of GroupQueryAttention: the cache, its scales


class QuantizedCachePass(ir.passes.InPlacePass):
    """Quantise the cache of every layer; `peaks` are calibrated, `(kv_heads * head_dim,)` by `keys.i`, `values.i`.

    At its border no scale is below `least`.
    """

    def __init__(self, kind: Kind, peaks: Mapping[str, Floats], *, head_dim: int, least: float = 0.0) -> None:
        super().__init__()
        self.kind, self.peaks, self.head_dim, self.least = kind, peaks, head_dim, least

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule to every layer's keys and values."""
        graph = model.graph
        pasts = {str(value.name).removeprefix("past_"): value for value in graph.inputs}
        caches = {name: value for name, value in pasts.items() if name.startswith(("keys.", "values."))}
        for name, past in caches.items():
            (reader,) = {use.node for use in past.uses() if use.node.op_type != "Shape"}
            scales = constant(graph, f"{name}.scale", self._scales(name))
            if reader.op_type == "GroupQueryAttention":
                self._fused(reader, name, scales)
            else:
                self._at_border(graph, reader, name, scales)
            past.type = ir.TensorType(TYPES[self.kind])
        TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=bool(caches))

    def _scales(self, name: str) -> Floats:
        """Return one scale a channel; a channel that was always zero shares the largest of its side."""
        peaks = self.peaks.get(name)
        if peaks is None or not len(peaks) or not peaks.max() > 0:
            raise CalibrationError(f"the calibration never filled {name} of the KV cache; calibrate with more cases.")
        if not np.isfinite(peaks).all():
            raise CalibrationError(f"the calibrated range of {name} in the KV cache is not finite; calibrate again.")
        largest = np.where(peaks > 0, peaks, peaks.max())
        if name.startswith("keys."):
            pairs = largest.reshape(-1, 2, self.head_dim // 2)
            largest = np.broadcast_to(pairs.max(axis=1, keepdims=True), pairs.shape).reshape(-1)
        return (largest * (MARGIN / LARGEST[self.kind])).astype(np.float32)

    def _fused(self, node: ir.Node, name: str, scales: ir.Value) -> None:
        side = name.split(".")[0]
        cache, place = _SIDES[side]
        node.replace_input_with(place, scales)
        node.attributes[f"{side[0]}_quant_type"] = ir.AttrString(f"{side[0]}_quant_type", "PER_CHANNEL")
        node.attributes["kv_cache_bit_width"] = ir.AttrInt64("kv_cache_bit_width", 8)
        node.outputs[cache - 2].type = ir.TensorType(TYPES[self.kind])

    def _at_border(self, graph: ir.Graph, scatter: ir.Node, name: str, scales: ir.Value) -> None:
        if scatter.op_type != "TensorScatter" or scatter.inputs[1] is None or scales.const_value is None:
            raise AssertionError(f"{name} enters {scatter.op_type}; an int8 cache enters a TensorScatter")
        by_head = np.maximum(scales.const_value.numpy(), np.float32(self.least)).reshape(1, -1, 1, self.head_dim)
        factors = constant(graph, f"{name}.factors", by_head)
        unit = [
            constant(graph, "cache.unit", np.array(1, dtype=np.float32)),
            zero_point(graph, "cache.zero_point", (), self.kind),
        ]
        divided = ir.node("Div", [scatter.inputs[1], factors])
        quantize = ir.node("QuantizeLinear", [divided.outputs[0], *unit], name=f"{name}.quantize")
        scatter.replace_input_with(1, quantize.outputs[0])
        present = scatter.outputs[0]
        readers = list(present.uses())
        dequantize = ir.node("DequantizeLinear", [present, *unit], name=f"{name}.dequantize")
        restored = ir.node("Mul", [dequantize.outputs[0], factors])
        for use in readers:
            use.node.replace_input_with(use.idx, restored.outputs[0])
        present.type = quantize.outputs[0].type = ir.TensorType(TYPES[self.kind])
        graph.extend([divided, quantize, dequantize, restored])
