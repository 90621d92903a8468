"""JanusForConditionalGeneration: a Llama decoder with a head for words and one for codes, and a SigLIP that sees.

Any size of it: heads tied or not, multi-head or grouped attention. Pictures are read as features of the vision encoder
and painted as codes of a VQ image tokenizer, whose encoder only Janus-4o uses, which reads the codes as well
(`janus_edit`). The same model in deepseek-ai's own format is read through `janus_original`.
"""

import functools
from typing import Any, Final

import torch
from torch.nn import functional
from transformers import JanusConfig, JanusForConditionalGeneration
from transformers.models.janus.modeling_janus import (
    JanusVisionAlignerMLP,
    JanusVisionModel,
    JanusVQVAE,
    JanusVQVAEAlignerMLP,
)

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import pictures as manifest_pictures
from edgevlo.runtime.manifest.graphs import GraphRole

from ...checkpoint.folder import Checkpoint
from ...checkpoint.tokenizer import read_tokenizer
from ...export_plan import ExportPlan, TorchGraph
from ...graphs.guided_image_head import ImageHead
from ...optimum_registry import TASK, BackboneConfig, register
from ...stream_modules import META, leaves_on_demand, load, on_demand
from ...transformers_model import (
    HEAD,
    TransformersReference,
    decoder_shape,
    floats,
    promised_tensors,
    read_config,
)
from .defaults import Dialect, family_defaults, image_block, read_dialect
from .editing import check_codes, edits, reads_codes, with_editing
from .graphs import ImageDecoder, ImageTokenizer, VisionEncoder, code_embeddings

ARCHITECTURE: Final = "JanusForConditionalGeneration"
WEIGHTS_LICENCE: Final = (
    "DeepSeek License Agreement, with use restrictions that bind every user of the weights "
    "(https://github.com/deepseek-ai/Janus/blob/main/LICENSE-MODEL)"
)

_DECODER: Final = "model.language_model"
_PARTS: Final = {
    "model.vqmodel.": "image tokenizer",
    "model.vision_model.": "vision encoder",
    f"{_DECODER}.": "decoder",
}


@register("janus", TASK)
class JanusBackboneConfig(BackboneConfig):
    """Janus' decoder."""


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about a Janus checkpoint in transformers' format."""
    config = read_config(checkpoint, JanusConfig, checkpoint.config, "Janus")
    return plan_as(checkpoint, config, read_dialect(checkpoint, read_tokenizer(checkpoint)))


def plan_as(checkpoint: Checkpoint, config: Any, dialect: Dialect) -> ExportPlan:
    """Return the plan of a checkpoint whose tensors have transformers' names."""
    _check(checkpoint, config)
    expected, spare = promised_tensors(checkpoint, JanusForConditionalGeneration, config, "Janus")
    checkpoint.expect(expected, _PARTS, spare)
    embedding = f"{_DECODER}.embed_tokens.weight"
    tokens, _ = checkpoint.shapes[embedding]
    codes = manifest_pictures.Codes(
        count=config.vq_config.num_embeddings,
        first_token=tokens,
        cell=2 ** (len(config.vq_config.channel_multiplier) - 1),
    )
    defaults = family_defaults(checkpoint, config, dialect)
    if edits(checkpoint):
        defaults = with_editing(defaults, dialect)
    if shows_codes := reads_codes(checkpoint, defaults):
        check_codes(checkpoint, config, codes.cell)
    return ExportPlan(
        family="janus",
        architecture=ARCHITECTURE,
        checkpoint=checkpoint,
        config=config,
        decoder=decoder_shape(checkpoint, config.text_config, _DECODER),
        embedding=embedding,
        text_head=HEAD if checkpoint.has(HEAD) else embedding,
        image_head=ImageHead(
            layers=("model.generation_head.proj_out", "model.generation_head.vision_head"),
            codes=slice(0, codes.count),
        ),
        codes=codes,
        image_block=image_block(dialect),
        defaults=defaults,
        torch_graphs=functools.partial(_torch_graphs, checkpoint, config, codes.cell if shows_codes else None),
        reference=functools.partial(JanusReference, checkpoint, config),
        code_embedding=functools.partial(_code_table, checkpoint, config.vq_config),
        weights_licence=WEIGHTS_LICENCE,
    )


