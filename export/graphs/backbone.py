"""The master graph of a Llama-like decoder over a static KV cache, built operator by operator.

    inputs_embeds ─► layer 0 ─► ... ─► layer L-1 ─► RMSNormalization ─┬─► hidden
    past_lengths ─► positions ─► mask, rope                           └─ row token_counts - 1 ─► last_hidden

One layer, in plain ONNX of opset 24 that ONNX Runtime and TensorRT (10.15 and later) both run:

    x ─┬─► RMSNormalization ─┬─► q ─► RotaryEmbedding ────────────────────► Attention(mask) ─► o ─► Add ─┬─► mlp ─► Add
       │                     ├─► k ─► RotaryEmbedding ─► TensorScatter ─────┘ │                  │       │           │
       │                     └─► v ────────────────────► TensorScatter ──────┘                  │       └───────────┘
       └────────────────────────────────────────────────────────────────────────────────────────┘

Variants of a layer: `qk_norm` puts LayerNormalization over each head of q and k, with a scale and a shift of every
head's own, before the rotation; `post_norm` puts both RMSNormalizations behind what they stand before above, ahead of
the Add.

The mask is explicit, because TensorRT silently ignores Attention's `nonpad_kv_seqlen`. The hidden state behind layer
`i` is called `layer_output(i)`; there the graph is cut to compare it (single_layers.py). Nothing is loaded here: the
weights are read one at a time when the graph is written.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import onnx_ir as ir
import torch

from edgevlo.runtime.arrays import Floats

from ..checkpoint.folder import Checkpoint
from .graph_builder import Network

OPSET: Final = 24  # RMSNormalization, RotaryEmbedding and Attention of 23, TensorScatter of 24

FLOAT: Final = ir.DataType.FLOAT
INT64: Final = ir.DataType.INT64

QK_NORM_EPS: Final = 1e-5  # transformers' ChameleonLayerNorm takes no other


@dataclass(frozen=True, slots=True, kw_only=True)
class DecoderShape:
    """A decoder of class Llama: grouped-query attention, default rotary positions, a gated MLP."""

    prefix: str  # of the tensors' names, as in "model.text_model"
    layers: int
    hidden_size: int
    mlp_size: int
    heads: int
    kv_heads: int
    head_dim: int
    max_positions: int
    norm_eps: float
    rope_theta: float
    activation: Literal["silu", "gelu_tanh"] = "silu"
    norm_offset: float = 0.0  # added to the scale of every RMSNormalization
    qk_norm: bool = False
    post_norm: bool = False


def build_backbone(checkpoint: Checkpoint, shape: DecoderShape) -> ir.Model:
    """Return the backbone; its inputs and outputs are those of docs/bundle.md."""
    return _Builder(checkpoint, shape).build()


def layer_output(layer: int) -> str:
    """Return the name of the hidden state behind a layer."""
    return f"layer_output.{layer}"


class _Builder:
    """Holds what every layer shares: positions, mask and rotary tables."""

    def __init__(self, checkpoint: Checkpoint, shape: DecoderShape) -> None:
        self.checkpoint = checkpoint
        self.shape = shape
        self.net = Network("backbone", OPSET)

    def build(self) -> ir.Model:
        shape, net = self.shape, self.net
        hidden = net.input("inputs_embeds", FLOAT, ("B", "S", shape.hidden_size))
        self.past_lengths = net.input("past_lengths", INT64, ("B",))
        token_counts = net.input("token_counts", INT64, ("B",))
        cache_shape = ("B", shape.kv_heads, "C", shape.head_dim)
        pasts = [
            tuple(net.input(f"past_{side}.{layer}", FLOAT, cache_shape) for side in ("keys", "values"))
            for layer in range(shape.layers)
        ]
        self.positions, self.mask = self._positions_and_mask(hidden, pasts[0][0])
        self.cos, self.sin = self._rotary_tables()
        presents = []
        for layer, (past_keys, past_values) in enumerate(pasts):
            hidden, keys, values = self._layer(f"{shape.prefix}.layers.{layer}", hidden, past_keys, past_values)
            hidden.name = layer_output(layer)
            presents.append((keys, values))
        hidden = self._norm(f"{shape.prefix}.norm", hidden)
        last = self._last(hidden, token_counts)
        net.output(hidden, "hidden", FLOAT, ("B", "S", shape.hidden_size))
        net.output(last, "last_hidden", FLOAT, ("B", shape.hidden_size))
        for layer, (keys, values) in enumerate(presents):
            net.output(keys, f"present_keys.{layer}", FLOAT, cache_shape)
            net.output(values, f"present_values.{layer}", FLOAT, cache_shape)
        return net.model()

    def _positions_and_mask(self, hidden: ir.Value, past_keys: ir.Value) -> tuple[ir.Value, ir.Value]:
        """Return the tokens' positions `[B,S]` and which cache positions they attend to `[B,1,S,C]`.

        past_lengths ─► [B,1] ─┐
        Range(S) ──────────────┴► Add ─► positions ─► [B,1,S,1] ─┐
                                        Range(C) ────────────────┴► LessOrEqual ─► mask
        """
        net = self.net
        tokens = self._range(net.op("Shape", hidden, start=1, end=2))
        capacity = self._range(net.op("Shape", past_keys, start=2, end=3))
        positions = net.op("Add", net.op("Unsqueeze", self.past_lengths, net.constant([1], np.int64)), tokens)
        limits = net.op("Unsqueeze", positions, net.constant([1, 3], np.int64))
        # Padding may stand past the last row of the rotary tables; its own rows mean nothing.
        last = net.constant(self.shape.max_positions - 1, np.int64)
        return net.op("Min", positions, last), net.op("LessOrEqual", capacity, limits)

    def _range(self, size: ir.Value) -> ir.Value:
        net = self.net
        scalar = net.op("Squeeze", size)
        return net.op("Range", net.constant(0, np.int64), scalar, net.constant(1, np.int64))

    def _rotary_tables(self) -> tuple[ir.Value, ir.Value]:
        cos, sin = rotary_tables(self.shape)
        return (
            self.net.weight("rotary_cos", cos.shape, lambda: cos),
            self.net.weight("rotary_sin", sin.shape, lambda: sin),
        )

    def _layer(
        self, name: str, hidden: ir.Value, past_keys: ir.Value, past_values: ir.Value
    ) -> tuple[ir.Value, ir.Value, ir.Value]:
        net, first, second = self.net, f"{name}.input_layernorm", f"{name}.post_attention_layernorm"
        if self.shape.post_norm:
            attended, keys, values = self._attention(f"{name}.self_attn", hidden, past_keys, past_values)
            hidden = net.op("Add", hidden, self._norm(first, attended))
            return net.op("Add", hidden, self._norm(second, self._mlp(f"{name}.mlp", hidden))), keys, values
        attended, keys, values = self._attention(f"{name}.self_attn", self._norm(first, hidden), past_keys, past_values)
        hidden = net.op("Add", hidden, attended)
        return net.op("Add", hidden, self._mlp(f"{name}.mlp", self._norm(second, hidden))), keys, values

    def _attention(
        self, name: str, normed: ir.Value, past_keys: ir.Value, past_values: ir.Value
    ) -> tuple[ir.Value, ir.Value, ir.Value]:
        """Return the attention's output `[B,S,D]` and the cache with this call's keys and values in it."""
        net, shape = self.net, self.shape
        norms = (f"{name}.q_norm", f"{name}.k_norm") if shape.qk_norm else ("", "")
        query = self._heads(f"{name}.q_proj", normed, shape.heads, norms[0])
        key = self._heads(f"{name}.k_proj", normed, shape.kv_heads, norms[1])
        value = self._heads(f"{name}.v_proj", normed, shape.kv_heads)
        query, key = self._rotated(query, name=f"{name}.rotary_q"), self._rotated(key, name=f"{name}.rotary_k")
        keys = net.op("TensorScatter", past_keys, key, self.past_lengths, name=f"{name}.keys", axis=2)
        values = net.op("TensorScatter", past_values, value, self.past_lengths, name=f"{name}.values", axis=2)
        attended = net.op("Attention", query, keys, values, self.mask, name=f"{name}.attention")
        merged = net.op("Reshape", net.op("Transpose", attended, perm=[0, 2, 1, 3]), net.constant([0, 0, -1], np.int64))
        return self._linear(f"{name}.o_proj", merged, shape.heads * shape.head_dim, shape.hidden_size), keys, values

    def _heads(self, name: str, normed: ir.Value, heads: int, norm: str = "") -> ir.Value:
        """Project `[B,S,D]` and split it into `[B,heads,S,Dh]`, each head normalised if a norm is named."""
        net, shape = self.net, self.shape
        projected = self._linear(name, normed, shape.hidden_size, heads * shape.head_dim)
        split = net.op("Reshape", projected, net.constant([0, 0, heads, shape.head_dim], np.int64))
        if norm:
            ones = net.constant(np.ones(shape.head_dim), np.float32)  # the scale and shift differ from head to head
            normalised = net.op("LayerNormalization", split, ones, axis=-1, epsilon=QK_NORM_EPS, name=norm)
            scale, shift = (self._weight(f"{norm}.{kind}", (heads, shape.head_dim)) for kind in ("weight", "bias"))
            split = net.op("Add", net.op("Mul", normalised, scale), shift)
        return net.op("Transpose", split, perm=[0, 2, 1, 3])

    def _rotated(self, heads: ir.Value, name: str) -> ir.Value:
        return self.net.op("RotaryEmbedding", heads, self.cos, self.sin, self.positions, name=name)

    def _mlp(self, name: str, normed: ir.Value) -> ir.Value:
        """Return `down(act(gate(x)) * up(x))`."""
        net, shape = self.net, self.shape
        gate = self._linear(f"{name}.gate_proj", normed, shape.hidden_size, shape.mlp_size)
        up = self._linear(f"{name}.up_proj", normed, shape.hidden_size, shape.mlp_size)
        if shape.activation == "silu":
            active = net.op("Mul", gate, net.op("Sigmoid", gate))
        else:
            active = net.op("Gelu", gate, approximate="tanh")
        gated = net.op("Mul", active, up)
        return self._linear(f"{name}.down_proj", gated, shape.mlp_size, shape.hidden_size)

    def _linear(self, name: str, x: ir.Value, inputs: int, outputs: int) -> ir.Value:
        """Apply a torch Linear `(outputs, inputs)` as MatMul with its transpose, and its bias when it has one."""
        y = self.net.op("MatMul", x, self._weight(f"{name}.weight", (inputs, outputs), np.transpose), name=name)
        if self.checkpoint.has(f"{name}.bias"):
            y = self.net.op("Add", y, self._weight(f"{name}.bias", (outputs,)))
        return y

    def _norm(self, name: str, x: ir.Value) -> ir.Value:
        offset = np.float32(self.shape.norm_offset)
        scale = self._weight(f"{name}.weight", (self.shape.hidden_size,), lambda weight: weight + offset)
        return self.net.op("RMSNormalization", x, scale, axis=-1, epsilon=self.shape.norm_eps, name=name)

    def _weight(
        self, name: str, shape: tuple[int, ...], change: Callable[[Floats], Floats] = np.ascontiguousarray
    ) -> ir.Value:
        return self.net.weight(name, shape, lambda: np.ascontiguousarray(change(self.checkpoint.tensor(name))))

    def _last(self, hidden: ir.Value, token_counts: ir.Value) -> ir.Value:
        """Gather row `token_counts - 1` of every sequence, `[B,S,D]` -> `[B,D]`."""
        net = self.net
        places = net.op("Sub", token_counts, net.constant(1, np.int64))
        return net.op("GatherND", hidden, net.op("Unsqueeze", places, net.constant([1], np.int64)), batch_dims=1)


def rotary_tables(shape: DecoderShape) -> tuple[Floats, Floats]:
    """Return cos and sin `(max_positions, head_dim / 2)`, by the operations of transformers' default rope.

    In torch, because a power that differs in its last bit turns far positions by a visible angle.
    """
    exponents = torch.arange(0, shape.head_dim, 2, dtype=torch.float) / shape.head_dim
    frequencies = 1.0 / (shape.rope_theta**exponents)
    angles = torch.arange(shape.max_positions, dtype=torch.float)[:, None] * frequencies
    return angles.cos().numpy(), angles.sin().numpy()
