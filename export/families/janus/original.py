"""MultiModalityCausalLM, deepseek-ai's own format of Janus: its tensors and config.json under transformers' names.

The names are those of the classes in github.com/deepseek-ai/Janus (janus/models: modeling_vlm, siglip_vit, vq_model,
projector). Its config names classes and says few sizes, so the others are read off the tensors. No code of a checkpoint
is run: the comparison at the end is with transformers' model, given these tensors.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from transformers import JanusConfig

from edgevlo.runtime.errors import CheckpointError

from ...checkpoint.folder import Checkpoint, Shape
from ...checkpoint.tensor_names import Part
from ...checkpoint.tokenizer import read_tokenizer
from ...export_plan import ExportPlan
from ...transformers_model import read_config
from .defaults import read_dialect
from .family import plan_as

# create_siglip_vit of janus/models/siglip_vit.py gives all its models 16 heads; neither tensors nor config say so.
SIGLIP_HEADS: Final = 16

_QKV: Final = re.compile(r"^(model\.vision_model\.encoder\.layers\.\d+\.self_attn\.)qkv(\.weight|\.bias)$")
# Of the original classes, and read by none of their forward passes that Janus uses.
_UNUSED: Final = re.compile(r"^(vision_model\.vision_tower\.attn_pool\.|gen_vision_model\.quantize\.codebook_used$)")
_PLACES: Final = "model.vision_model.embeddings.position_embedding.weight"

# In this order, each once. MlpProjector is Linear, GELU, Linear ... in one list: layer 2 k is the k-th Linear.
_NAMES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"^vision_model\.vision_tower\.blocks\.", "model.vision_model.encoder.layers."),
        (r"^vision_model\.vision_tower\.patch_embed\.proj\.", "model.vision_model.embeddings.patch_embedding."),
        (r"^vision_model\.vision_tower\.pos_embed$", _PLACES),
        (r"^vision_model\.vision_tower\.norm\.", "model.vision_model.post_layernorm."),
        (r"^(model\.vision_model\..*)\.norm([12])\.", r"\1.layer_norm\2."),
        (r"^(model\.vision_model\..*)\.attn\.proj\.", r"\1.self_attn.projection_layer."),
        (r"^(model\.vision_model\..*)\.attn\.", r"\1.self_attn."),
        (r"^gen_vision_model\.", "model.vqmodel."),
        (r"^(model\.vqmodel\.encoder)\.conv_blocks\.", r"\1.down."),
        (r"^(model\.vqmodel\.decoder)\.conv_blocks\.", r"\1.up."),
        (r"^(model\.vqmodel\..*\.\d+)\.res\.", r"\1.block."),
        (r"^(model\.vqmodel\..*)\.mid\.0\.", r"\1.mid.block_1."),
        (r"^(model\.vqmodel\..*)\.mid\.1\.", r"\1.mid.attn_1."),
        (r"^(model\.vqmodel\..*)\.mid\.2\.", r"\1.mid.block_2."),
        (r"^gen_aligner\.layers\.", "model.generation_aligner.layers."),
        (r"^aligner\.layers\.", "model.aligner.layers."),
        (r"^gen_head\.output_mlp_projector\.", "model.generation_head.proj_out."),
        (r"^gen_head\.vision_head\.", "model.generation_head.vision_head."),
        (r"^gen_embed\.", "model.generation_embeddings."),
        (r"^language_model\.model\.", "model.language_model."),
        (r"^language_model\.lm_head\.", "lm_head."),
    )
)
_PROJECTOR: Final = re.compile(r"^(model\.(?:generation_)?aligner)\.layers\.(\d+)\.")


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about a Janus checkpoint in deepseek-ai's format."""
    checkpoint = checkpoint.arranged(arrange)
    tokenizer = read_tokenizer(checkpoint)
    config = read_config(checkpoint, JanusConfig, _config(checkpoint), "Janus")
    dialect = read_dialect(checkpoint, tokenizer, original=True)
    return plan_as(checkpoint, config, dialect)


def arrange(name: str, shape: Shape) -> Iterator[Part]:
    """Yield what transformers sees in a tensor: itself under another name, thirds of fused projections, or nothing."""
    if _UNUSED.match(name):
        return
    for pattern, replacement in _NAMES:
        name = pattern.sub(replacement, name)
    if match := _PROJECTOR.match(name):
        place = int(match[2]) // 2
        layer = "fc1" if place == 0 else f"hidden_layers.{place - 1}"
        name = f"{match[1]}.{layer}.{name[match.end() :]}"
    if match := _QKV.match(name):
        rows = shape[0] // 3
        for third, projection in enumerate(("q_proj", "k_proj", "v_proj")):
            yield Part(name=f"{match[1]}{projection}{match[2]}", shape=(rows, *shape[1:]), start=third * rows)
    elif name == _PLACES:
        yield Part(name=name, shape=shape[-2:])  # stored (1, T, D)
    else:
        yield Part(name=name, shape=shape)


