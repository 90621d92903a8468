"""Cosmos' decoder as NVIDIA publishes it, in three dimensions: what the folded one is compared with.

Written after github.com/NVIDIA/Cosmos-Tokenizer (layers3d.DecoderFactorized, patching.UnPatcher3D), whose own program
is not run; for one latent frame. Tensors are `(1, C, T, h, w)`.
"""

import torch
from torch import Tensor
from torch.nn import functional

from .codes import EPS, PATCH_LEVELS, Tensors, digits

HAAR = 0.5**0.5


def decode(weights: Tensors, codes: Tensor) -> Tensor:
    """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
    hidden = digits(codes)[:, None].permute(0, 4, 1, 2, 3)
    hidden = _convolved(weights, "post_quant_conv", hidden)
    hidden = _pair(weights, "decoder.conv_in", hidden)
    hidden = _block(weights, "decoder.mid.block_1", hidden)
    hidden = _attended(weights, "decoder.mid.attn_1.0", hidden)
    hidden = _attended_in_time(weights, "decoder.mid.attn_1.1", hidden)
    hidden = _block(weights, "decoder.mid.block_2", hidden)
    levels = len({name.split(".")[2] for name in weights if name.startswith("decoder.up.")})
    for level in reversed(range(levels)):
        place = 0
        while f"decoder.up.{level}.block.{place}.norm1.norm.weight" in weights:
            hidden = _block(weights, f"decoder.up.{level}.block.{place}", hidden)
            place += 1
        if level:
            hidden = _enlarged(weights, f"decoder.up.{level}.upsample", hidden, in_time=level == levels - 2)
    hidden = _pair(weights, "decoder.conv_out", functional.silu(_normed(weights, "decoder.norm_out", hidden)))
    for _ in range(PATCH_LEVELS):
        hidden = _inverse_haar(hidden)
    return hidden[:, :, 2**PATCH_LEVELS - 1]


def _convolved(weights: Tensors, name: str, x: Tensor) -> Tensor:
    """Convolve causally: copies of the first frame stand before it, zeros around it."""
    kernel = weights[f"{name}.conv3d.weight"]
    _, _, frames, size, _ = kernel.shape
    x = torch.cat([x[:, :, :1].repeat(1, 1, frames - 1, 1, 1), x], dim=2)
    return functional.conv3d(x, kernel, weights[f"{name}.conv3d.bias"], padding=(0, size // 2, size // 2))


def _pair(weights: Tensors, name: str, x: Tensor) -> Tensor:
    return _convolved(weights, f"{name}.1", _convolved(weights, f"{name}.0", x))


def _normed(weights: Tensors, name: str, x: Tensor) -> Tensor:
    frames = [
        functional.group_norm(frame, 1, weights[f"{name}.norm.weight"], weights[f"{name}.norm.bias"], EPS)
        for frame in x.unbind(2)
    ]
    return torch.stack(frames, dim=2)


def _block(weights: Tensors, name: str, x: Tensor) -> Tensor:
    hidden = _pair(weights, f"{name}.conv1", functional.silu(_normed(weights, f"{name}.norm1", x)))
    hidden = _pair(weights, f"{name}.conv2", functional.silu(_normed(weights, f"{name}.norm2", hidden)))
    shortcut = f"{name}.nin_shortcut"
    return hidden + (_convolved(weights, shortcut, x) if f"{shortcut}.conv3d.weight" in weights else x)


def _attended(weights: Tensors, name: str, x: Tensor) -> Tensor:
    normed = _normed(weights, f"{name}.norm", x)
    query, key, value = (_convolved(weights, f"{name}.{part}", normed) for part in "qkv")
    frames = []
    for q, k, v in zip(query.unbind(2), key.unbind(2), value.unbind(2), strict=True):
        scores = q.flatten(2).mT @ k.flatten(2) * q.shape[1] ** -0.5
        frames.append((v.flatten(2) @ scores.softmax(-1).mT).reshape(v.shape))
    return x + _convolved(weights, f"{name}.proj_out", torch.stack(frames, dim=2))


def _attended_in_time(weights: Tensors, name: str, x: Tensor) -> Tensor:
    normed = _normed(weights, f"{name}.norm", x)
    query, key, value = (_convolved(weights, f"{name}.{part}", normed).permute(0, 3, 4, 2, 1) for part in "qkv")
    scores = query @ key.mT * x.shape[1] ** -0.5
    later = torch.ones(scores.shape[-2:]).triu(1).bool()
    attended = scores.masked_fill(later, -torch.inf).softmax(-1) @ value
    return x + _convolved(weights, f"{name}.proj_out", attended.permute(0, 4, 3, 1, 2))


def _enlarged(weights: Tensors, name: str, x: Tensor, *, in_time: bool) -> Tensor:
    """Enlarge by two both ways; one frame stays one, though the layer in time is run."""
    if in_time:
        x = _convolved(weights, f"{name}.conv1", x) + x
    x = x.repeat_interleave(2, dim=3).repeat_interleave(2, dim=4)
    x = _convolved(weights, f"{name}.conv2", x) + x
    return _convolved(weights, f"{name}.conv3", x)


def _inverse_haar(x: Tensor) -> Tensor:
    """Undo one Haar step in all three dimensions, across first, then down, then in time."""
    parts = list(x.chunk(8, dim=1))
    for axis in (4, 3, 2):
        parts = [_joined(low, high, axis) for low, high in zip(parts[::2], parts[1::2], strict=True)]
    whole: Tensor = parts[0] / HAAR**3
    return whole


def _joined(low: Tensor, high: Tensor, axis: int) -> Tensor:
    """Interleave sums and differences along an axis, by the wavelet's factor of one over the root of two."""
    both = torch.stack([low + high, low - high], dim=axis + 1)
    return both.flatten(axis, axis + 1) * HAAR
