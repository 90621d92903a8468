"""Emu3ForConditionalGeneration: a Llama decoder and a MoVQ image tokenizer that share one vocabulary.

Any size of it: embeddings tied or not, multi-head or grouped attention, any number of codes. A tokenizer whose
`in_channels` is 3 p p reads pixels unshuffled by p (PixelUnshuffle in front, PixelShuffle behind).
"""

import functools
import math
import re
from typing import Any, Final

import torch
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import Emu3Config, Emu3ForConditionalGeneration
from transformers.models.emu3.modeling_emu3 import Emu3VQVAE

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import pictures as manifest_pictures
from edgevlo.runtime.manifest.graphs import GraphRole

from ...checkpoint.folder import Checkpoint
from ...checkpoint.tokenizer import read_tokenizer
from ...export_plan import ExportPlan, TorchGraph
from ...graphs.guided_image_head import ImageHead
from ...optimum_registry import TASK, BackboneConfig, register
from ...stream_modules import META, load
from ...transformers_model import (
    HEAD,
    TransformersReference,
    decoder_shape,
    floats,
    promised_tensors,
    read_config,
)
from .defaults import family_defaults, first_code, image_block
from .vq import ImageDecoder, ImageTokenizer

ARCHITECTURE: Final = "Emu3ForConditionalGeneration"

# Checkpoints converted by transformers 4 name their tensors differently (transformers/conversion_mapping.py, "emu3").
_LEGACY: Final = (
    (re.compile(r"^text_model\.lm_head"), "lm_head"),
    (re.compile(r"^text_model\.model"), "model.text_model"),
    (re.compile(r"^vqmodel"), "model.vqmodel"),
)
_DECODER: Final = "model.text_model"
_PARTS: Final = {"model.vqmodel.": "image tokenizer", f"{_DECODER}.": "decoder"}


@register("emu3", TASK)
class Emu3BackboneConfig(BackboneConfig):
    """Emu3's decoder."""


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about an Emu3 checkpoint in transformers' format."""
    checkpoint = checkpoint.renamed(_canonical)
    return plan_as(checkpoint, _config(checkpoint), read_tokenizer(checkpoint))


def plan_as(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> ExportPlan:
    """Return the plan of a checkpoint whose tensors have transformers' names."""
    unshuffle = _unshuffle(checkpoint, config.vq_config)
    expected, spare = promised_tensors(checkpoint, Emu3ForConditionalGeneration, config, "Emu3")
    checkpoint.expect(expected, _PARTS, spare)
    codes = manifest_pictures.Codes(
        count=config.vq_config.codebook_size,
        first_token=first_code(checkpoint, config, tokenizer),
        cell=unshuffle * 2 ** (len(config.vq_config.channel_multiplier) - 1),
    )
    embedding = f"{_DECODER}.embed_tokens"
    head = "lm_head" if checkpoint.has(HEAD) else embedding
    return ExportPlan(
        family="emu3",
        architecture=ARCHITECTURE,
        checkpoint=checkpoint,
        config=config,
        decoder=decoder_shape(checkpoint, config.text_config, _DECODER),
        embedding=f"{embedding}.weight",
        text_head=f"{head}.weight",
        image_head=ImageHead(layers=(head,), codes=slice(codes.first_token, codes.first_token + codes.count)),
        codes=codes,
        image_block=image_block(checkpoint, config, tokenizer),
        defaults=family_defaults(checkpoint, config, tokenizer, codes),
        torch_graphs=functools.partial(_torch_graphs, checkpoint, config.vq_config, unshuffle),
        reference=functools.partial(Emu3Reference, checkpoint, config, codes, unshuffle),
    )


def _canonical(name: str) -> str:
    for pattern, replacement in _LEGACY:
        name = pattern.sub(replacement, name)
    return name


def _config(checkpoint: Checkpoint) -> Any:
    """Return transformers' own reading of config.json: it knows older spellings, and defaults."""
    config = read_config(checkpoint, Emu3Config, checkpoint.config, "Emu3")
    if not config.vocabulary_map:
        path = checkpoint.folder / "config.json"
        raise CheckpointError(f"{path} has no vocabulary_map, so its codes have no tokens; download it again.")
    return config


def _unshuffle(checkpoint: Checkpoint, vq: Any) -> int:
    """Return p, where the tokenizer's channels are 3 p p."""
    p = math.isqrt(vq.in_channels // 3)
    if 3 * p * p != vq.in_channels or vq.out_channels != vq.in_channels:
        raise CheckpointError(
            f"{checkpoint.folder / 'config.json'}: vq_config has {vq.in_channels} channels in and {vq.out_channels} "
            "out; edgevlo exports tokenizers with 3, 12, 27, 48 ... in and as many out."
        )
    if vq.temporal_downsample_factor not in (1, 2, 4, 8):
        raise CheckpointError(
            f"{checkpoint.folder / 'config.json'}: vq_config has temporal_downsample_factor "
            f"{vq.temporal_downsample_factor}; edgevlo exports 1, 2, 4 and 8."
        )
    return p


def _torch_graphs(checkpoint: Checkpoint, vq_config: Any, unshuffle: int) -> dict[GraphRole, TorchGraph]:
    """Return the folded tokenizer and decoder, with the checkpoint's weights and nothing else in memory."""
    vq_config._attn_implementation = "eager"  # MatMul and Softmax, which every runtime takes at a head of 512
    with META:
        vq: Any = Emu3VQVAE(vq_config)
    load(vq, "model.vqmodel", checkpoint)
    cell = unshuffle * vq.spatial_scale_factor
    rows, columns = torch.export.Dim("h"), torch.export.Dim("w")
    return {
        "image_decoder": TorchGraph(
            module=ImageDecoder(vq, unshuffle).eval(),
            example=torch.arange(12).reshape(1, 3, 4) % vq_config.codebook_size,
            input=("codes", (1, "h", "w")),
            output=("pixels", (1, 3, "H", "W")),
            dynamic={1: rows, 2: columns},
        ),
        "image_tokenizer": TorchGraph(
            module=ImageTokenizer(vq, unshuffle).eval(),
            example=torch.linspace(-1, 1, 3 * 3 * cell * 4 * cell).reshape(1, 3, 3 * cell, 4 * cell),
            input=("pixel_values", (1, 3, "H", "W")),
            output=("codes", (1, "h", "w")),
            dynamic={2: rows * cell, 3: columns * cell},
        ),
    }


class Emu3Reference(TransformersReference):
    """transformers' own Emu3; the image tokenizer stays in memory once it was asked for."""

    def __init__(self, checkpoint: Checkpoint, config: Any, codes: manifest_pictures.Codes, unshuffle: int) -> None:
        super().__init__(checkpoint, Emu3ForConditionalGeneration, config, _DECODER)
        self.rows = slice(codes.first_token, codes.first_token + codes.count)
        self.unshuffle = unshuffle

    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""
        return self.logits(hidden, self.rows)

    @torch.no_grad()
    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""
        pixels = functional.pixel_unshuffle(torch.from_numpy(pixel_values), self.unshuffle)
        encoded = self.vq.encode(pixels, torch.tensor([pixels.shape[-2:]]))
        codes: Codes = encoded.image_tokens[0][None].numpy()
        return codes

    @torch.no_grad()
    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
        frame = self.vq.decode(torch.from_numpy(codes))
        return floats(functional.pixel_shuffle(frame, self.unshuffle))
