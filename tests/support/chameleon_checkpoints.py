"""Tiny random checkpoints of Chameleon's class, saved as Hugging Face folders. Made by transformers itself.

transformers leaves out the pixel decoder, so it is made here in the layout of CompVis/taming-transformers and put where
each release has it: among the checkpoint's tensors (Anole), in a file `vqgan.ckpt` beside them (Lumina-mGPT), or
nowhere.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from emu3_checkpoints import SYMBOLS, WORDS
from tokenizers import AddedToken, Tokenizer, decoders, pre_tokenizers, processors
from tokenizers.models import WordLevel

BEGIN, PAD, END, PLACEHOLDER = "<s>", "<pad>", "</s>", "<image>"
OPEN, CLOSE, TURN, ROW = "<racm3:break>", "<eoss>", "<reserved08706>", "<reserved08799>"
TAGS = tuple(f"<reserved{8800 + count:05d}>" for count in range(1, 41))
LUMINA_WORDS = [
    "Generate",
    "image",
    "according",
    "following",
    "prompt",
    "x",
    ":",
    "Segmentic",
    "segmentation",
    ".",
    "Depth",
    "estimation",
    "Surface",
    "normal",
    "Human",
    "pose",
    "Detect",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChameleonShape:
    """What differs between the tiny checkpoints."""

    name: str
    layers: int = 2
    hidden: int = 64
    heads: int = 4
    kv_heads: int = 4
    mlp: int = 128
    tied: bool = False
    swin_norm: bool = False
    codes: int = 64
    multipliers: tuple[int, ...] = (1, 1, 1)
    side: int = 6  # cells
    decoder: Literal["inside", "file", "nowhere"] = "inside"
    shuffled: bool = True  # whether the codes' tokens are in another order than the codebook
    max_positions: int = 512
    seed: int = 0

    @property
    def cell(self) -> int:
        """Return the side of a cell in pixels."""
        return 1 << (len(self.multipliers) - 1)

    @property
    def pixels(self) -> int:
        """Return the side of a picture in pixels."""
        return self.side * self.cell


CHAMELEON_SHAPES = (
    ChameleonShape(name="anole-mha"),
    ChameleonShape(name="gqa-swin", layers=3, kv_heads=2, swin_norm=True, multipliers=(1, 2), side=5, decoder="file",
                   seed=1),
    ChameleonShape(name="tied-odd", layers=1, hidden=96, heads=6, kv_heads=3, tied=True, codes=100, shuffled=False,
                   multipliers=(1, 1, 2), side=4, seed=2),
)  # fmt: skip
LUMINA_SHAPES = (
    ChameleonShape(name="Lumina-mGPT-7B-512-Omni", multipliers=(1, 1), decoder="file", seed=3),
    ChameleonShape(name="Lumina-mGPT-7B-768-Omni", layers=3, heads=4, kv_heads=2, decoder="file", tied=True, seed=4),
)


def make_chameleon(folder: Path, shape: ChameleonShape) -> Path:
    """Write a random checkpoint with its tokenizer and return its folder."""
    import torch
    from safetensors.torch import load_file, save_file
    from transformers import ChameleonForConditionalGeneration

    torch.manual_seed(shape.seed)
    vocabulary = vocabulary_map(shape)
    model: Any = ChameleonForConditionalGeneration(_config(shape, vocabulary))
    model.eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "vqmodel" in name:
                continue
            if name.endswith(
                ("v_proj.weight", "o_proj.weight", "gate_proj.weight", "up_proj.weight", "down_proj.weight")
            ):
                parameter.mul_(8.0)  # else a token says little but itself, and every cell gets the same code
            if name.endswith(("q_norm.weight", "k_norm.weight")):
                parameter.normal_(mean=1.5, std=0.5)
            if name.endswith(("q_norm.bias", "k_norm.bias")):
                parameter.normal_(std=0.3)
            if name.endswith("layernorm.weight") or name == "model.norm.weight":
                parameter.uniform_(0.5, 1.5)
        spread_codebook(model.model.vqmodel, shape)
    model.save_pretrained(folder)
    decoder = taming_decoder(shape)
    if shape.decoder == "inside":
        weights = load_file(folder / "model.safetensors")
        inside = {f"model.vqmodel.decoder.{name}": tensor for name, tensor in decoder.items()}
        save_file(weights | inside, folder / "model.safetensors", metadata={"format": "pt"})
    elif shape.decoder == "file":
        write_vqgan(folder, model.model.vqmodel, decoder)
    chameleon_tokenizer(vocabulary).save(str(folder / "tokenizer.json"))
    (folder / "tokenizer_config.json").write_text(json.dumps({"bos_token": {"content": BEGIN}, "eos_token": END}))
    preprocessor = {
        "image_processor_type": "ChameleonImageProcessor",
        "image_mean": [1.0] * 3,
        "image_std": [1.0] * 3,
        "rescale_factor": 0.0078,
        "resample": 1,
        "size": {"shortest_edge": shape.pixels},
        "crop_size": {"height": shape.pixels, "width": shape.pixels},
    }
    (folder / "preprocessor_config.json").write_text(json.dumps(preprocessor))
    return folder


def write_vqgan(folder: Path, tokenizer: Any, decoder: dict[str, Any]) -> None:
    """Write `vqgan.ckpt` as Lightning saves taming-transformers' VQModel."""
    import torch

    own = {f"decoder.{name}": tensor for name, tensor in decoder.items()}
    own |= {name: tensor.clone() for name, tensor in tokenizer.state_dict().items()}
    own["loss.discriminator.weight"] = torch.zeros(3)
    torch.save({"epoch": 3, "state_dict": own}, folder / "vqgan.ckpt")


