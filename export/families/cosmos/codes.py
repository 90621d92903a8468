"""The codes of Cosmos's discrete tokenizer, finite scalar quantisation (arXiv:2309.15505), and its constants."""

from typing import Final

import torch
from torch import Tensor

LEVELS: Final = (8, 8, 8, 5, 5, 5)  # of the digits, the first changing fastest
PATCH_LEVELS: Final = 2  # patches of 4 pixels: two Haar steps
EPS: Final = 1e-6

Tensors = dict[str, Tensor]


def digits(codes: Tensor) -> Tensor:
    """Return the latent `(..., 6)` of codes `(...)`: their digits, each from -1 to 1."""
    levels = torch.tensor(LEVELS)
    places = torch.cumprod(torch.tensor((1, *LEVELS[:-1])), 0)
    half = levels // 2
    return ((codes[..., None] // places % levels - half) / half).float()
