"""A transformers Janus written as deepseek-ai's MultiModalityCausalLM. Knows nothing of the exporter's own mapping.

Written from the module names of janus/models/{modeling_vlm,siglip_vit,vq_model,projector}.py.
"""

import json
import shutil
from pathlib import Path
from typing import Any

from janus_checkpoints import BEGIN, END, JanusShape


def write_original(source: Path, folder: Path, shape: JanusShape) -> Path:
    """Write the checkpoint `source` in the original format and return its folder."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(source / "model.safetensors")
    named: dict[str, Any] = {}
    for name, tensor in tensors.items():
        if name.endswith(("q_proj.weight", "q_proj.bias")) and "vision_model" in name:
            rest = [tensors[name.replace("q_proj", other)] for other in ("k_proj", "v_proj")]
            import torch

            named[_vision(name).replace("q_proj", "qkv")] = torch.cat([tensor, *rest])
        elif "vision_model" in name and ("k_proj" in name or "v_proj" in name):
            continue
        elif name.endswith("position_embedding.weight"):
            named["vision_model.vision_tower.pos_embed"] = tensor[None].clone()
        else:
            named[_renamed(name)] = tensor.clone()
    if "language_model.lm_head.weight" not in named:
        named["language_model.lm_head.weight"] = named["language_model.model.embed_tokens.weight"].clone()
    import torch

    named["gen_vision_model.quantize.codebook_used"] = torch.zeros(65536)
    named["vision_model.vision_tower.attn_pool.latent"] = torch.zeros(1, 1, 32)
    folder.mkdir()
    save_file({name: tensor.contiguous() for name, tensor in named.items()}, folder / "model.safetensors")
    shutil.copy(source / "tokenizer.json", folder)
    _configs(folder, shape, json.loads((source / "config.json").read_text())["text_config"])
    return folder


def _renamed(name: str) -> str:
    if name == "lm_head.weight":
        return "language_model.lm_head.weight"
    top, _, rest = name.removeprefix("model.").partition(".")
    match top:
        case "language_model":
            return f"language_model.model.{rest}"
        case "vision_model":
            return _vision(name)
        case "vqmodel":
            return f"gen_vision_model.{_vq(rest)}"
        case "generation_embeddings":
            return f"gen_embed.{rest}"
        case "generation_head":
            return f"gen_head.{rest.replace('proj_out', 'output_mlp_projector')}"
        case "generation_aligner" | "aligner":
            kind, *number, last = rest.split(".")
            place = 0 if kind == "fc1" else 2 * (int(number[0]) + 1)
            return f"{'gen_' if top.startswith('gen') else ''}aligner.layers.{place}.{last}"
    raise AssertionError(name)


def _vision(name: str) -> str:
    rest = name.removeprefix("model.vision_model.")
    for ours, theirs in (
        ("encoder.layers.", "blocks."),
        ("self_attn.projection_layer", "attn.proj"),
        ("self_attn.", "attn."),
        ("layer_norm1", "norm1"),
        ("layer_norm2", "norm2"),
        ("post_layernorm", "norm"),
        ("embeddings.patch_embedding", "patch_embed.proj"),
    ):
        rest = rest.replace(ours, theirs)
    return f"vision_model.vision_tower.{rest}"


def _vq(rest: str) -> str:
    for ours, theirs in (
        ("encoder.down.", "encoder.conv_blocks."),
        ("decoder.up.", "decoder.conv_blocks."),
        (".block.", ".res."),
        ("mid.block_1", "mid.0"),
        ("mid.attn_1", "mid.1"),
        ("mid.block_2", "mid.2"),
    ):
        rest = rest.replace(ours, theirs)
    return rest


def _configs(folder: Path, shape: JanusShape, text: dict[str, Any]) -> None:
    kept = ("hidden_size", "intermediate_size", "max_position_embeddings", "num_attention_heads", "num_hidden_layers",
            "num_key_value_heads", "vocab_size")  # fmt: skip
    projector = {"depth": shape.aligner_depth, "n_embed": shape.hidden, "projector_type": "mlp_gelu"}
    config = {
        "architectures": ["MultiModalityCausalLM"],
        "model_type": "multi_modality",
        "aligner_config": {"cls": "MlpProjector", "model_type": "aligner", "params": {**projector, "input_dim": 32}},
        "gen_aligner_config": {
            "cls": "MlpProjector",
            "model_type": "gen_aligner",
            "params": {**projector, "input_dim": 8},
        },
        "gen_head_config": {
            "cls": "vision_head",
            "params": {"image_token_embed": shape.hidden, "image_token_size": shape.codes, "n_embed": shape.hidden},
        },
        "gen_vision_config": {"cls": "VQ-16", "params": {"image_token_size": shape.codes, "n_embed": 8}},
        "language_config": {key: text[key] for key in kept} | {"model_type": "llama", "torch_dtype": "bfloat16"},
        "vision_config": {
            "cls": "CLIPVisionTower",
            "params": {
                "image_size": shape.pixels,
                "model_name": "siglip_large_patch16_384",
                "select_feature": "same",
                "select_layer": -1,
            },
        },
    }
    files = {
        "config.json": config,
        "processor_config.json": {
            "image_tag": "<image_placeholder>",
            "num_image_tokens": shape.side**2,
            "processor_class": "VLChatProcessor",
            "sft_format": "deepseek" if shape.pro else "deepseek_old",
        },
        "preprocessor_config.json": {
            "background_color": [127, 127, 127],
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
            "image_processor_type": "VLMImageProcessor",
            "image_size": shape.pixels,
            "min_size": 14,
        },
        "special_tokens_map.json": {
            "additional_special_tokens": ["<image_placeholder>"],
            "bos_token": BEGIN,
            "eos_token": END,
            "pad_token": END,  # the reference paints with pad_tag, never with this
        },
    }
    for name, content in files.items():
        (folder / name).write_text(json.dumps(content))
