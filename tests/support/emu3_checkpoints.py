"""Tiny random Emu3 checkpoints of different shape, saved as Hugging Face folders. Made by transformers itself.

torch and transformers are imported when a checkpoint is made: tests of the runtime read this list without them.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import WordLevel

SPECIALS = (
    "<pad>",
    "<bos>",
    "<eos>",
    "<unk>",
    "<image>",
    "<|image start|>",
    "<|image end|>",
    "<|image token|>",
    "<|extra_200|>",
    "<|extra_201|>",
    "<|answer|>",
)
SENTENCE = (
    "a red blue green big small car house tree dog cat boat flower bird on in at the left right of and is beach snow "
    "night day sunset sky sea what where how many color background remove change to into yellow"
)
WORDS = SENTENCE.split()
SYMBOLS = tuple("0123456789*.,?!")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What differs between the tiny checkpoints."""

    name: str
    layers: int = 2
    hidden: int = 64
    heads: int = 4
    kv_heads: int = 2
    mlp: int = 128
    tied: bool = False
    codes: int = 64
    temporal: int = 1  # frames per code: 1 or 4
    multipliers: tuple[int, ...] = (1, 1, 1, 1)  # levels; a cell is unshuffle * 2 ** (levels - 1) pixels
    unshuffle: int = 1
    attention_levels: tuple[int, ...] = ()
    biases: bool = False
    max_positions: int = 512
    seed: int = 0

    @property
    def cell(self) -> int:
        """Return the side of a cell in pixels."""
        return self.unshuffle << (len(self.multipliers) - 1)


SHAPES = (
    Shape(name="released", temporal=4, multipliers=(1, 2, 2, 4), attention_levels=(3,), kv_heads=1),
    Shape(name="tied-mha", unshuffle=4, multipliers=(1, 2), tied=True, heads=2, kv_heads=2, layers=3, seed=1),
    Shape(name="many-codes", unshuffle=2, multipliers=(1, 2, 1), codes=300, layers=1, hidden=96, heads=6, kv_heads=3),
    Shape(name="cell16", multipliers=(1, 1, 1, 1, 1), attention_levels=(), tied=True, biases=True, seed=4),
    Shape(name="one-level", unshuffle=16, multipliers=(1,), attention_levels=(0,), codes=100, tied=True, layers=3),
    Shape(name="video", unshuffle=2, multipliers=(1, 1, 1), attention_levels=(2,), temporal=4, biases=True, seed=6),
)

# A task card: what the parity tests ask of every checkpoint.
CARD: dict[str, Any] = {
    "grid": {"rows": [2, 12], "columns": [2, 12], "cells": [4, 80], "default": [4, 4]},
    "abilities": {
        "paint": {"prompt": [{"token": "<bos>"}, {"field": "text"}], "output": "image"},
        "edit": {
            "prompt": [{"token": "<bos>"}, {"field": "text"}, {"field": "images"}],
            "output": "image",
            "images": [1, 3],
        },
        "ask": {
            "prompt": [{"token": "<bos>"}, {"field": "text"}, {"field": "images"}, {"token": "<|answer|>"}],
            "output": "text",
            "images": [0, 3],
        },
    },
    "answer": {"stop": ["<eos>"], "max_tokens": 12},
}


def make_checkpoint(folder: Path, shape: Shape, vocabulary: dict[str, int] | None = None) -> Path:
    """Write a random checkpoint with its tokenizer and return its folder; a vocabulary given is another one."""
    import torch
    from transformers import Emu3ForConditionalGeneration

    torch.manual_seed(shape.seed)
    vocabulary = vocabulary or vocabulary_map(shape)
    model: Any = Emu3ForConditionalGeneration(_config(shape, vocabulary))
    model.eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_proj.weight") and "vqmodel" not in name:
                parameter.mul_(12.0)  # else a token says little but itself, and every cell gets the same code
            if name.endswith("_proj.bias"):
                parameter.normal_()
        for name, buffer in model.named_buffers():  # a trained BatchNorm does not have mean 0 and variance 1
            if name.endswith("running_mean"):
                buffer.normal_(std=0.3)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2.0)
        _spread_codebook(model)
    model.save_pretrained(folder)
    _tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    preprocessor = {
        "image_processor_type": "Emu3ImageProcessor",
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "resample": 3,
        "min_pixels": (2 * shape.cell) ** 2,
        "max_pixels": (12 * shape.cell) ** 2,
        "spatial_factor": shape.cell,
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def vocabulary_map(shape: Shape) -> dict[str, int]:
    """Return token -> id: specials, words, symbols, then the codes."""
    codes = (f"<|visual token {code:06d}|>" for code in range(shape.codes))  # six digits: the class slices the name
    return {token: index for index, token in enumerate((*SPECIALS, *WORDS, *SYMBOLS, *codes))}


def _config(shape: Shape, vocabulary: dict[str, int]) -> Any:
    from transformers import Emu3Config, Emu3TextConfig, Emu3VQVAEConfig

    channels = 3 * shape.unshuffle**2
    vq = Emu3VQVAEConfig(
        codebook_size=shape.codes,
        embed_dim=4,
        latent_channels=4,
        in_channels=channels,
        out_channels=channels,
        temporal_downsample_factor=shape.temporal,
        base_channels=32,
        channel_multiplier=list(shape.multipliers),
        num_res_blocks=1,
        attn_resolutions=list(shape.attention_levels),
        hidden_size=32 * shape.multipliers[-1],
    )
    text = Emu3TextConfig(
        vocab_size=len(vocabulary),
        hidden_size=shape.hidden,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.max_positions,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=2,
        attention_dropout=0.0,
        tie_word_embeddings=shape.tied,
    )
    text.attention_bias = text.mlp_bias = shape.biases
    return Emu3Config(vocabulary_map=vocabulary, vq_config=vq, text_config=text, tie_word_embeddings=shape.tied)


def _spread_codebook(model: Any) -> None:
    """Put the codes where the encoder's outputs lie, so that a random picture uses many of them."""
    import torch

    vq = model.model.vqmodel
    side = 16 * vq.spatial_scale_factor
    pixels = torch.randn(2, vq.config.in_channels, side, side).clamp(-1, 1)
    latents: list[Any] = []
    hook = vq.quant_conv.register_forward_hook(lambda _module, _inputs, output: latents.append(output))
    vq.encode(pixels, torch.tensor([[side, side]] * 2))
    hook.remove()
    flat = latents[0].movedim(1, -1).reshape(-1, vq.config.embed_dim)
    chosen = flat[torch.randperm(len(flat))[: vq.config.codebook_size]]
    vq.quantize.embedding.weight.copy_(chosen + 0.01 * flat.std() * torch.randn_like(chosen))


def _tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    """Return a word-level tokenizer; digits stand alone so that every grid header can be written."""
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="")
    tokenizer.add_special_tokens([token for token in vocabulary if token.startswith("<")])
    return tokenizer
