"""Emu3ForCausalLM, BAAI's own format of Emu3 (Stage1, Chat and Gen), under transformers' names.

The decoder's tensors have transformers' names already. The image tokenizer is a model of its own,
BAAI/Emu3-VisionTokenizer, and lies in a folder `vision_tokenizer` beside them; its names are those of its Emu3VisionVQ.
The text tokenizer is two tables for a program (emu3_tables.py), unless a `tokenizer.json` lies there: that of
BAAI/Emu3-Chat-hf is the same vocabulary. No code of a checkpoint is run: the comparison at the end is with
transformers' model, given these tensors.
"""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from transformers import Emu3Config

from edgevlo.runtime.errors import CheckpointError

from ...checkpoint.folder import Checkpoint, Shape
from ...checkpoint.tensor_names import Part
from ...checkpoint.tokenizer import read_tokenizer
from ...export_plan import ExportPlan
from ...optimum_registry import TASK, FlatBackboneConfig, register
from ...transformers_model import read_config
from .family import plan_as
from .tiktoken_tables import read_tables

FOLDER: Final = "vision_tokenizer"
_WHERE: Final = f"put config.json and model.safetensors of BAAI/Emu3-VisionTokenizer into {FOLDER} and export again"

_PROJECTION: Final = re.compile(r"\.(q|k|v|proj_out)\.weight$")
_NAMES: Final = tuple(
    (re.compile(pattern), replacement)
    for pattern, replacement in (
        (r"\.([qkv])\.(weight|bias)$", r".\1_proj.\2"),
        (r"\.proj_out\.(weight|bias)$", r".out_proj.\1"),
        (r"\.mid\.attn_1\.norm\.", ".mid.attn_norm."),
        (r"\.attn\.(\d+)\.norm\.", r".attn_norms.\1."),
        (r"^(encoder|decoder)\.(down|up)\.", r"\1.\2_block.\2."),
        (r"^(encoder|decoder)\.mid\.", r"\1.middle_block."),
    )
)
# Emu3VisionVQConfig's names for what transformers calls otherwise.
_VQ_KEYS: Final = {"z_channels": "latent_channels", "ch": "base_channels", "ch_mult": "channel_multiplier"}
_VQ_SAME: Final = (
    "codebook_size",
    "embed_dim",
    "in_channels",
    "out_channels",
    "temporal_downsample_factor",
    "num_res_blocks",
    "attn_resolutions",
)


@register("emu3_text_model", TASK)
class Emu3DecoderConfig(FlatBackboneConfig):
    """Emu3's decoder as transformers' Emu3ForCausalLM has it, whose config is not nested."""


def export_plan(checkpoint: Checkpoint) -> ExportPlan:
    """Return what the exporter needs to know about an Emu3 checkpoint in BAAI's format."""
    folder = checkpoint.folder
    weights = folder / FOLDER / "model.safetensors"
    if not weights.is_file():
        raise CheckpointError(f"{weights} is missing, the image tokenizer of this model: {_WHERE}.")
    vq = _vq_config(folder / FOLDER / "config.json")
    has_tokenizer = (folder / "tokenizer.json").is_file()
    tokenizer = read_tokenizer(checkpoint) if has_tokenizer else read_tables(checkpoint, vq["codebook_size"])
    checkpoint = checkpoint.arranged(arrange_decoder).completed(weights, arrange_tokenizer)
    text = {key: value for key, value in checkpoint.config.items() if key not in ("model_type", "architectures")}
    raw = {
        "text_config": text,
        "vq_config": vq,
        "vocabulary_map": tokenizer.get_vocab(with_added_tokens=True),
        "tie_word_embeddings": bool(text.get("tie_word_embeddings")),
    }
    plan = plan_as(checkpoint, read_config(checkpoint, Emu3Config, raw, "Emu3"), tokenizer)
    return plan if has_tokenizer else replace(plan, tokenizer=tokenizer)


def arrange_decoder(name: str, shape: Shape) -> list[Part]:
    """Return a tensor of the decoder under transformers' name."""
    return [Part(name=re.sub(r"^model\.", "model.text_model.", name), shape=shape)]


def arrange_tokenizer(name: str, shape: Shape) -> list[Part]:
    """Return a tensor of the image tokenizer under transformers' name; 1x1 convolutions of attention are matrices."""
    if _PROJECTION.search(name):
        shape = shape[:2]
    for pattern, replacement in _NAMES:
        name = pattern.sub(replacement, name)
    return [Part(name=f"model.vqmodel.{name}", shape=shape)]


def _vq_config(path: Path) -> dict[str, Any]:
    """Return what transformers' vq_config would say."""
    try:
        given = json.loads(path.read_bytes())
        found = {ours: given[theirs] for theirs, ours in _VQ_KEYS.items()} | {key: given[key] for key in _VQ_SAME}
        if type(found["codebook_size"]) is not int:
            raise ValueError(f"codebook_size is {found['codebook_size']!r}")
        return {**found, "hidden_size": found["base_channels"] * found["channel_multiplier"][-1]}
    except (OSError, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise CheckpointError(f"{path} is not the image tokenizer's config ({error!r}): {_WHERE}.") from error