def _check(checkpoint: Checkpoint, config: Any) -> None:
    """Raise `CheckpointError` for what the config may say and neither transformers nor the graphs can do."""
    vision, vq, path = config.vision_config, config.vq_config, checkpoint.folder / "config.json"
    if vision.image_size != vision.patch_size * (vision.image_size // vision.patch_size):
        raise CheckpointError(f"{path}: image_size {vision.image_size} is not a multiple of {vision.patch_size}.")
    if vision.num_image_tokens != vq.num_patches**2:
        raise CheckpointError(
            f"{path}: num_image_tokens {vision.num_image_tokens} is not the {vq.num_patches**2} patches of a picture."
        )
    for name, part in {"vision_config": vision, "vq_config": vq}.items():
        if part.hidden_act != "gelu":
            raise CheckpointError(f"{path}: {name}.hidden_act {part.hidden_act!r} is not exported; 'gelu' is.")
    if vision.use_qk_norm:
        raise CheckpointError(f"{path}: vision_config.use_qk_norm is not exported; no released model has it.")


def _torch_graphs(checkpoint: Checkpoint, config: Any, tokenizer_cell: int | None) -> dict[GraphRole, TorchGraph]:
    """Return decoder, vision encoder and, where its cell is given, tokenizer; of the weights only theirs in memory."""
    side = config.vision_config.image_size
    rows, columns, count = torch.export.Dim("h"), torch.export.Dim("w"), torch.export.Dim("N")
    vq = _part(checkpoint, config.vq_config, JanusVQVAE, "model.vqmodel")
    graphs: dict[GraphRole, TorchGraph] = {
        "image_decoder": TorchGraph(
            module=ImageDecoder(vq).eval(),
            example=torch.arange(12).reshape(1, 3, 4) % config.vq_config.num_embeddings,
            input=("codes", (1, "h", "w")),
            output=("pixels", (1, 3, "H", "W")),
            dynamic={1: rows, 2: columns},
        ),
        "vision_encoder": TorchGraph(
            module=VisionEncoder(
                _part(checkpoint, config.vision_config, JanusVisionModel, "model.vision_model"),
                _part(checkpoint, config.vision_config, JanusVisionAlignerMLP, "model.aligner"),
            ).eval(),
            example=torch.linspace(-1, 1, 2 * 3 * side * side).reshape(2, 3, side, side),
            input=("pixel_values", ("N", 3, side, side)),
            output=("features", ("N", config.vision_config.num_image_tokens, config.text_config.hidden_size)),
            dynamic={0: count},
        ),
    }
    if (cell := tokenizer_cell) is not None:
        graphs["image_tokenizer"] = TorchGraph(
            module=ImageTokenizer(vq).eval(),
            example=torch.linspace(-1, 1, 3 * 3 * cell * 4 * cell).reshape(1, 3, 3 * cell, 4 * cell),
            input=("pixel_values", (1, 3, "H", "W")),
            output=("codes", (1, "h", "w")),
            dynamic={2: rows * cell, 3: columns * cell},
        )
    return graphs


def _part(checkpoint: Checkpoint, config: Any, part_class: Any, prefix: str) -> Any:
    config._attn_implementation = "eager"  # MatMul and Softmax, which every runtime takes
    with META:
        part: Any = part_class(config)
    load(part, prefix, checkpoint)
    return part


def _code_table(checkpoint: Checkpoint, vq_config: Any) -> Floats:
    """Return the input embeddings of all codes `(K, D)`: the aligner is a pure function of the code."""
    aligner = _part(checkpoint, vq_config, JanusVQVAEAlignerMLP, "model.generation_aligner")
    return code_embeddings(aligner, checkpoint.tensor("model.generation_embeddings.weight"))


class JanusReference(TransformersReference):
    """transformers' own Janus; the image decoder stays in memory once it was asked for."""

    def __init__(self, checkpoint: Checkpoint, config: Any) -> None:
        super().__init__(checkpoint, JanusForConditionalGeneration, config, _DECODER)
        parts = self.model.model
        places = parts.vision_model.embeddings
        places.position_ids = torch.arange(places.num_positions).expand((1, -1))  # computed, not stored
        leaves_on_demand(parts.vision_model, "model.vision_model", checkpoint)
        for name in ("aligner", "generation_embeddings", "generation_aligner", "generation_head"):
            on_demand(parts.get_submodule(name), f"model.{name}", checkpoint)

    @torch.no_grad()
    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""
        return floats(self.model.model.generation_head(torch.from_numpy(hidden)))

    @torch.no_grad()
    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`; the class itself takes one square grid only."""
        self.vq.quantize.quant_state_dims = list(codes.shape[1:])
        return floats(self.vq.decode(torch.from_numpy(codes.reshape(1, -1))))

    @torch.no_grad()
    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`, by the class's own quantiser.

        As in deepseek-ai's model, both what it quantises and its codebook are normalised first.
        """
        latents = functional.normalize(self.vq.quant_conv(self.vq.encoder(torch.from_numpy(pixel_values))), dim=1)
        codebook = functional.normalize(self.vq.quantize.embedding.weight, dim=-1)
        _, _, codes = torch.func.functional_call(self.vq.quantize, {"embedding.weight": codebook}, (latents,))
        found: Codes = codes.reshape(1, *latents.shape[2:]).numpy()
        return found

    @torch.no_grad()
    def features(self, pixel_values: Floats) -> Floats:
        """Return the features `(N, T, D)` of pictures `(N, 3, S, S)`."""
        return floats(self.model.model.get_image_features(torch.from_numpy(pixel_values)).pooler_output)

    @torch.no_grad()
    def code_embeddings(self, codes: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of codes `(T,)`."""
        return floats(self.model.prepare_embeddings_for_image_generation(torch.from_numpy(codes)))