def _config(checkpoint: Checkpoint) -> dict[str, Any]:
    """Return what transformers' config.json would say."""
    given, shapes = checkpoint.config, _Shapes(checkpoint)
    vision = _params(checkpoint, "vision_config")
    if not str(vision.get("model_name", "")).startswith("siglip") or vision.get("pixel_mean") is not None:
        raise CheckpointError(
            f"{checkpoint.folder / 'config.json'}: vision_config names {vision.get('model_name')!r}; edgevlo exports "
            "Janus with a SigLIP that scales no pixels itself."
        )
    for name in ("aligner_config", "gen_aligner_config"):
        if (kind := _params(checkpoint, name).get("projector_type", "mlp_gelu")) != "mlp_gelu":
            raise CheckpointError(
                f"{checkpoint.folder / 'config.json'}: {name} has projector_type {kind!r}; edgevlo exports 'mlp_gelu'."
            )
    if not isinstance(given.get("language_config"), dict):
        raise CheckpointError(f"{checkpoint.folder / 'config.json'} has no language_config; download it again.")
    width, channels, patch, _ = shapes.of("model.vision_model.embeddings.patch_embedding.weight", 4)
    places, _ = shapes.of(_PLACES, 2)
    count, code_width = shapes.of("model.generation_embeddings.weight", 2)
    inner, decoder_width = shapes.of("model.generation_head.proj_out.weight", 2)
    base = shapes.of("model.vqmodel.encoder.conv_in.weight", 4)[0]
    levels = shapes.count(r"model\.vqmodel\.encoder\.down\.(\d+)\.")
    return {
        "text_config": {"model_type": "llama", "tie_word_embeddings": False, **given["language_config"]},
        "vision_config": {
            "hidden_size": width,
            "num_channels": channels,
            "patch_size": patch,
            "image_size": vision.get("image_size", 384),
            "num_hidden_layers": shapes.count(r"model\.vision_model\.encoder\.layers\.(\d+)\."),
            "num_attention_heads": SIGLIP_HEADS,
            "mlp_ratio": shapes.of("model.vision_model.encoder.layers.0.mlp.fc1.weight", 2)[0] / width,
            "num_image_tokens": places,
            "projection_dim": shapes.of("model.aligner.fc1.weight", 2)[0],
            "depth": 1 + shapes.count(r"model\.aligner\.hidden_layers\.(\d+)\."),
        },
        "vq_config": {
            "num_embeddings": count,
            "embed_dim": code_width,
            "latent_channels": shapes.of("model.vqmodel.quant_conv.weight", 4)[1],
            "base_channels": base,
            "channel_multiplier": [
                shapes.of(f"model.vqmodel.encoder.down.{level}.block.0.conv1.weight", 4)[0] // base
                for level in range(levels)
            ],
            "num_res_blocks": shapes.count(r"model\.vqmodel\.encoder\.down\.0\.block\.(\d+)\."),
            "projection_dim": inner,
            "image_token_embed_dim": decoder_width,
            "num_hidden_layers": 1 + shapes.count(r"model\.generation_aligner\.hidden_layers\.(\d+)\."),
        },
        "tie_word_embeddings": False,
    }


def _params(checkpoint: Checkpoint, name: str) -> dict[str, Any]:
    """Return the `params` of a part of config.json."""
    part = checkpoint.config.get(name)
    params = part.get("params") if isinstance(part, dict) else None
    if not isinstance(params, dict):
        raise CheckpointError(
            f"{checkpoint.folder / 'config.json'} has no {name}.params, so it is not a Janus of this format (nor is "
            "JanusFlow, which paints by flow and not by codes)."
        )
    return params


class _Shapes:
    """Sizes that only the tensors tell."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._checkpoint = checkpoint

    def of(self, name: str, axes: int) -> Shape:
        """Return the shape of a tensor that has so many axes."""
        shape = self._checkpoint.shape(name)
        if len(shape) != axes:
            raise CheckpointError(f"{self._checkpoint.folder}: tensor {name} has shape {shape}, not {axes} axes.")
        return shape

    def count(self, pattern: str) -> int:
        """Return how many different numbers a pattern finds in the tensors' names."""
        found = (re.match(pattern, name) for name in self._checkpoint.names())
        return len({match[1] for match in found if match})
