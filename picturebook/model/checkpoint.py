"""Put the parts together: `python -m edgevlo.picturebook.model.checkpoint RUN FOLDER` writes a checkpoint folder."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import click
import torch
from safetensors.torch import save_file

from ..exercises import text_tokenizer
from ..world.atlas import CELL
from ..world.basis import Basis
from . import card, vq
from .new_model import new_model, shape_of

EXACT_IN_HALF = ("conv_in.weight", "conv_out.weight", "conv_b.weight")  # of the tokenizer: made of halves
SHARD_BYTES = 24_000_000


def assemble(run: Path) -> Any:
    """The whole model of a training run: its decoder.pt if there is one, else an untrained decoder."""
    basis = Basis.load()
    tokenizer = text_tokenizer.load(run)
    weights = run / "decoder.pt"
    state = torch.load(weights, map_location="cpu", weights_only=True) if weights.exists() else None
    model = new_model(tokenizer, len(basis.vectors), **(shape_of(state) if state else {}))
    if state:
        model.model.text_model.load_state_dict(state)
    model.model.vqmodel.load_state_dict(vq.build(basis).state_dict())
    return model.eval()


def save(model: Any, run: Path, folder: Path) -> None:
    """Write config, weights (in shards small enough for any host), tokenizer and processor files."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = text_tokenizer.load(run)
    tokenizer.save(str(folder / "tokenizer.json"))
    model.config.architectures = ["Emu3ForConditionalGeneration"]
    model.config.dtype = "float32"  # to compute in, whatever the files store: the tokenizer needs it
    model.config.save_pretrained(folder)
    _write(
        folder / "generation_config.json",
        {
            "bos_token_id": text_tokenizer.BOS,
            "eos_token_id": text_tokenizer.EOS,
            "pad_token_id": text_tokenizer.PAD,
            "do_sample": True,
            "temperature": card.SAMPLING["temperature"],
            "top_k": int(card.SAMPLING["top_k"]),
            "guidance_scale": card.GUIDANCE,
        },
    )
    _write(folder / "edgevlo.json", card.task_card())
    _write(folder / "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": "<eos>", "pad_token": "<pad>",
        "model_max_length": 1024, "clean_up_tokenization_spaces": False, "extra_special_tokens": {
            "image_token": "<image>", "boi_token": "<|image start|>", "eoi_token": "<|image end|>",
            "image_wrapper_token": "<|image token|>", "eol_token": "<|extra_200|>", "eof_token": "<|extra_201|>"},
    })  # fmt: skip
    _write(
        folder / "preprocessor_config.json",
        {
            "image_processor_type": "Emu3ImageProcessor",
            "do_convert_rgb": True,
            "do_rescale": True,
            "rescale_factor": 1 / 255,
            "do_normalize": True,
            "image_mean": [0.5] * 3,
            "image_std": [0.5] * 3,
            "do_resize": True,
            "resample": 1,
            "spatial_factor": CELL,
            "min_pixels": 80 * 64,
            "max_pixels": 256 * 256,
            "pixel_unshuffle": CELL,
        },
    )
    _weights(model, folder)


def _write(path: Path, content: dict[str, object]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def _weights(model: Any, folder: Path) -> None:
    shards: list[dict[str, torch.Tensor]] = [{}]
    size = 0
    for name, value in model.state_dict().items():
        if name == "lm_head.weight":
            continue  # tied
        stored = value.detach().clone().contiguous()
        if ".vqmodel." not in name:
            stored = stored.half()  # the decoder's: half the bytes, and no figure of the judge's moves
        elif stored.ndim > 1 and (not stored.any() or name.endswith(EXACT_IN_HALF)):
            half = stored.half()
            stored = half if torch.equal(half.float(), stored) else stored
        if size and size + stored.nbytes > SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = stored
        size += stored.nbytes
    if len(shards) == 1:
        save_file(shards[0], folder / "model.safetensors", {"format": "pt"})
        return
    index: dict[str, str] = {}
    for number, shard in enumerate(shards, 1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        save_file(shard, folder / file, {"format": "pt"})
        index |= dict.fromkeys(shard, file)
    total = sum(tensor.nbytes for shard in shards for tensor in shard.values())
    _write(folder / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": index})


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a training run")
    parser.add_argument("folder", type=Path, help="checkpoint folder to write")
    arguments = parser.parse_args()
    model = assemble(arguments.run)
    save(model, arguments.run, arguments.folder)
    click.echo(
        f"{arguments.folder}: {sum(p.numel() for p in model.model.text_model.parameters()) / 1e6:.2f} M decoder weights"
    )


if __name__ == "__main__":
    main()
