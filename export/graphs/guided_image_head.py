"""The graph `image_head`, which draws a picture's next code: guidance, output layers and the sampler."""

from dataclasses import dataclass
from typing import Final

import onnx_ir as ir

from ..checkpoint.folder import Checkpoint
from .graph_builder import Network
from .sampler import draw

OPSET: Final = 20

FLOAT: Final = ir.DataType.FLOAT
INT64: Final = ir.DataType.INT64


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHead:
    """Linear layers by their names, GELU between them; of the last one only the rows that are codes."""

    layers: tuple[str, ...]
    codes: slice


def build_image_head(checkpoint: Checkpoint, head: ImageHead) -> ir.Model:
    """Return the graph that draws the next code.

        hidden [N,R,D] ─► (Linear ─► Gelu) * ─┐                                             ┌─► ArgMax ─┐
        weights [R] ──────────────────────────┴► MatMul ─► Linear(codes) ─► logits [N,K] ─┴─► draw ───┴► Where ─► code

    The last layer is linear, so the guided sum is taken before it: one matmul with the codes' rows however many
    branches. Its bias counts as often as the weights sum to.
    """
    net = Network("image_head", OPSET)
    *inner, last = head.layers
    count, size = head.codes.stop - head.codes.start, checkpoint.shapes[f"{head.layers[0]}.weight"][1]
    hidden = net.input("hidden", FLOAT, ("N", "R", size))
    weights = net.input("weights", FLOAT, ("R",))
    temperature = net.input("temperature", FLOAT, ())
    top_k = net.input("top_k", INT64, (1,))
    top_p = net.input("top_p", FLOAT, (1,))
    uniform = net.input("uniform", FLOAT, ("N",))
    for name in inner:
        hidden = net.op("Gelu", _linear(net, checkpoint, name, hidden))
    guided = net.op("MatMul", weights, hidden)
    logits = _linear(net, checkpoint, last, guided, head.codes, net.op("ReduceSum", weights, keepdims=0))
    code = draw(net, logits, count, temperature, top_k, top_p, uniform)
    net.output(code, "code", INT64, ("N",))
    net.output(logits, "logits", FLOAT, ("N", count))
    return net.model()


def _linear(
    net: Network,
    checkpoint: Checkpoint,
    name: str,
    x: ir.Value,
    rows: slice = slice(None),
    times: ir.Value | None = None,
) -> ir.Value:
    """Apply rows of a torch Linear `(outputs, inputs)`, and its bias, if it has one, so many `times`."""
    outputs, inputs = checkpoint.shapes[f"{name}.weight"]
    count = len(range(*rows.indices(outputs)))

    weight = net.weight(f"{name}.weight", (inputs, count), lambda: checkpoint.transposed(f"{name}.weight", rows))
    y = net.op("MatMul", x, weight, name=name)
    if not checkpoint.has(f"{name}.bias"):
        return y
    bias = net.weight(f"{name}.bias", (count,), lambda: checkpoint.tensor(f"{name}.bias", rows))
    return net.op("Add", y, bias if times is None else net.op("Mul", bias, times))
