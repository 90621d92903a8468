"""The `ort` pass: rotary positions, cache writes and attention become one GroupQueryAttention of ONNX Runtime.

    q ─► Reshape ─► Transpose ─► RotaryEmbedding ────────────────────► Attention(mask) ─► Transpose ─► Reshape ─► y
    k ─► Reshape ─► Transpose ─► RotaryEmbedding ─► TensorScatter ─────┘│   (present_keys)
    v ─► Reshape ─► Transpose ───────────────────► TensorScatter ───────┘   (present_values)

becomes

    q, k, v, past_keys, past_values ─────────────────┐
    seqlens_k = past_lengths + token_counts - 1 ─────┤
    total_sequence_length = C ───────────────────────┼► GroupQueryAttention(do_rotary) ─► y, present_keys and _values
    cos, sin ────────────────────────────────────────┤
    query_seqlens = token_counts ────────────────────┘

Between a Reshape and its Transpose heads may be normalised (LayerNormalization, Mul, Add, in any number); those stay,
and a Reshape behind them merges the heads.

The operator attends to the used part of the cache only, so a step costs the same at any capacity, and `query_seqlens`
lets rows of different length take several tokens each behind a cache. The graph's own inputs and outputs do not change.
"""

from dataclasses import dataclass

import numpy as np
import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass, TopologicalSortPass

DOMAIN = "com.microsoft"

# The position of this input of GroupQueryAttention; those before it are not used.
QUERY_SEQLENS = 16

# ONNX Runtime rotates heads only if their size is a multiple of this; others stay as they are, slower and as exact.
HEAD_SIZE_STEP = 16

# What may stand between the Reshape that splits heads and the Transpose; the first input is what it works on.
HEAD_NORMS = ("LayerNormalization", "RMSNormalization", "Mul", "Add")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Queries, keys or values before they are transposed."""

    value: ir.Value  # (B, S, heads * head_dim), or (B, S, heads, head_dim)
    count: int
    size: int
    apart: bool


@dataclass(frozen=True, slots=True)
class Match:
    """One attention of the master graph, and the values that the new operator needs."""

    queries: Heads
    keys: Heads
    values: Heads
    scatter_keys: ir.Node
    scatter_values: ir.Node
    cos: ir.Value
    sin: ir.Value
    out: ir.Value  # (B, S, heads * head_dim)


class GroupQueryAttentionPass(ir.passes.InPlacePass):
    """Rewrite every matching attention; a graph without one stays as it is."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above to every Attention of the graph."""
        graph = model.graph
        matches = [match for node in graph if node.op_type == "Attention" if (match := _match(node)) is not None]
        if not matches:
            return ir.passes.PassResult(model, modified=False)
        lengths = _lengths(graph, matches[0].scatter_keys.inputs[0])
        for match in matches:
            _replace(graph, match, lengths)
        graph.opset_imports[DOMAIN] = 1
        RemoveUnusedNodesPass()(model)
        TopologicalSortPass()(model)
        return ir.passes.PassResult(model, modified=True)


def _match(attention: ir.Node) -> Match | None:
    """Return the attention's surroundings, or None when they are not those of the master graph."""
    scatter_keys, scatter_values = _producer(attention, 1, "TensorScatter"), _producer(attention, 2, "TensorScatter")
    if scatter_keys is None or scatter_values is None:
        return None  # no static cache: a vision encoder's attention
    rotary_q, rotary_k = _producer(attention, 0, "RotaryEmbedding"), _producer(scatter_keys, 1, "RotaryEmbedding")
    if rotary_q is None or rotary_k is None:
        return None  # positions are not rotary
    queries, keys, values = _merged(rotary_q, 0), _merged(rotary_k, 0), _merged(scatter_values, 1)
    out = _only_user(_only_user(attention.outputs[0], "Transpose"), "Reshape")
    cos, sin = rotary_q.inputs[1:3]
    if queries is None or keys is None or values is None or out is None or cos is None or sin is None:
        return None  # heads are laid out in another way
    if queries.size % HEAD_SIZE_STEP:
        return None
    return Match(queries, keys, values, scatter_keys, scatter_values, cos, sin, out)


def _producer(node: ir.Node, index: int, kind: str) -> ir.Node | None:
    value = node.inputs[index]
    producer = value.producer() if value is not None else None
    return producer if producer is not None and producer.op_type == kind else None


