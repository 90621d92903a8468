"""Tiny random Janus checkpoints of different shape, saved as Hugging Face folders. Made by transformers itself."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emu3_checkpoints import SYMBOLS, WORDS
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import WordLevel

BEGIN, END, PAD = "<｜begin▁of▁sentence｜>", "<｜end▁of▁sentence｜>", "<｜▁pad▁｜>"
OPEN, CLOSE, PLACEHOLDER = "<begin_of_image>", "<end_of_image>", "<image_placeholder>"
ROLES = ("<|User|>", "<|Assistant|>")
SPOKEN = ("User", "Assistant", "You", "are", "helpful", "language", "vision", "assistant", "able", "understand")


@dataclass(frozen=True, slots=True, kw_only=True)
class JanusShape:
    """What differs between the tiny checkpoints."""

    name: str
    layers: int = 2
    hidden: int = 64
    heads: int = 4
    kv_heads: int = 4
    mlp: int = 128
    tied: bool = False
    codes: int = 256
    multipliers: tuple[int, ...] = (1, 1, 1, 1, 1)
    side: int = 6  # cells
    vision_layers: int = 2
    vision_heads: int = 2
    aligner_depth: int = 2
    pro: bool = True  # the dialect
    seed: int = 0

    @property
    def pixels(self) -> int:
        """Return the side of a picture in pixels."""
        return 16 * self.side

    @property
    def cell(self) -> int:
        """Return the side of a cell in pixels."""
        return 1 << (len(self.multipliers) - 1)


JANUS_SHAPES = (
    JanusShape(name="pro-mha", vision_heads=16),
    JanusShape(name="gqa-old", layers=3, kv_heads=2, tied=True, pro=False, side=5, vision_layers=1, seed=3),
    JanusShape(name="odd", layers=1, hidden=96, heads=6, kv_heads=3, codes=300, multipliers=(1, 2, 1, 1, 2), side=4,
               aligner_depth=3, vision_layers=3, vision_heads=16, seed=2),
)  # fmt: skip


def make_janus(folder: Path, shape: JanusShape) -> Path:
    """Write a random checkpoint with its tokenizer and return its folder."""
    import torch
    import transformers
    from transformers import JanusForConditionalGeneration

    library: Any = transformers
    torch.manual_seed(shape.seed)
    tokenizer = janus_tokenizer(shape)
    model: Any = JanusForConditionalGeneration(_config(shape, tokenizer))
    model.eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if shape.tied and "embed_tokens" in name:
                continue  # the tied head would answer every token with itself
            if parameter.ndim >= 2 and "vqmodel" not in name:
                parameter.mul_(10.0 if "language_model" in name or "generation" in name else 4.0)
            elif name.endswith("bias") and "vqmodel" not in name:
                parameter.normal_(std=0.1)
        model.model.vqmodel.quantize.embedding.weight.normal_(std=3.0)  # not normalised, as a codebook may be stored
    ids = {name: token_id(tokenizer, name) for name in (BEGIN, END, PAD, OPEN)}
    model.generation_config = library.GenerationConfig(
        bos_token_id=ids[BEGIN],
        eos_token_id=ids[END],
        pad_token_id=ids[PAD],
        max_length=512,
        generation_kwargs={"boi_token_id": ids[OPEN]},
    )
    model.save_pretrained(folder)
    tokenizer.save(str(folder / "tokenizer.json"))
    named = {"bos_token": BEGIN, "eos_token": {"content": END}, "pad_token": PAD, "boi_token": OPEN,
             "eoi_token": CLOSE, "image_token": PLACEHOLDER}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(named))
    preprocessor = {
        "image_processor_type": "JanusImageProcessor",
        "image_mean": [0.5] * 3,
        "image_std": [0.5] * 3,
        "min_size": 14,
        "size": {"height": shape.pixels, "width": shape.pixels},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def janus_tokenizer(shape: JanusShape) -> Tokenizer:
    """Return a word-level tokenizer that knows newlines, with roles as tokens where the dialect has them."""
    specials = (PAD, BEGIN, END, "<unk>", PLACEHOLDER, OPEN, CLOSE, *(ROLES if shape.pro else ()))
    words = ("\n\n", "\n", ":", *SPOKEN, *WORDS, *SYMBOLS)
    vocabulary = {token: place for place, token in enumerate(dict.fromkeys((*specials, *words)))}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(" ", "removed"), pre_tokenizers.Split("\n\n", "isolated"), pre_tokenizers.Punctuation()]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="")
    tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in specials])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, vocabulary[BEGIN])]
    )
    return tokenizer


def token_id(tokenizer: Tokenizer, name: str) -> int:
    """Return the id of a token that is there."""
    found = tokenizer.token_to_id(name)
    assert found is not None
    return int(found)


def _config(shape: JanusShape, tokenizer: Tokenizer) -> Any:
    from transformers import JanusConfig, JanusVisionConfig, JanusVQVAEConfig, LlamaConfig

    text = LlamaConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=shape.hidden,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=512,
        bos_token_id=token_id(tokenizer, BEGIN),
        eos_token_id=token_id(tokenizer, END),
        pad_token_id=token_id(tokenizer, PAD),
        tie_word_embeddings=shape.tied,
    )
    vision = JanusVisionConfig(
        hidden_size=32,
        num_hidden_layers=shape.vision_layers,
        num_attention_heads=shape.vision_heads,
        image_size=shape.pixels,
        patch_size=16,
        projection_dim=shape.hidden,
        num_image_tokens=shape.side**2,
        depth=shape.aligner_depth,
    )
    vq = JanusVQVAEConfig(
        embed_dim=8,
        num_embeddings=shape.codes,
        latent_channels=32,
        base_channels=32,
        channel_multiplier=list(shape.multipliers),
        num_res_blocks=1,
        projection_dim=shape.hidden,
        image_token_embed_dim=shape.hidden,
        num_hidden_layers=shape.aligner_depth,
    )
    return JanusConfig(
        text_config=text,
        vision_config=vision,
        vq_config=vq,
        image_token_id=token_id(tokenizer, PLACEHOLDER),
        tie_word_embeddings=shape.tied,
    )
