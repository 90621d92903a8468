"""The graphs behind the backbone: `image_head` (guidance, top-k, top-p and the draw included) and `text_head`."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx_ir as ir

from .checkpoint.folder import Checkpoint
from .graph import Network

OPSET: Final = 20

FLOAT: Final = ir.DataType.FLOAT
INT64: Final = ir.DataType.INT64


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageHead:
    """Linear layers by their names, GELU between them; of the last one only the rows that are codes."""

    layers: tuple[str, ...]
    codes: slice


def build_text_head(checkpoint: Checkpoint, tensor: str) -> ir.Model:
    """Return `hidden [B,D] -> logits [B,V]` with the whole output matrix `tensor` `(V, D)`."""
    net = Network("text_head", OPSET)
    tokens, size = checkpoint.shapes[tensor]
    hidden = net.input("hidden", FLOAT, ("B", size))
    weight = net.weight(tensor, (size, tokens), lambda: checkpoint.transposed(tensor))
    net.output(net.op("MatMul", hidden, weight, name="text_head"), "logits", FLOAT, ("B", tokens))
    return net.model()


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


def draw(
    net: Network,
    logits: ir.Value,
    count: int,
    temperature: ir.Value,
    top_k: ir.Value,
    top_p: ir.Value,
    uniform: ir.Value,
) -> ir.Value:
    """Draw a code from `logits` `[N,K]` by inverting the cumulative distribution at `uniform` `[N]`.

        logits ─► kept (the top-k, else -inf) ─► Div(temperature) ─► Softmax ─► the top-p, else 0 ─► CumSum ─► cdf [N,K]
        code = number of positions with cdf <= uniform * total and cdf < total

    The second condition stops at the last kept code when `uniform * total` rounds up to the total. Codes that tie with
    the k-th are kept too, as in transformers. Temperature 0 is greedy.
    """
    zero, one = net.constant(0.0, np.float32), net.constant([1], np.int64)
    greedy = net.op("Equal", temperature, zero)
    divisor = net.op("Where", greedy, net.constant(1.0, np.float32), temperature)
    below_largest = net.op("Sub", logits, net.op("ReduceMax", logits, net.constant([-1], np.int64), keepdims=1))
    kept = net.op("Where", _dropped(net, logits, count, top_k), net.constant(-np.inf, np.float32), below_largest)
    shares = net.op("Softmax", net.op("Div", kept, divisor), axis=-1)  # no temperature is too small: 0 / t is 0
    shares = _nucleus(net, shares, count, top_p)
    cdf = net.op("CumSum", shares, net.constant(1, np.int64))
    total = net.op("Slice", cdf, net.constant([count - 1], np.int64), net.constant([count], np.int64), one)
    target = net.op("Mul", net.op("Unsqueeze", uniform, one), total)
    below = net.op("And", net.op("LessOrEqual", cdf, target), net.op("Less", cdf, total))
    drawn = net.op("ReduceSum", net.op("Cast", below, to=INT64), one, keepdims=0)
    return net.op("Where", greedy, net.op("ArgMax", logits, axis=-1, keepdims=0), drawn)


def _dropped(net: Network, logits: ir.Value, count: int, top_k: ir.Value) -> ir.Value:
    """Return which codes lie below the k-th largest logit `[N,K]`; none when `top_k` is 0.

    For `top_k` 0 the largest alone is looked up and its threshold replaced by -inf: sorting all K costs more than the
    rest of the graph.
    """
    everything = net.op("Equal", top_k, net.constant([0], np.int64))
    size = net.op("Where", everything, net.constant([1], np.int64), top_k)
    size = net.op("Min", size, net.constant([count], np.int64))
    largest = ir.node("TopK", [logits, size], attributes={"axis": -1, "largest": 1, "sorted": 0}, num_outputs=2)
    net.graph.append(largest)
    least = net.op("ReduceMin", largest.outputs[0], net.constant([1], np.int64), keepdims=1)
    threshold = net.op("Where", everything, net.constant(-np.inf, np.float32), least)
    return net.op("Less", logits, threshold)


def _nucleus(net: Network, shares: ir.Value, count: int, top_p: ir.Value) -> ir.Value:
    """Return the shares `[N,K]` of the fewest codes that make up `top_p` together, 0 for the others; all when it is 1.

    A code counts if those before it, the largest first, have less than `top_p`. Codes that tie with the last counted
    one are kept too. As in `_dropped`, the largest alone is looked up when all are kept.
    """
    one = net.constant([1], np.int64)
    everything = net.op("GreaterOrEqual", top_p, net.constant([1.0], np.float32))
    size = net.op("Where", everything, one, net.constant([count], np.int64))
    largest = ir.node("TopK", [shares, size], attributes={"axis": -1, "largest": 1, "sorted": 1}, num_outputs=2)
    net.graph.append(largest)
    before = net.op("CumSum", largest.outputs[0], net.constant(1, np.int64), exclusive=1)
    counted = net.op("Where", net.op("Less", before, top_p), largest.outputs[0], net.constant(1.0, np.float32))
    least = net.op("ReduceMin", counted, one, keepdims=1)
    zero = net.constant(0.0, np.float32)
    outside = net.op("Less", shares, net.op("Where", everything, zero, least))
    return net.op("Where", outside, zero, shares, name="top_p")