def vocabulary_map(shape: ChameleonShape) -> dict[str, int]:
    """Return token -> id: specials, codes as in the released models in an order of their own, words."""
    import numpy as np

    order = np.random.default_rng(shape.seed).permutation(shape.codes) if shape.shuffled else range(shape.codes)
    codes = ("IMGIMG" + "".join("ABCDEFGHIJ"[int(digit)] for digit in str(code)) + "Z" for code in order)
    names = (
        BEGIN,
        PAD,
        END,
        "<unk>",
        *codes,
        CLOSE,
        OPEN,
        TURN,
        PLACEHOLDER,
        ROW,
        *TAGS,
        *WORDS,
        *LUMINA_WORDS,
        *SYMBOLS,
    )
    return {token: place for place, token in enumerate(dict.fromkeys(names))}


def chameleon_tokenizer(vocabulary: dict[str, int]) -> Tokenizer:
    """Return a word-level tokenizer; digits stand alone so that every size can be written."""
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.decoder = decoders.WordPiece(prefix="")
    specials = [name for name in vocabulary if name.startswith("<")]
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in specials])
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{BEGIN} $A", special_tokens=[(BEGIN, vocabulary[BEGIN])]
    )
    return tokenizer


def taming_decoder(shape: ChameleonShape) -> dict[str, Any]:
    """Return the tensors of a random VQGAN decoder under taming-transformers' names, without `decoder.`."""
    import torch
    from torch.nn import init

    generator = torch.Generator().manual_seed(shape.seed + 100)
    tensors: dict[str, Any] = {}

    def convolution(name: str, inputs: int, outputs: int, kernel: int) -> None:
        weight = torch.empty(outputs, inputs, kernel, kernel)
        tensors[f"{name}.weight"] = init.kaiming_uniform_(weight, a=1.0, generator=generator)
        tensors[f"{name}.bias"] = torch.randn(outputs, generator=generator) * 0.1

    def norm(name: str, channels: int) -> None:
        tensors[f"{name}.weight"] = 1 + 0.2 * torch.randn(channels, generator=generator)
        tensors[f"{name}.bias"] = 0.1 * torch.randn(channels, generator=generator)

    def block(name: str, inputs: int, outputs: int) -> None:
        norm(f"{name}.norm1", inputs)
        convolution(f"{name}.conv1", inputs, outputs, 3)
        norm(f"{name}.norm2", outputs)
        convolution(f"{name}.conv2", outputs, outputs, 3)
        if inputs != outputs:
            convolution(f"{name}.nin_shortcut", inputs, outputs, 1)

    channels = 32 * shape.multipliers[-1]
    convolution("conv_in", LATENT, channels, 3)
    block("mid.block_1", channels, channels)
    norm("mid.attn_1.norm", channels)
    for name in ("q", "k", "v", "proj_out"):
        convolution(f"mid.attn_1.{name}", channels, channels, 1)
    block("mid.block_2", channels, channels)
    for level in reversed(range(len(shape.multipliers))):
        outputs = 32 * shape.multipliers[level]
        for index in range(2):  # one more than the encoder has
            block(f"up.{level}.block.{index}", channels, outputs)
            channels = outputs
        if level:
            convolution(f"up.{level}.upsample.conv", channels, channels, 3)
    norm("norm_out", channels)
    convolution("conv_out", channels, 3, 3)
    return tensors


LATENT = 16


def vq_config(shape: ChameleonShape) -> Any:
    """Return the config of the image tokenizer."""
    from transformers import ChameleonVQVAEConfig

    return ChameleonVQVAEConfig(
        embed_dim=LATENT,
        num_embeddings=shape.codes,
        latent_channels=LATENT,
        resolution=shape.pixels,
        base_channels=32,
        channel_multiplier=list(shape.multipliers),
        num_res_blocks=1,
    )


def _config(shape: ChameleonShape, vocabulary: dict[str, int]) -> Any:
    from transformers import ChameleonConfig

    return ChameleonConfig(
        vocab_size=len(vocabulary),
        hidden_size=shape.hidden,
        intermediate_size=shape.mlp,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        num_key_value_heads=shape.kv_heads,
        max_position_embeddings=shape.max_positions,
        swin_norm=shape.swin_norm,
        tie_word_embeddings=shape.tied,
        vocabulary_map=vocabulary,
        bos_token_id=vocabulary[PAD],  # as released: the config's number is not the tokenizer's <s>
        eos_token_id=vocabulary[END],
        pad_token_id=vocabulary[PAD],
        vq_config=vq_config(shape).to_dict(),
    )


def spread_codebook(vq: Any, shape: ChameleonShape) -> None:
    """Put the codes where the encoder's outputs lie, so that a random picture uses many of them."""
    import torch

    side = 16 * shape.cell
    hidden = vq.encoder(torch.randn(2, 3, side, side).clamp(-1, 1))
    flat = vq.quant_conv(hidden).movedim(1, -1).reshape(-1, LATENT)
    mean, std = flat.mean(0), flat.std(0)  # codes that hardly differ are told apart by rounding errors
    vq.quant_conv.weight.div_(std[:, None, None, None])
    vq.quant_conv.bias.sub_(mean).div_(std)
    flat = (flat - mean) / std
    some = torch.randperm(len(flat)) if len(flat) >= shape.codes else torch.randint(len(flat), (shape.codes,))
    chosen = flat[some[: shape.codes]]
    vq.quantize.embedding.weight.copy_(chosen + 0.01 * flat.std() * torch.randn_like(chosen))
