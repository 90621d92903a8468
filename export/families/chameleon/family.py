"""ChameleonForConditionalGeneration: Chameleon, Anole and Lumina-mGPT, one vocabulary of words and of VQGAN codes.

A Llama decoder whose queries and keys are normalised head by head; in the large model the other norms stand behind what
they stand before elsewhere (`swin_norm`). transformers' class reads pictures and never paints one, because it masks the
codes in its logits; its modules without that mask are what painting is compared with.

The codes' tokens need not be in the codebook's order: `vocabulary_map` names them. The bundle counts codes in the order
of their tokens, and the codebook in its graphs is put in that order.
"""

import functools
import re
import warnings
from typing import Any, Final

import numpy as np
from transformers import ChameleonConfig, ChameleonForConditionalGeneration

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import pictures as manifest_pictures

from ...checkpoint.folder import Checkpoint, CheckpointWarning, Shape
from ...checkpoint.tensor_names import Part
from ...checkpoint.tokenizer import read_tokenizer
from ...export_plan import ExportPlan
from ...graphs.guided_image_head import ImageHead
from ...optimum_registry import TASK, FlatBackboneConfig, register
from ...transformers_model import HEAD, TransformersReference, decoder_shape, promised_tensors, read_config
from .. import vqgan
from ..vqgan import VqganReference
from .defaults import anole_defaults, chameleon_block
from .lumina import lumina_block, lumina_defaults, released_as
from .vocabulary import code_tokens, read_names

ARCHITECTURE: Final = "ChameleonForConditionalGeneration"
WEIGHTS_LICENCE: Final = (
    "Chameleon Research License: NON-COMMERCIAL research use only, for these weights and everything made of them "
    "(https://ai.meta.com/resources/models-and-libraries/chameleon-license)"
)

_DECODER: Final = "model"
_PARTS: Final = {f"{vqgan.PREFIX}.encoder.": "image tokenizer", f"{_DECODER}.layers.": "decoder"}
_HEAD_NORM: Final = re.compile(r"\.self_attn\.[qk]_norm\.(weight|bias)$")


@register("chameleon", TASK)
class ChameleonBackboneConfig(FlatBackboneConfig):
    """Chameleon's decoder, whose config is not nested."""


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about a checkpoint of Chameleon's class."""
    config = _config(checkpoint)
    vq = config.vq_config
    checkpoint = vqgan.completed(checkpoint.arranged(functools.partial(_arranged, config)))
    release = released_as(checkpoint)
    if not vqgan.has_decoder(checkpoint):
        if release is not None:
            raise CheckpointError(f"{vqgan.missing(checkpoint)}. Put it there and export again.")
        warnings.warn(
            f"{vqgan.missing(checkpoint)}; the bundle answers about pictures and paints none", CheckpointWarning, 2
        )
    _check_tensors(checkpoint, config)
    tokenizer = read_tokenizer(checkpoint)
    first_token, order = code_tokens(checkpoint, config, tokenizer)
    names = read_names(checkpoint, config, tokenizer)
    codes = manifest_pictures.Codes(count=vq.num_embeddings, first_token=first_token, cell=vqgan.cell(vq))
    embedding = f"{_DECODER}.embed_tokens"
    head = "lm_head" if checkpoint.has(HEAD) else embedding
    if release is None:
        block, defaults = chameleon_block(names), anole_defaults(checkpoint, config, names, codes.cell)
    else:
        block, defaults = lumina_block(names), lumina_defaults(config, names, codes.cell, release)
    return ExportPlan(
        family="chameleon" if release is None else "lumina-mgpt",
        architecture=ARCHITECTURE,
        checkpoint=checkpoint,
        config=config,
        decoder=decoder_shape(checkpoint, config, _DECODER, qk_norm=True, post_norm=bool(config.swin_norm)),
        embedding=f"{embedding}.weight",
        text_head=f"{head}.weight",
        image_head=ImageHead(layers=(head,), codes=slice(first_token, first_token + codes.count)),
        codes=codes,
        image_block=block,
        defaults=defaults,
        torch_graphs=functools.partial(vqgan.torch_graphs, checkpoint, vq, order),
        reference=functools.partial(ChameleonReference, checkpoint, config, codes, order),
        weights_licence=WEIGHTS_LICENCE,
        licence_binds=True,
    )


def _config(checkpoint: Checkpoint) -> Any:
    """Return transformers' reading of config.json, checked for what neither transformers nor the graphs can do."""
    path = checkpoint.folder / "config.json"
    raw = {key: value for key, value in checkpoint.config.items() if key != "model_type"}
    config = read_config(checkpoint, ChameleonConfig, raw, "Chameleon")
    if not config.vocabulary_map:
        raise CheckpointError(f"{path} has no vocabulary_map, so its codes have no tokens; download it again.")
    vq = config.vq_config
    if vq.attn_type != "vanilla" or vq.double_latent or vq.attn_resolutions:
        raise CheckpointError(
            f"{path}: vq_config has attn_type {vq.attn_type!r}, double_latent {vq.double_latent} and attn_resolutions "
            f"{vq.attn_resolutions}; edgevlo exports 'vanilla', False and none, as the released models have it."
        )
    return config


def _arranged(config: Any, name: str, shape: Shape) -> list[Part]:
    """Return a tensor as it is; scales and shifts of heads as `(heads, head_dim)` however they are stored."""
    head_dim = config.hidden_size // config.num_attention_heads
    if _HEAD_NORM.search(name) and shape[-1:] != (head_dim,):
        shape = (int(np.prod(shape)) // head_dim, head_dim)
    return [Part(name=name, shape=shape)]


def _check_tensors(checkpoint: Checkpoint, config: Any) -> None:
    expected, spare = promised_tensors(checkpoint, ChameleonForConditionalGeneration, config, "Chameleon")
    if vqgan.has_decoder(checkpoint):
        expected |= vqgan.decoder_tensors(checkpoint, config.vq_config)
    checkpoint.expect(expected, _PARTS, {*spare, vqgan.FILES_CODEBOOK})


class ChameleonReference(TransformersReference):
    """transformers' own Chameleon, and transformers' decoder of the same layout as VQGAN's."""

    def __init__(self, checkpoint: Checkpoint, config: Any, codes: manifest_pictures.Codes, order: vqgan.Order) -> None:
        super().__init__(checkpoint, ChameleonForConditionalGeneration, config, _DECODER)
        self.rows = slice(codes.first_token, codes.first_token + codes.count)
        self.pictures = VqganReference(checkpoint, config.vq_config, order)

    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`, which the class itself masks."""
        return self.logits(hidden, self.rows)

    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""
        return self.pictures.codes(pixel_values)

    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
        return self.pictures.pixels(codes)
