"""The decoder: a small stock Emu3 whose code embeddings start as sums of attribute vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import Emu3Config, Emu3ForConditionalGeneration

from ..exercises import text_tokenizer
from ..vocabulary.meaning import starting_rows
from ..world.atlas import CODES, TILES, Name
from ..world.scene import SIGN_CHARACTERS

HEAD = 32  # channels
TEXT_MODEL: dict[str, Any] = {
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 6,
    "num_attention_heads": 6,
    "num_key_value_heads": 6,
    "max_position_embeddings": 1024,
    "rope_parameters": {"rope_type": "default", "rope_theta": 500.0},
    "attention_dropout": 0.0,
    "rms_norm_eps": 1e-5,
}


def vq_settings(channels: int) -> dict[str, Any]:
    """Emu3's tokenizer behind a pixel-unshuffle of 16: one level, one grid cell per tile."""
    return {
        "codebook_size": CODES,
        "embed_dim": channels,
        "latent_channels": channels,
        "in_channels": 768,
        "out_channels": 768,
        "temporal_downsample_factor": 1,
        "base_channels": channels,
        "channel_multiplier": [1],
        "num_res_blocks": 0,
        "attn_resolutions": [],
        "hidden_size": channels,
        "num_attention_heads": 1,
        "attention_dropout": 0.0,
    }


def config(tokenizer: Tokenizer, channels: int, **changes: Any) -> Emu3Config:
    """The whole configuration; `changes` override the text model's shape."""
    ids: dict[str, Any] = {
        "pad_token_id": text_tokenizer.PAD,
        "bos_token_id": text_tokenizer.BOS,
        "eos_token_id": text_tokenizer.EOS,
    }
    settings = {**TEXT_MODEL, "vocab_size": text_tokenizer.VOCABULARY, "tie_word_embeddings": True, **ids, **changes}
    return Emu3Config(
        vq_config=vq_settings(channels),
        text_config=settings,
        vocabulary_map=text_tokenizer.vocabulary_map(tokenizer),
        tie_word_embeddings=True,
        **ids,
    )


def attributes(name: Name) -> list[tuple[str, ...]]:
    """What a tile is made of: tiles that share attributes start alike."""
    layer, *rest = name
    found: list[tuple[str, ...]] = [("layer", layer), name]
    if layer == "object":
        ground, kind, colour, part = rest
        found += [("ground", ground), ("kind", kind), ("colour", colour), ("part", part), ("kind part", kind, part)]
        found += [("kind colour", kind, colour), ("object",)]
    elif layer in ("seg-object", "edge-object"):
        kind, part = rest
        found += [("kind", kind), ("part", part), ("kind part", kind, part), ("object",)]
    elif layer == "hat":
        ground, colour, side = rest
        found += [("ground", ground), ("hat colour", colour), ("side", side), ("hat",)]
    elif layer == "box":
        found += [("kind", rest[0]), ("frame", rest[1])]
    elif layer == "ground":
        found += [("ground", rest[0])]
    elif layer in ("letter", "edge-letter"):
        found += [("letter", rest[0])]
    elif layer in ("horizon", "edge-horizon"):
        found += [("word", word) for word in rest] + [("step", rest[-1]), ("horizon",)]
    else:
        found += [("word", word) for word in rest]
    return found


def attribute_embeddings(width: int, seed: int, scale: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Starting embeddings of all codes, (codes, width), and of the characters of signs, (characters, width).

    They are normalised sums of one random vector per attribute; a letter's tile and its character share theirs, so
    that to copy one is to write the other.
    """
    generator = torch.Generator().manual_seed(seed)
    vectors: dict[tuple[str, ...], torch.Tensor] = {}

    def row(parts: list[tuple[str, ...]], own: Name | None) -> torch.Tensor:
        for part in parts:
            if part not in vectors:
                vectors[part] = torch.randn(width, generator=generator)
        # a tile's own vector weighs less than what it shares
        total = sum((vectors[part] * (0.5 if part == own else 1.0) for part in parts), torch.zeros(width))
        scaled: torch.Tensor = total / total.norm() * width**0.5 * scale
        return scaled

    codes = torch.randn(CODES, width, generator=generator) * scale * 0.1
    for code, name in enumerate(TILES):
        codes[code] = row(attributes(name), name)
    return codes, torch.stack([row([("letter", character)], None) for character in SIGN_CHARACTERS])


def new_model(tokenizer: Tokenizer, channels: int, seed: int = 0, **changes: Any) -> Any:
    """An untrained model; the tokenizer part is filled in by `vq.py`."""
    torch.manual_seed(seed)
    model: Any = Emu3ForConditionalGeneration(config(tokenizer, channels, **changes))
    embedding = model.get_input_embeddings().weight
    codes, characters = attribute_embeddings(embedding.shape[1], seed, 0.03)
    with torch.no_grad():
        embedding[text_tokenizer.TEXT_TOKENS :] = codes
        embedding[[tokenizer.token_to_id(character) for character in SIGN_CHARACTERS]] = characters
    model.tie_weights()
    return model


def with_words(weights: dict[str, torch.Tensor], old: Tokenizer, new: Tokenizer, seed: int) -> dict[str, torch.Tensor]:
    """The decoder's weights with rows for what only the new tokenizer has, between the old text's and the codes'."""
    table, known = weights["embed_tokens.weight"], old.get_vocab_size()
    names = sorted(new.get_vocab().items(), key=lambda item: item[1])[known:]
    if not names:
        return weights
    rows = starting_rows([text_tokenizer.as_text(new, name) for name, _ in names], old, table[:known], seed)
    return weights | {"embed_tokens.weight": torch.cat([table[:known], rows.to(table.dtype), table[known:]])}


def shape_of(weights: dict[str, torch.Tensor]) -> dict[str, int]:
    """The text model's settings that a decoder's weights tell; a head has 32 channels."""
    width, keys = weights["norm.weight"].shape[0], weights["layers.0.self_attn.k_proj.weight"].shape[0]
    return {
        "num_hidden_layers": 1 + max(int(name.split(".")[1]) for name in weights if name.startswith("layers.")),
        "hidden_size": width,
        "intermediate_size": weights["layers.0.mlp.up_proj.weight"].shape[0],
        "num_attention_heads": width // HEAD,
        "num_key_value_heads": keys // HEAD,
    }


def decoder_weights(folder: Path) -> dict[str, torch.Tensor]:
    """The decoder's weights in a training run or in a checkpoint folder."""
    if (folder / "decoder.pt").exists():
        weights: dict[str, torch.Tensor] = torch.load(folder / "decoder.pt", map_location="cpu", weights_only=True)
        return weights
    model: Any = Emu3ForConditionalGeneration.from_pretrained(folder)
    return dict(model.model.text_model.state_dict())
