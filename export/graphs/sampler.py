"""The sampler inside `image_head`: temperature, top-k, top-p and the draw as ONNX operators."""

import numpy as np
import onnx_ir as ir

from .graph_builder import Network


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
    drawn = net.op("ReduceSum", net.op("Cast", below, to=ir.DataType.INT64), one, keepdims=0)
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
