"""A transformers Emu3 written as BAAI's Emu3ForCausalLM and Emu3-VisionTokenizer. Knows nothing of the exporter.

Written from the module names of BAAI's modeling_emu3.py and modeling_emu3visionvq.py, tensor by tensor backwards.
"""

import json
import shutil
from pathlib import Path
from typing import Any

# transformers' word between two dots -> BAAI's words
WORDS = {
    "down_block": [],
    "up_block": [],
    "middle_block": ["mid"],
    "q_proj": ["q"],
    "k_proj": ["k"],
    "v_proj": ["v"],
    "out_proj": ["proj_out"],
    "attn_norm": ["attn_1", "norm"],
}


def write_original(source: Path, folder: Path) -> Path:
    """Write the checkpoint `source` in BAAI's format and return its folder."""
    from safetensors.torch import load_file, save_file

    tensors = load_file(source / "model.safetensors")
    (folder / "vision_tokenizer").mkdir(parents=True)
    decoder: dict[str, Any] = {}
    tokenizer: dict[str, Any] = {}
    for name, tensor in tensors.items():
        if "vqmodel." in name:
            theirs = _renamed(name.split("vqmodel.", 1)[1])
            pointwise = name.endswith("_proj.weight")
            tokenizer[theirs] = (tensor[:, :, None, None] if pointwise else tensor).contiguous().clone()
        else:
            decoder[name.replace("text_model.lm_head", "lm_head").replace("text_model.model", "model")] = tensor
    save_file(decoder, folder / "model.safetensors")
    save_file(tokenizer, folder / "vision_tokenizer" / "model.safetensors")
    for name in ("tokenizer.json", "preprocessor_config.json"):
        shutil.copy(source / name, folder)
    given = json.loads((source / "config.json").read_text())
    text, vq = given["text_config"], given["vq_config"]
    text |= {"model_type": "Emu3", "architectures": ["Emu3ForCausalLM"], "auto_map": {"AutoConfig": "never.Run"}}
    (folder / "config.json").write_text(json.dumps(text))
    own = {"z_channels": vq["latent_channels"], "ch": vq["base_channels"], "ch_mult": vq["channel_multiplier"]}
    kept = ("codebook_size", "embed_dim", "in_channels", "out_channels", "temporal_downsample_factor",
            "num_res_blocks", "attn_resolutions")  # fmt: skip
    own |= {key: vq[key] for key in kept} | {"model_type": "Emu3VisionVQ", "double_z": False, "dropout": 0.0}
    (folder / "vision_tokenizer" / "config.json").write_text(json.dumps(own))
    return folder


def _renamed(name: str) -> str:
    words = name.split(".")
    found: list[str] = []
    while words:
        word = words.pop(0)
        if word == "attn_norms":
            found += ["attn", words.pop(0), "norm"]
        else:
            found += WORDS.get(word, [word])
    return ".".join(found)
