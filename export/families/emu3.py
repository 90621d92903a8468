"""Emu3ForConditionalGeneration: a Llama decoder and a MoVQ image tokenizer that share one vocabulary.

Any size of it: embeddings tied or not, multi-head or grouped attention, any number of codes. A tokenizer whose
`in_channels` is 3 p p reads pixels unshuffled by p (PixelUnshuffle in front, PixelShuffle behind).
"""

import functools
import math
import re
from typing import Any, Final

import numpy as np
import torch
from optimum.utils import NormalizedTextConfig
from torch.nn import functional
from transformers import Emu3Config, Emu3ForConditionalGeneration
from transformers.models.emu3.modeling_emu3 import Emu3RotaryEmbedding, Emu3VQVAE

from edgevlo.export.backbone import DecoderShape
from edgevlo.export.checkpoint import Checkpoint, Floats
from edgevlo.export.checkpoint import Shape as TensorShape
from edgevlo.export.dummy_inputs import TASK, BackboneConfig, register
from edgevlo.export.plan import Codes, Plan, TorchGraph
from edgevlo.export.streaming import META, linear, load, on_demand
from edgevlo.runtime import manifest
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import GraphRole

from .emu3_defaults import family_defaults, first_code, image_block, read_tokenizer
from .emu3_vq import ImageDecoder, ImageTokenizer

ARCHITECTURE: Final = "Emu3ForConditionalGeneration"

# Checkpoints converted by transformers 4 name their tensors differently (transformers/conversion_mapping.py, "emu3").
_LEGACY: Final = (
    (re.compile(r"^text_model\.lm_head"), "lm_head"),
    (re.compile(r"^text_model\.model"), "model.text_model"),
    (re.compile(r"^vqmodel"), "model.vqmodel"),
)
_HEAD: Final = "lm_head.weight"
_PARTS: Final = {"model.vqmodel.": "image tokenizer", "model.text_model.": "decoder"}


@register("emu3", TASK)
class Emu3BackboneConfig(BackboneConfig):
    """How Emu3Config spells the sizes that the dummy inputs need."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig.with_args(
        hidden_size="text_config.hidden_size",
        num_layers="text_config.num_hidden_layers",
        num_key_value_heads="text_config.num_key_value_heads",
        num_attention_heads="text_config.num_attention_heads",
        allow_new=True,
    )


def plan(checkpoint: Checkpoint) -> Plan:
    """Return what the exporter needs to know about an Emu3 checkpoint."""
    checkpoint = checkpoint.renamed(_canonical)
    config = _config(checkpoint)
    unshuffle = _unshuffle(checkpoint, config.vq_config)
    expected, spare = _expected(checkpoint, config)
    checkpoint.expect(expected, _PARTS, spare)
    tokenizer = read_tokenizer(checkpoint)
    codes = manifest.Codes(
        count=config.vq_config.codebook_size,
        first_token=first_code(checkpoint, config, tokenizer),
        cell=unshuffle * 2 ** (len(config.vq_config.channel_multiplier) - 1),
    )
    embedding = "model.text_model.embed_tokens.weight"
    return Plan(
        family="emu3",
        architecture=ARCHITECTURE,
        checkpoint=checkpoint,
        config=config,
        decoder=_decoder(checkpoint, config.text_config),
        embedding=embedding,
        text_head=_HEAD if checkpoint.has(_HEAD) else embedding,
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
    path = checkpoint.folder / "config.json"
    try:
        config = Emu3Config.from_dict(checkpoint.config)
    except Exception as error:  # transformers raises its validators' and Python's own kinds
        raise _unusable(checkpoint, error) from error
    if not config.vocabulary_map:
        raise CheckpointError(f"{path} has no vocabulary_map, so its codes have no tokens; download it again.")
    return config


def _unusable(checkpoint: Checkpoint, error: Exception) -> CheckpointError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return CheckpointError(
        f"{checkpoint.folder / 'config.json'} is not a usable Emu3 config ({reason[:200]}); download it again."
    )


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


def _without_memory(config: Any) -> Any:
    """Return transformers' model on the meta device."""
    with META:
        return Emu3ForConditionalGeneration(config)


