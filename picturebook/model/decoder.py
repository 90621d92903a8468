"""The decoder as it is trained: Emu3's text model over packs, in which a token sees its own exercise's past only.

The weights have the names and the meaning that they have in transformers (`Emu3TextModel`), which a test compares with.
On an accelerator the parts between the attentions are compiled; a pack's size never changes, so that is done once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import torch
from torch import nn
from torch.nn import functional

from ..exercises.pack import Pack
from .new_model import HEAD, TEXT_MODEL

Projected: TypeAlias = tuple[torch.Tensor, torch.Tensor, torch.Tensor]  # queries, keys, values, (tokens, heads, HEAD)
# a CPU that multiplies bfloat16 trains in it twice as fast
FAST_HALF = hasattr(torch.cpu, "_is_avx512_bf16_supported") and torch.cpu._is_avx512_bf16_supported()
EPSILON: float = TEXT_MODEL["rms_norm_eps"]
THETA: float = TEXT_MODEL["rope_parameters"]["rope_theta"]


class Layer(nn.Module):
    """The weights of a layer."""

    def __init__(self, width: int, inner: int) -> None:
        super().__init__()

        def linear(inputs: int, outputs: int) -> nn.Linear:
            return nn.Linear(inputs, outputs, bias=False)

        self.self_attn = nn.ModuleDict({f"{name}_proj": linear(width, width) for name in "qkvo"})
        self.mlp = nn.ModuleDict(
            {"gate_proj": linear(width, inner), "up_proj": linear(width, inner), "down_proj": linear(inner, width)}
        )
        self.input_layernorm = nn.RMSNorm(width, EPSILON)
        self.post_attention_layernorm = nn.RMSNorm(width, EPSILON)


def rotations(places: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Cosines and sines of rotary embeddings (Su et al., 2021), (tokens, 1, HEAD)."""
    steps = torch.arange(0, HEAD, 2, device=places.device)
    angles = places[:, None] / THETA ** (steps / HEAD)
    angles = torch.cat([angles, angles], dim=-1)[:, None]
    return angles.cos(), angles.sin()


def rotated(states: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> torch.Tensor:
    """Queries or keys turned by their places."""
    first, second = states.chunk(2, dim=-1)
    return (states * cosines + torch.cat([-second, first], dim=-1) * sines).to(states.dtype)


def project(layer: Layer, states: torch.Tensor, cosines: torch.Tensor, sines: torch.Tensor) -> Projected:
    """What a layer does before its attention."""
    normed = layer.input_layernorm(states)
    q, k, v = (layer.self_attn[f"{name}_proj"](normed).unflatten(-1, (-1, HEAD)) for name in "qkv")
    return rotated(q, cosines, sines), rotated(k, cosines, sines), v


def conclude(layer: Layer, states: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
    """What a layer does after its attention."""
    states = states + layer.self_attn["o_proj"](attended.flatten(1))
    normed = layer.post_attention_layernorm(states)
    gated = functional.silu(layer.mlp["gate_proj"](normed)) * layer.mlp["up_proj"](normed)
    concluded: torch.Tensor = states + layer.mlp["down_proj"](gated)
    return concluded


def attend(projected: Projected, pack: Pack[torch.Tensor]) -> torch.Tensor:
    """Causal attention within each exercise, (tokens, heads, HEAD)."""
    if projected[0].is_cuda:
        from torch.nn.attention.varlen import varlen_attn

        longest, past_only = pack.longest, (-1, 0)
        made = varlen_attn(*projected, pack.starts, pack.starts, longest, longest, window_size=past_only)
        assert isinstance(made, torch.Tensor)
        return made
    lengths = pack.starts.diff().tolist()
    parts = zip(*(torch.split(states.transpose(0, 1), lengths, 1) for states in projected), strict=True)
    attended = [functional.scaled_dot_product_attention(q, k, v, is_causal=True) for q, k, v in parts]
    return torch.cat(attended, dim=1).transpose(0, 1)


class Decoder(nn.Module):
    """Emu3's text model, for training; `compiled` is for accelerators and packs of one size."""

    def __init__(self, vocabulary: int, width: int, inner: int, layers: int, *, compiled: bool = False) -> None:
        super().__init__()
        self.embed_tokens = nn.Embedding(vocabulary, width)
        self.layers = nn.ModuleList(Layer(width, inner) for _ in range(layers))
        self.norm = nn.RMSNorm(width, EPSILON)
        self.in_half = False  # whether to compute in bfloat16 on a CPU, as on an accelerator
        self.project: Callable[..., Projected] = torch.compile(project) if compiled else project
        self.conclude: Callable[..., torch.Tensor] = torch.compile(conclude) if compiled else conclude

    @classmethod
    def of(cls, weights: dict[str, torch.Tensor], *, compiled: bool = False) -> Decoder:
        """One of the shape of these weights, with random ones."""
        layers = 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers."))
        inner = len(weights["layers.0.mlp.up_proj.weight"])
        vocabulary, width = weights["embed_tokens.weight"].shape
        return cls(vocabulary, width, inner, layers, compiled=compiled)

    def forward(self, pack: Pack[torch.Tensor]) -> list[torch.Tensor]:
        """The states of all tokens, (tokens, width): embedded, then after each layer, the last ones normalised."""
        with torch.autocast(pack.ids.device.type, torch.bfloat16, enabled=pack.ids.is_cuda or self.in_half):
            cosines, sines = rotations(pack.places)
            states = [self.embed_tokens(pack.ids)]
            for layer in self.layers:
                attended = attend(self.project(layer, states[-1], cosines, sines), pack)
                states.append(self.conclude(layer, states[-1], attended))
            states[-1] = self.norm(states[-1])
        return states

    def __deepcopy__(self, memo: dict[int, Any]) -> Decoder:
        """A copy that is not compiled, for packs of any size."""
        copy = Decoder.of(self.state_dict()).to(self.embed_tokens.weight.device)
        copy.load_state_dict(self.state_dict())
        return copy
