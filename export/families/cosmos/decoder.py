"""NVIDIA's Cosmos discrete tokenizer (DV 8x16x16), its decoder alone, for a single picture.

It is a video model: factorised causal convolutions, three dimensions of Haar patches, and finite scalar quantisation,
where a code is a number whose digits are the latent's channels. A picture is one frame, in front of which frames are
padded with copies of it, so a convolution over time is the sum of its taps; attention over one frame in time returns
its values; and of the frames that the Haar patches hold the last is the picture. What is left has two dimensions:

    codes ─► digits ─► 1x1 ─► 3x3 ─► block, attention, block ─► (blocks ─► enlarge) * ─► norm ─► 3x3 ─► Haar ─► pixels

The layers and names are those of github.com/NVIDIA/Cosmos-Tokenizer (layers3d, quantizers, patching). The release is a
TorchScript program, which is never run here; `decoder.safetensors` holds its tensors (docs/export.md).
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn
from torch.nn import functional

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.graphs import GraphRole

from ...checkpoint.folder import Checkpoint, Shape
from ...checkpoint.tensor_names import Part
from ...export_plan import TorchGraph
from ...transformers_model import floats
from ..registry import COSMOS_FILES
from .codes import EPS, LEVELS, PATCH_LEVELS, Tensors, digits
from .reference import decode

FILE: Final = COSMOS_FILES[0]
PREFIX: Final = "cosmos."

_CONVERT: Final = (
    "Save the tensors of nvidia/Cosmos-1.0-Tokenizer-DV8x16x16's decoder.jit there, as docs/export.md says, and export "
    "again."
)


class CosmosPictures:
    """The decoder beside a model of text; its sizes are read off its tensors. Reads no pictures."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        path = checkpoint.folder / FILE
        if not path.is_file():
            raise CheckpointError(f"{path} is missing, the pixel decoder of this model. {_CONVERT}")

        def layout(name: str, shape: Shape) -> Iterator[Part]:
            if name.startswith(("decoder.", "post_quant_conv.")):
                yield Part(name=f"{PREFIX}{name}", shape=shape)

        self.checkpoint = checkpoint.completed(path, layout)
        names = [name for name in self.checkpoint.names() if name.startswith(PREFIX)]
        levels = {match[1] for name in names if (match := re.match(rf"{PREFIX}decoder\.up\.(\d+)\.", name))}
        if not levels or self.checkpoint.shape(f"{PREFIX}post_quant_conv.conv3d.weight")[1] != len(LEVELS):
            raise CheckpointError(f"{path} is not the decoder of a Cosmos discrete tokenizer. {_CONVERT}")
        self.names = names
        self.count = int(torch.tensor(LEVELS).prod())
        self.cell = 2 ** (len(levels) - 1 + PATCH_LEVELS)

    def tensors(self) -> dict[str, Shape]:
        """Return all of its tensors."""
        return {name: self.checkpoint.shape(name) for name in self.names}

    def weights(self) -> Tensors:
        """Return its tensors by the names in the file."""
        return {name.removeprefix(PREFIX): torch.from_numpy(self.checkpoint.tensor(name)) for name in self.names}

    def torch_graphs(self, *, reads: bool) -> dict[GraphRole, TorchGraph]:
        """Return the decoder."""
        if reads:
            raise AssertionError("only the decoder of Cosmos is exported: a family that has it reads no pictures")
        return {
            "image_decoder": TorchGraph(
                module=ImageDecoder(self.weights()).eval(),
                example=torch.arange(12).reshape(1, 3, 4) * 101 % self.count,
                input=("codes", (1, "h", "w")),
                output=("pixels", (1, 3, "H", "W")),
                dynamic={1: torch.export.Dim("h"), 2: torch.export.Dim("w")},
            )
        }

    def codes(self, pixel_values: Floats) -> Codes:
        """Pictures are not read."""
        raise NotImplementedError

    @torch.no_grad()
    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`, by the layers as they are: in three dimensions."""
        return floats(decode(self.weights(), torch.from_numpy(codes)))


class ImageDecoder(nn.Module):
    """Codes `(1, h, w)` -> pixels `(1, 3, H, W)`, about -1 to 1."""

    def __init__(self, weights: Tensors) -> None:
        super().__init__()
        levels = len({name.split(".")[2] for name in weights if name.startswith("decoder.up.")})
        self.digits = nn.Parameter(digits(torch.arange(int(torch.tensor(LEVELS).prod()))), requires_grad=False)
        self.post_quant_conv = folded(weights, ["post_quant_conv"])
        self.conv_in = folded(weights, ["decoder.conv_in.0", "decoder.conv_in.1"])
        self.before, self.after = (_Block(weights, f"decoder.mid.block_{place}") for place in (1, 2))
        self.attention = _Attention(weights, "decoder.mid.attn_1.0")
        self.time_norm = _norm(weights, "decoder.mid.attn_1.1.norm")
        self.time_values = folded(weights, ["decoder.mid.attn_1.1.v", "decoder.mid.attn_1.1.proj_out"])
        self.up = nn.ModuleList(_Level(weights, f"decoder.up.{level}") for level in reversed(range(levels)))
        self.norm_out = _norm(weights, "decoder.norm_out")
        self.conv_out = folded(weights, ["decoder.conv_out.0", "decoder.conv_out.1"])

    def forward(self, codes: Tensor) -> Tensor:
        """Return the picture."""
        hidden = functional.embedding(codes, self.digits).permute(0, 3, 1, 2)
        hidden = self.attention(self.before(self.conv_in(self.post_quant_conv(hidden))))
        hidden = self.after(hidden + self.time_values(self.time_norm(hidden)))
        for level in self.up:
            hidden = level(hidden)
        hidden = self.conv_out(functional.silu(self.norm_out(hidden)))
        for _ in range(PATCH_LEVELS):
            hidden = unpatched(hidden)
        return hidden


def unpatched(hidden: Tensor) -> Tensor:
    """Return the last frame of one inverse Haar step `(1, 8 C, h, w)` -> `(1, C, 2 h, 2 w)`.

    Channels are eight groups, low or high in time, down and across; in the later frame high counts negative, and so it
    does in the lower row and the right column. The reference's factors multiply to one.
    """
    low, high = hidden.chunk(2, dim=1)
    ll, lh, hl, hh = (low - high).chunk(4, dim=1)
    upper, lower = (ll + hl, lh + hh), (ll - hl, lh - hh)
    corners = [part for low, high in (upper, lower) for part in (low + high, low - high)]
    return functional.pixel_shuffle(torch.stack(corners, dim=2).flatten(1, 2), 2)


def folded(weights: Tensors, names: Sequence[str]) -> nn.Conv2d:
    """Return causal convolutions over one frame, each the sum of its taps in time, as one convolution.

    All but the first are 1x1, as the one over time of a factorised pair is.
    """
    kernel, bias = _over_one_frame(weights, names[0])
    for name in names[1:]:
        mixing, own = _over_one_frame(weights, name)
        matrix = mixing[:, :, 0, 0]
        kernel, bias = torch.einsum("oc,cikl->oikl", matrix, kernel), matrix @ bias + own
    outputs, inputs, size, _ = kernel.shape
    convolution = nn.Conv2d(inputs, outputs, size, padding=size // 2)
    convolution.load_state_dict({"weight": kernel, "bias": bias})
    return convolution.requires_grad_(requires_grad=False)


def _over_one_frame(weights: Tensors, name: str) -> tuple[Tensor, Tensor]:
    return weights[f"{name}.conv3d.weight"].sum(2), weights[f"{name}.conv3d.bias"]


def _norm(weights: Tensors, name: str) -> nn.GroupNorm:
    scale = weights[f"{name}.norm.weight"]
    norm = nn.GroupNorm(1, len(scale), eps=EPS)
    norm.load_state_dict({"weight": scale, "bias": weights[f"{name}.norm.bias"]})
    return norm.requires_grad_(requires_grad=False)


class _Block(nn.Module):
    """Two factorised convolutions beside a short cut."""

    def __init__(self, weights: Tensors, name: str) -> None:
        super().__init__()
        self.norms = nn.ModuleList(_norm(weights, f"{name}.norm{place}") for place in (1, 2))
        pairs = ([f"{name}.conv{place}.{part}" for part in (0, 1)] for place in (1, 2))
        self.convs = nn.ModuleList(folded(weights, pair) for pair in pairs)
        shortcut = f"{name}.nin_shortcut"
        self.shortcut: nn.Module = nn.Identity()
        if f"{shortcut}.conv3d.weight" in weights:
            self.shortcut = folded(weights, [shortcut])

    def forward(self, x: Tensor) -> Tensor:
        hidden = x
        for norm, convolution in zip(self.norms, self.convs, strict=True):
            hidden = convolution(functional.silu(norm(hidden)))
        total: Tensor = self.shortcut(x) + hidden
        return total


class _Attention(nn.Module):
    """Attention among the cells of a frame."""

    def __init__(self, weights: Tensors, name: str) -> None:
        super().__init__()
        self.norm = _norm(weights, f"{name}.norm")
        self.q, self.k, self.v, self.out = (folded(weights, [f"{name}.{part}"]) for part in ("q", "k", "v", "proj_out"))

    def forward(self, x: Tensor) -> Tensor:
        normed = self.norm(x)
        query, key, value = (part(normed).flatten(2).transpose(1, 2) for part in (self.q, self.k, self.v))
        scores = (query @ key.transpose(1, 2)) * (x.shape[1] ** -0.5)
        attended = (scores.softmax(-1) @ value).transpose(1, 2).reshape(x.shape)
        total: Tensor = x + self.out(attended)
        return total


class _Level(nn.Module):
    """Blocks and, but for the last level, an enlargement by two."""

    def __init__(self, weights: Tensors, name: str) -> None:
        super().__init__()
        if any(key.startswith(f"{name}.attn.") for key in weights):
            raise CheckpointError(f"{FILE} has attention in {name}; the released decoder has it in the middle only.")
        blocks = {key.split(".")[4] for key in weights if key.startswith(f"{name}.block.")}
        self.blocks = nn.ModuleList(_Block(weights, f"{name}.block.{place}") for place in range(len(blocks)))
        up = f"{name}.upsample"
        parts: list[Any] = []
        if f"{up}.conv3.conv3d.weight" in weights:
            parts = [folded(weights, [f"{up}.conv{place}"]) for place in (1, 2, 3)]
        self.enlarging = nn.ModuleList(parts)
        self.in_time = _in_time(weights, name)

    def forward(self, hidden: Tensor) -> Tensor:
        for block in self.blocks:
            hidden = block(hidden)
        if not self.enlarging:
            return hidden
        over_time, over_space, mixing = self.enlarging
        if self.in_time:
            hidden = over_time(hidden) + hidden
        hidden = functional.interpolate(hidden, scale_factor=2.0, mode="nearest")
        mixed: Tensor = mixing(over_space(hidden) + hidden)
        return mixed


def _in_time(weights: Tensors, name: str) -> bool:
    """Whether a level is enlarged in time as well: the second one that runs, for 8 frames and patches of 4."""
    levels = len({key.split(".")[2] for key in weights if key.startswith("decoder.up.")})
    return int(name.rsplit(".", 1)[1]) == levels - 2
