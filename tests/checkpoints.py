"""Tiny random Emu3 checkpoints of different shape, saved as Hugging Face folders. Made by transformers itself."""

import json
from dataclasses import dataclass
from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, pre_tokenizers
from tokenizers.models import WordLevel
from transformers import Emu3Config, Emu3ForConditionalGeneration, Emu3TextConfig, Emu3VQVAEConfig

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
WORDS = (
    "a red blue green big small car house tree dog cat boat flower bird on in at the left right of and is beach snow "
    "night day sunset sky sea what where how many color background remove change to into yellow"
).split()
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
    attention_levels: tuple[int, ...] = (3,)
    biases: bool = False
    max_positions: int = 512
    seed: int = 0

    @property
    def cell(self) -> int:
        """Return the side of a cell in pixels."""
        return self.unshuffle * 2 ** (len(self.multipliers) - 1)


SHAPES = (
    Shape(name="plain"),
    Shape(name="tied-mha", tied=True, heads=2, kv_heads=2, layers=3, seed=1),
    Shape(name="temporal", temporal=4, multipliers=(1, 2, 2, 4), heads=4, kv_heads=1, seed=2),
    Shape(name="many-codes", codes=300, layers=1, hidden=96, heads=6, kv_heads=3, biases=True, seed=3),
    Shape(name="cell16", multipliers=(1, 1, 1, 1, 1), attention_levels=(4,), tied=True, seed=4),
    Shape(name="unshuffled", unshuffle=2, codes=100, attention_levels=(), tied=True, layers=3, seed=5),
    Shape(name="unshuffled-cell8", unshuffle=2, multipliers=(1, 2, 1), attention_levels=(2,), temporal=4, seed=6),
)


def make_checkpoint(folder: Path, shape: Shape) -> Path:
    """Write a random checkpoint with its tokenizer and return its folder."""
    torch.manual_seed(shape.seed)
    vocabulary = vocabulary_map(shape)
    model = Emu3ForConditionalGeneration(_config(shape, vocabulary)).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.ndim >= 2 and "vqmodel" not in name:
                parameter.mul_(6.0)  # else every cell gets the same code
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


def _config(shape: Shape, vocabulary: dict[str, int]) -> Emu3Config:
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
        attention_bias=shape.biases,
        mlp_bias=shape.biases,
        tie_word_embeddings=shape.tied,
    )
    return Emu3Config(vocabulary_map=vocabulary, vq_config=vq, text_config=text, tie_word_embeddings=shape.tied)


def _spread_codebook(model: Emu3ForConditionalGeneration) -> None:
    """Put the codes where the encoder's outputs lie, so that a random picture uses many of them."""
    vq = model.model.vqmodel
    side = 16 * vq.spatial_scale_factor
    pixels = torch.randn(2, vq.config.in_channels, side, side).clamp(-1, 1)
    latents: list[torch.Tensor] = []
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
