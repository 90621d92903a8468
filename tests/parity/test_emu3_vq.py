"""The temporal layers folded for one picture, in torch alone, for every number of frames a code may stand for."""

import copy
from typing import Any

import pytest
import torch
from transformers import Emu3VQVAE, Emu3VQVAEConfig

from edgevlo.export.families.emu3.vq import ImageDecoder, ImageTokenizer


@pytest.fixture(
    params=[(1, 1), (2, 2), (4, 1), (4, 2), (8, 1)], ids=lambda param: f"{param[0]}-frames-{param[1]}-blocks"
)
def vq(request: pytest.FixtureRequest) -> Any:
    torch.manual_seed(0)
    frames, blocks = request.param
    config = Emu3VQVAEConfig(
        codebook_size=200,
        embed_dim=4,
        latent_channels=4,
        temporal_downsample_factor=frames,
        base_channels=32,
        channel_multiplier=[1, 2],
        num_res_blocks=blocks,
        attn_resolutions=[1],
        hidden_size=64,
    )
    model: Any = Emu3VQVAE(config)
    with torch.no_grad():
        for name, buffer in model.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(std=0.3)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2.0)
    return model.eval()


@torch.no_grad()
def test_codes_equal_those_of_the_repeated_frame(vq: Any) -> None:
    pixels = torch.randn(1, 3, 12, 10).clamp(-1, 1)
    (expected,) = vq.encode(pixels, torch.tensor([[12, 10]])).image_tokens
    assert torch.equal(ImageTokenizer(copy.deepcopy(vq), 1)(pixels)[0], expected)


@torch.no_grad()
def test_pixels_equal_the_first_frame(vq: Any) -> None:
    codes = torch.randint(200, (1, 6, 5))
    expected = vq.decode(codes).reshape(1, 3, 12, 10)
    torch.testing.assert_close(ImageDecoder(copy.deepcopy(vq), 1)(codes), expected, atol=1e-4, rtol=0)
