"""The parts of Janus that torch exports: VQ decoder and encoder for any grid, vision encoder and its aligner."""

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgevlo.runtime.arrays import Floats

# transformers' classes are not annotated: they are `Any` here and nowhere else.
JanusVQ = Any
JanusVision = Any


class ImageDecoder(nn.Module):
    """Codes `(1, h, w)` -> pixels `(1, 3, H, W)`.

    `JanusVQVAE.decode` takes one square grid and normalises the rows that it looks up; here the whole codebook is
    normalised once, so that released codebooks may be stored either way.
    """

    def __init__(self, vq: JanusVQ) -> None:
        super().__init__()
        codebook = functional.normalize(vq.quantize.embedding.weight.detach(), p=2, dim=-1)
        self.codebook = nn.Parameter(codebook, requires_grad=False)
        self.post_quant_conv = vq.post_quant_conv
        self.decoder = vq.decoder

    def forward(self, codes: Tensor) -> Tensor:
        """Return the picture, about -1 to 1."""
        quant = functional.embedding(codes, self.codebook).permute(0, 3, 1, 2)
        pixels: Tensor = self.decoder(self.post_quant_conv(quant))
        return pixels


class ImageTokenizer(nn.Module):
    """Pixels `(1, 3, H, W)` -> codes `(1, h, w)`, the nearest by angle.

    `JanusVQVAE.encode` compares with the codebook as it is stored; deepseek-ai's model normalises both sides, and the
    length of a latent does not change which code is nearest to it.
    """

    def __init__(self, vq: JanusVQ) -> None:
        super().__init__()
        codebook = functional.normalize(vq.quantize.embedding.weight.detach(), p=2, dim=-1)
        self.directions = nn.Parameter(codebook.T.contiguous(), requires_grad=False)
        self.encoder = vq.encoder
        self.quant_conv = vq.quant_conv

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return the codes."""
        latents = self.quant_conv(self.encoder(pixel_values)).permute(0, 2, 3, 1)
        codes: Tensor = (latents @ self.directions).argmax(-1)
        return codes


class VisionEncoder(nn.Module):
    """Pixels `(N, 3, S, S)` -> features `(N, T, D)`, embeddings of the decoder's size.

    `JanusVisionModel` without what its `forward` does for others: recorded outputs, pooling, other sizes.
    """

    def __init__(self, vision: JanusVision, aligner: Any) -> None:
        super().__init__()
        self.patches = vision.embeddings.patch_embedding
        self.places = vision.embeddings.position_embedding
        self.layers = vision.encoder.layers
        self.norm = vision.post_layernorm
        self.aligner = aligner

    def forward(self, pixel_values: Tensor) -> Tensor:
        """Return one feature a patch, row by row."""
        hidden = self.patches(pixel_values).flatten(2).transpose(1, 2) + self.places.weight
        for layer in self.layers:
            hidden = layer(hidden, None)
        features: Tensor = self.aligner(self.norm(hidden))
        return features


@torch.no_grad()
def code_embeddings(aligner: Any, codebook: Floats) -> Floats:
    """Return the aligner's output `(K, D)` for every row of the codes' own embeddings `(K, E)`, some at a time."""
    chunks = np.array_split(codebook, max(1, len(codebook) // 2048))
    return np.concatenate([aligner(torch.from_numpy(chunk)).numpy() for chunk in chunks])
