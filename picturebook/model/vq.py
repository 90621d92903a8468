"""The picture tokenizer in closed form: stock `Emu3VQVAE` weights that hold the tile basis, no training.

    pixels --unshuffle 16--> (768, h, w) --basis--> 96 signals --nearest--> code
    code --basis--> (768, h, w) --shuffle--> pixels

All residual branches are zero. A GroupNorm passes signals on unchanged because every group of twelve channels holds
(+s, -s, +t, -t, +u, -u, 0 ..., +LOUD, -LOUD): its mean is zero and its spread is LOUD * sqrt(2 / 12), whatever s is.
LIFT keeps the swish that follows in its straight part. The decoder's last norm takes the code directly (SpatialNorm
adds a map of it). Signals beyond the first 96 are kept small in the code, where they do not steer the search; the
decoder undoes that.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from transformers import Emu3VQVAE, Emu3VQVAEConfig

from edgevlo.runtime.arrays import Doubles

from ..world.atlas import CELL, CODES
from ..world.basis import Basis
from .new_model import vq_settings

GROUPS = 32  # of every GroupNorm in Emu3
LOUD = 4096.0
LIFT = 24.0
GAIN = 0.25  # signals reach the swish times this; a power of two, so that halves stay exact
MOST_A_GROUP = 3  # signals that are searched
QUIET = 1 / 128  # scale of the signals that only the decoder needs
HALF_LEVEL = 0.5 / 127.5  # Emu3 truncates to levels; half a level makes that rounding


def search_signals(dimensions: int) -> int:
    """How many dimensions the encoder passes on: as many as it can, up to what tells the tiles apart."""
    return GROUPS * min(MOST_A_GROUP, (dimensions // GROUPS - 2) // 2)


def build(basis: Basis) -> Any:
    """The tokenizer of a basis."""
    dimensions = len(basis.vectors)
    vq: Any = Emu3VQVAE(Emu3VQVAEConfig(**vq_settings(dimensions)))
    with torch.no_grad():
        for parameter in vq.parameters():
            parameter.zero_()
        _encoder(vq, basis)
        _codes(vq, basis)
        _decoder(vq, basis)
    return vq.eval()


def _tensor(values: Doubles) -> torch.Tensor:
    return torch.from_numpy(values.astype(np.float32))


def _encoder(vq: Any, basis: Basis) -> None:
    dimensions = len(basis.vectors)
    searched, width = search_signals(dimensions), dimensions // GROUPS
    per_group = searched // GROUPS
    vectors, start = _tensor(basis.vectors), _tensor(basis.vectors @ basis.mean)
    encoder = vq.encoder
    for signal in range(searched):
        group, place = divmod(signal, per_group)
        plus = group * width + 2 * place
        for channel, sign in ((plus, 1.0), (plus + 1, -1.0)):
            encoder.conv_in.weight[channel, :, 1, 1] = sign * vectors[signal]
            encoder.conv_in.bias[channel] = -sign * start[signal]
            encoder.norm_out.weight[channel] = GAIN * LOUD * (2 / width) ** 0.5
            encoder.norm_out.bias[channel] = LIFT
            encoder.conv_out.weight[signal, channel, 1, 1] = sign / (2 * GAIN)
    for group in range(GROUPS):
        encoder.conv_in.bias[group * width + width - 2] = LOUD
        encoder.conv_in.bias[group * width + width - 1] = -LOUD
    # what the search does not use is not passed on
    vq.quant_conv.conv.weight[:, :, 2, 0, 0] = torch.diag((_scales(dimensions) == 1).float())


def _scales(dimensions: int) -> torch.Tensor:
    scales = torch.full((dimensions,), QUIET)
    scales[: search_signals(dimensions)] = 1.0
    return scales


def _codes(vq: Any, basis: Basis) -> None:
    dimensions = len(basis.vectors)
    tiles = _tensor(basis.coefficients) * _scales(dimensions)
    # codes without a tile repeat the first one's: of equals, the search takes the first
    table = torch.cat([tiles, tiles[:1].expand(CODES - len(tiles), -1)])
    vq.quantize.embedding.weight.copy_(table)


def _decoder(vq: Any, basis: Basis) -> None:
    dimensions = len(basis.vectors)
    vq.post_quant_conv.conv.weight[:, :, 2, 0, 0] = torch.eye(dimensions)
    decoder = vq.decoder
    decoder.norm_out.conv_b.weight[:, :, 0, 0] = torch.diag(GAIN / _scales(dimensions))
    decoder.norm_out.conv_b.bias.fill_(LIFT)
    decoder.conv_out.weight[:, :, 1, 1] = _tensor(basis.vectors.T / GAIN)
    decoder.conv_out.bias.copy_(_tensor(basis.mean - basis.vectors.sum(axis=0) * LIFT / GAIN + HALF_LEVEL))


def unshuffled(pixels: NDArray[np.uint8]) -> torch.Tensor:
    """A picture as the tokenizer takes it, (height, width, 3) levels -> (1, 768, height/16, width/16)."""
    levels = torch.from_numpy(pixels.astype(np.float32)).permute(2, 0, 1)[None]
    return functional.pixel_unshuffle(levels / 127.5 - 1.0, CELL)


@torch.no_grad()
def encode(vq: Any, pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """Codes of a picture whose sides are multiples of 16, (rows, columns)."""
    values = unshuffled(pixels)
    sizes = torch.tensor([values.shape[-2:]])
    codes = vq.encode(values.to(vq.dtype), image_sizes=sizes).image_tokens[0]
    return np.asarray(codes.numpy(), np.int32)


@torch.no_grad()
def decode(vq: Any, codes: NDArray[np.integer]) -> NDArray[np.uint8]:
    """The picture of a grid of codes, by Emu3's own rule: scale, clip, truncate."""
    output = vq.decode(torch.from_numpy(codes.astype(np.int64))[None])
    levels = (functional.pixel_shuffle(output, CELL)[0] * 0.5 + 0.5) * 255
    return np.asarray(levels.clamp(0, 255).to(torch.uint8).permute(1, 2, 0).numpy())