def _expected(checkpoint: Checkpoint, config: Any) -> tuple[dict[str, TensorShape], set[str]]:
    """Return every tensor that the config promises, from the model itself without its memory, and the optional ones.

    A head beside tied embeddings is optional; if it is there, it counts, as it does in transformers.
    """
    try:
        model = _without_memory(config)
    except Exception as error:  # whatever torch's layers say about sizes that do not go together
        raise _unusable(checkpoint, error) from error
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    spare = {name for name in shapes if name.endswith("num_batches_tracked")}
    if config.tie_word_embeddings and not checkpoint.has(_HEAD):
        spare.add(_HEAD)
    return {name: shape for name, shape in shapes.items() if name not in spare}, spare


def _decoder(checkpoint: Checkpoint, text: Any) -> DecoderShape:
    path = checkpoint.folder / "config.json"
    rope = text.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise CheckpointError(f"{path}: rope_type {rope['rope_type']!r} is not supported; edgevlo exports 'default'.")
    if text.hidden_act != "silu":
        raise CheckpointError(f"{path}: hidden_act {text.hidden_act!r} is not supported; edgevlo exports 'silu'.")
    return DecoderShape(
        prefix="model.text_model",
        layers=text.num_hidden_layers,
        hidden_size=text.hidden_size,
        mlp_size=text.intermediate_size,
        heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads,
        max_positions=text.max_position_embeddings,
        norm_eps=text.rms_norm_eps,
        rope_theta=rope["rope_theta"],
    )


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


class Emu3Reference:
    """transformers' own model, in float32, of which one decoder layer or the image tokenizer is in memory."""

    def __init__(self, checkpoint: Checkpoint, config: Any, codes: manifest.Codes, unshuffle: int) -> None:
        self.model = _without_memory(config).eval()
        text = self.model.model.text_model
        text.rotary_emb = Emu3RotaryEmbedding(config=config.text_config)  # computed, not stored
        for layer, module in enumerate(text.layers):
            on_demand(module, f"model.text_model.layers.{layer}", checkpoint)
        on_demand(text.norm, "model.text_model.norm", checkpoint)
        names = {id(tensor): name for name, tensor in self.model.named_parameters()}
        self.embedding = names[id(self.model.get_input_embeddings().weight)]
        head = names[id(self.model.get_output_embeddings().weight)]
        self.head = _HEAD if checkpoint.has(_HEAD) else head
        self.checkpoint = checkpoint
        self.rows = slice(codes.first_token, codes.first_token + codes.count)
        self.unshuffle = unshuffle

    @torch.no_grad()
    def hidden_states(self, inputs_embeds: Floats) -> list[Floats]:
        """Return the hidden states `(B, T, D)` behind each layer, the last behind the final norm as well."""
        embeds = torch.from_numpy(inputs_embeds)
        out = self.model.model.text_model(inputs_embeds=embeds, use_cache=False, output_hidden_states=True)
        return [_floats(states) for states in out.hidden_states[1:]]

    def embeddings(self, tokens: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of tokens `(T,)`: rows of the table."""
        return np.concatenate([self.checkpoint.tensor(self.embedding, slice(token, token + 1)) for token in tokens])

    def text_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, V)` of hidden states `(B, D)`."""
        return linear(hidden, self.head, self.checkpoint)

    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""
        return linear(hidden, self.head, self.checkpoint, self.rows)

    @functools.cached_property
    def vq(self) -> Any:
        """The image tokenizer and decoder; they stay in memory once they were asked for."""
        vq = self.model.model.vqmodel
        load(vq, "model.vqmodel", self.checkpoint)
        return vq

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
        return _floats(functional.pixel_shuffle(frame, self.unshuffle))


def _floats(tensor: torch.Tensor) -> Floats:
    array: Floats = tensor.float().numpy()
    return array