def _merged(node: ir.Node, index: int) -> Heads | None:
    """Return the heads of an input, `x [B,S,heads * Dh] -> Reshape [B,S,heads,Dh] -> Transpose`.

    Where heads are normalised in between, x is what the Transpose reads, and its heads are apart.
    """
    transpose = _producer(node, index, "Transpose")
    value = transpose.inputs[0] if transpose is not None else None
    reshape = last = value.producer() if value is not None else None
    while reshape is not None and reshape.op_type in HEAD_NORMS:
        reshape = reshape.inputs[0].producer() if reshape.inputs[0] is not None else None
    if value is None or reshape is None or reshape.op_type != "Reshape":
        return None
    if reshape.inputs[0] is None or reshape.inputs[1] is None:
        return None
    shape = reshape.inputs[1].const_value
    if shape is None or shape.shape != (4,):
        return None
    _, _, count, size = map(int, shape.numpy())
    return Heads(
        value=reshape.inputs[0] if last is reshape else value, count=count, size=size, apart=last is not reshape
    )


def _together(graph: ir.Graph, heads: Heads) -> ir.Value:
    """Return the heads as `(B, S, heads * Dh)`."""
    if not heads.apart:
        return heads.value
    name = f"{heads.value.name}.together"
    shape = ir.Value(name=name, const_value=ir.tensor(np.array([0, 0, -1], dtype=np.int64), name=name))
    graph.register_initializer(shape)
    merged = ir.node("Reshape", [heads.value, shape])
    graph.append(merged)
    return merged.outputs[0]


def _only_user(value: ir.Value | None, kind: str) -> ir.Value | None:
    users = value.consumers() if value is not None else ()
    return users[0].outputs[0] if len(users) == 1 and users[0].op_type == kind else None


@dataclass(frozen=True, slots=True)
class Lengths:
    """The inputs of every layer's operator about the rows; int32, computed once."""

    seqlens_k: ir.Value  # (B,)
    total: ir.Value  # ()
    query_seqlens: ir.Value  # (B,)


def _lengths(graph: ir.Graph, past_keys: ir.Value | None) -> Lengths:
    """Compute the lengths at the head of the graph.

    token_counts ─┬► Cast ─► query_seqlens            past_keys ─► Shape[2:3] ─► Squeeze ─► Cast ─► total
    past_lengths ─┴► Add ─► Sub(1) ─► Cast ─► seqlens_k
    """
    inputs = {value.name: value for value in graph.inputs}
    one = ir.Value(name="one", const_value=ir.tensor(np.array(1, dtype=np.int64), name="one"))
    graph.register_initializer(one)
    held = ir.node("Add", [inputs["past_lengths"], inputs["token_counts"]])
    last = ir.node("Sub", [held.outputs[0], one])
    size = ir.node("Shape", [past_keys], attributes={"start": 2, "end": 3})
    scalar = ir.node("Squeeze", [size.outputs[0]])
    casts = [
        ir.node("Cast", [value], attributes={"to": ir.DataType.INT32})
        for value in (last.outputs[0], scalar.outputs[0], inputs["token_counts"])
    ]
    graph.insert_before(graph[0], [held, last, size, scalar, *casts])
    return Lengths(*(cast.outputs[0] for cast in casts))


def _replace(graph: ir.Graph, match: Match, lengths: Lengths) -> None:
    """Put the operator in the place of the match; nodes that become unused are removed later."""
    past_keys, past_values = match.scatter_keys.inputs[0], match.scatter_values.inputs[0]
    heads = [_together(graph, one) for one in (match.queries, match.keys, match.values)]
    inputs: list[ir.Value | None] = [*heads, past_keys, past_values]
    inputs += [lengths.seqlens_k, lengths.total, match.cos, match.sin]
    inputs += [None] * (QUERY_SEQLENS - len(inputs)) + [lengths.query_seqlens]
    node = ir.node(
        "GroupQueryAttention",
        inputs,
        attributes={"num_heads": match.queries.count, "kv_num_heads": match.keys.count, "do_rotary": 1},
        domain=DOMAIN,
        num_outputs=3,
    )
    graph.append(node)
    old = (match.out, match.scatter_keys.outputs[0], match.scatter_values.outputs[0])
    for before, after in zip(old, node.outputs, strict=True):
        after.type, after.shape = before.type, before.shape
        name, before.name = before.name, None
        ir.convenience.replace_all_uses_with(before, after, replace_graph_outputs=True)
        after.name = name
