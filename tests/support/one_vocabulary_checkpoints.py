"""Tiny random checkpoints of models of one vocabulary, a stock decoder beside an image tokenizer's own file."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from chameleon_checkpoints import ChameleonShape, spread_codebook, taming_decoder, vq_config, write_vqgan
from emu3_checkpoints import SYMBOLS, WORDS
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers
from tokenizers.models import WordLevel

LIQUID_TOKENS = ("<pad>", "<eos>", "<bos>", "<unk>", "<start_of_turn>", "<end_of_turn>", "<boi>", "<eoi>")
SIMPLEAR_TOKENS = ("<pad>", "<eos>", "<unk>", "<|t2i|>", "<|soi|>", "<|eoi|>")
OTHER_WORDS = [
    "A",
    "An",
    "Generate",
    "highly",
    "realistic",
    "image",
    "based",
    "this",
    "description",
    "user",
    "model",
    "unconditional",
    "aerial",
    "view",
]
COSMOS_CODES = 8 * 8 * 8 * 5 * 5 * 5


@dataclass(frozen=True, slots=True, kw_only=True)
class TextShape:
    """What differs between the tiny checkpoints."""

    name: str
    kind: Literal["liquid", "simplear"]
    layers: int = 2
    hidden: int = 64
    heads: int = 4
    kv_heads: int = 4
    head_dim: int = 16
    tied: bool = True
    padded: int = 0  # rows of the embedding behind the last code
    multipliers: tuple[int, ...] = (1, 1, 2)
    codes: int = 48  # of a Liquid
    seed: int = 0


TEXT_SHAPES = (
    TextShape(name="liquid-mqa", kind="liquid", kv_heads=1, head_dim=32, padded=3),
    TextShape(name="liquid-odd", kind="liquid", layers=3, hidden=96, tied=False, multipliers=(1, 2), seed=1),
    TextShape(name="simplear-gqa", kind="simplear", kv_heads=2, padded=5, seed=2),
    TextShape(name="simplear-odd", kind="simplear", layers=1, tied=False, multipliers=(1, 1), seed=3),
)


def vq_shape(shape: TextShape) -> ChameleonShape:
    """Return the image tokenizer of a Liquid."""
    return ChameleonShape(name="vq", codes=shape.codes, multipliers=shape.multipliers, side=4, seed=shape.seed)


def make_text_model(folder: Path, shape: TextShape) -> Path:
    """Write a random checkpoint with its tokenizer and its image tokenizer and return its folder."""
    import torch
    from safetensors.torch import save_file
    from transformers.models.chameleon.modeling_chameleon import ChameleonVQVAE

    torch.manual_seed(shape.seed)
    tokenizer = text_tokenizer(shape)
    codes = vq_shape(shape).codes if shape.kind == "liquid" else COSMOS_CODES
    model = _model(shape, len(tokenizer.get_vocab()) + codes + shape.padded)
    model.eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_proj.weight"):
                parameter.mul_(8.0)  # else a token says little but itself, and every cell gets the same code
            if name.endswith("_proj.bias"):
                parameter.normal_(std=0.3)
            if "norm" in name:
                parameter.add_(0.2 * torch.randn_like(parameter))
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    if shape.kind == "liquid":
        vq: Any = ChameleonVQVAE(vq_config(vq_shape(shape)))
        with torch.no_grad():
            spread_codebook(vq, vq_shape(shape))
        write_vqgan(folder, vq, taming_decoder(vq_shape(shape)))
    else:
        save_file(cosmos_decoder(shape), folder / "decoder.safetensors")
    (folder / "edgevlo.json").write_text(json.dumps(card(shape)))
    return folder


def card(shape: TextShape) -> dict[str, Any]:
    """Return a task card: the released sizes are far too large for tiny models."""
    if shape.kind == "simplear":
        return {"grid": {"rows": [2, 6], "columns": [2, 6], "cells": [4, 36], "default": [4, 4], "max_ratio": 1.5}}
    side = 4 * vq_shape(shape).cell
    square = {"side": side, "color": [122, 116, 104], "pad_first": True}
    return {
        "grid": {"kind": "fixed", "rows": [4, 4], "columns": [4, 4], "cells": [16, 16], "default": [4, 4]},
        "preprocess": {
            "min_pixels": side * side,
            "max_pixels": side * side,
            "resample": "lanczos",
            "fit_pad_square": square,
        },
    }


def text_tokenizer(shape: TextShape) -> Tokenizer:
    """Return a word-level tokenizer without any code."""
    specials = LIQUID_TOKENS if shape.kind == "liquid" else SIMPLEAR_TOKENS
    names = dict.fromkeys((*specials, *WORDS, *OTHER_WORDS, *SYMBOLS))
    tokenizer = Tokenizer(WordLevel({name: place for place, name in enumerate(names)}, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.decoder = decoders.WordPiece(prefix="")
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in specials])
    return tokenizer


def _model(shape: TextShape, tokens: int) -> Any:
    import transformers

    library: Any = transformers
    sizes: dict[str, Any] = {
        "vocab_size": tokens,
        "hidden_size": shape.hidden,
        "intermediate_size": 128,
        "num_hidden_layers": shape.layers,
        "num_attention_heads": shape.heads,
        "num_key_value_heads": shape.kv_heads,
        "max_position_embeddings": 256,
        "tie_word_embeddings": shape.tied,
        "pad_token_id": 0,
        "bos_token_id": None,
        "eos_token_id": 1,
    }
    if shape.kind == "liquid":
        return library.GemmaForCausalLM(library.GemmaConfig(**sizes, head_dim=shape.head_dim))
    return library.Qwen2ForCausalLM(library.Qwen2Config(**sizes))


def cosmos_decoder(shape: TextShape) -> dict[str, Any]:
    """Return the tensors of a random Cosmos decoder, named as in the release's program."""
    import torch

    generator = torch.Generator().manual_seed(shape.seed + 100)
    tensors: dict[str, Any] = {}
    latent, patches = 16, 3 * 4**3
    levels = len(shape.multipliers)

    def convolution(name: str, inputs: int, outputs: int, *kernel: int) -> None:
        scale = (inputs * kernel[0] * kernel[1] * kernel[2]) ** -0.5
        tensors[f"{name}.conv3d.weight"] = torch.randn(outputs, inputs, *kernel, generator=generator) * scale
        tensors[f"{name}.conv3d.bias"] = torch.randn(outputs, generator=generator) * 0.1

    def pair(name: str, inputs: int, outputs: int) -> None:
        convolution(f"{name}.0", inputs, outputs, 1, 3, 3)
        convolution(f"{name}.1", outputs, outputs, 3, 1, 1)

    def norm(name: str, channels: int) -> None:
        tensors[f"{name}.norm.weight"] = 1 + 0.2 * torch.randn(channels, generator=generator)
        tensors[f"{name}.norm.bias"] = 0.1 * torch.randn(channels, generator=generator)

    def block(name: str, inputs: int, outputs: int) -> None:
        norm(f"{name}.norm1", inputs)
        pair(f"{name}.conv1", inputs, outputs)
        norm(f"{name}.norm2", outputs)
        pair(f"{name}.conv2", outputs, outputs)
        if inputs != outputs:
            convolution(f"{name}.nin_shortcut", inputs, outputs, 1, 1, 1)

    channels = 16 * shape.multipliers[-1]
    convolution("post_quant_conv", 6, latent, 1, 1, 1)
    pair("decoder.conv_in", latent, channels)
    block("decoder.mid.block_1", channels, channels)
    for part in (0, 1):
        norm(f"decoder.mid.attn_1.{part}.norm", channels)
        for name in ("q", "k", "v", "proj_out"):
            convolution(f"decoder.mid.attn_1.{part}.{name}", channels, channels, 1, 1, 1)
    block("decoder.mid.block_2", channels, channels)
    for level in reversed(range(levels)):
        outputs = 16 * shape.multipliers[level]
        for place in range(3):
            block(f"decoder.up.{level}.block.{place}", channels, outputs)
            channels = outputs
        if level:
            convolution(f"decoder.up.{level}.upsample.conv1", channels, channels, 3, 1, 1)
            convolution(f"decoder.up.{level}.upsample.conv2", channels, channels, 1, 3, 3)
            convolution(f"decoder.up.{level}.upsample.conv3", channels, channels, 1, 1, 1)
    norm("decoder.norm_out", channels)
    pair("decoder.conv_out", channels, patches)
    return tensors
