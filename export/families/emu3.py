"""Emu3ForConditionalGeneration: a Llama decoder and a MoVQ image tokenizer that share one vocabulary.

Any size of it: embeddings tied or not, multi-head or grouped attention, any number of codes. A tokenizer whose
`in_channels` is 3 p p reads pixels unshuffled by p (PixelUnshuffle in front, PixelShuffle behind).
Facts and sources: facts/families.md section 2.
"""

import functools
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import msgspec
import torch
from optimum.utils import NormalizedTextConfig
from tokenizers import Tokenizer
from torch.nn import functional
from transformers import Emu3Config, Emu3ForConditionalGeneration
from transformers.models.emu3.modeling_emu3 import Emu3VQVAE
from transformers.utils import logging

from edgevlo.export.backbone import DecoderShape
from edgevlo.export.card import Card
from edgevlo.export.checkpoint import Checkpoint, Floats
from edgevlo.export.checkpoint import Shape as TensorShape
from edgevlo.export.dummy_inputs import TASK, BackboneConfig, register
from edgevlo.export.plan import Codes, Plan, TorchGraph
from edgevlo.runtime import manifest
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest import GraphRole, Piece

from .emu3_vq import ImageDecoder, ImageTokenizer

ARCHITECTURE: Final = "Emu3ForConditionalGeneration"
OPEN, IMAGE, CLOSE = "<|image start|>", "<|image token|>", "<|image end|>"
END_OF_ROW, END_OF_FRAME = "<|extra_200|>", "<|extra_201|>"
PAINTED_PIXELS: Final = 720 * 720  # Emu3-Gen's own picture

# Checkpoints converted by transformers 4 name their tensors differently (transformers/conversion_mapping.py, "emu3").
_LEGACY: Final = (
    (re.compile(r"^text_model\.lm_head"), "lm_head"),
    (re.compile(r"^text_model\.model"), "model.text_model"),
    (re.compile(r"^vqmodel"), "model.vqmodel"),
)

# BAAI's own prompts (github.com/baaivision/Emu3, README).
NEGATIVE_TEXT: Final = (
    "lowres, bad anatomy, bad hands, text, error, missing fingers, extra digit, fewer digits, cropped, worst quality, "
    "low quality, normal quality, jpeg artifacts, signature, watermark, username, blurry."
)


@register("emu3", TASK)
class Emu3BackboneConfig(BackboneConfig):
    """How Emu3Config spells the sizes that the dummy inputs need."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig.with_args(
        hidden_size="text_config.hidden_size",
        num_layers="text_config.num_hidden_layers",
        num_key_value_heads="text_config.num_key_value_heads",
        num_attention_heads="text_config.num_attention_heads",
        allow_new=True,
    )


def plan(checkpoint: Checkpoint) -> Plan:
    """Return what the exporter needs to know about an Emu3 checkpoint."""
    checkpoint = checkpoint.renamed(_canonical)
    config = _config(checkpoint)
    unshuffle = _unshuffle(checkpoint, config.vq_config)
    checkpoint.expect(_expected(config))
    tokenizer = _tokenizer(checkpoint)
    codes = manifest.Codes(
        count=config.vq_config.codebook_size,
        first_token=_first_code(checkpoint, config, tokenizer),
        cell=unshuffle * 2 ** (len(config.vq_config.channel_multiplier) - 1),
    )
    embedding = "model.text_model.embed_tokens.weight"
    return Plan(
        family="emu3",
        architecture=ARCHITECTURE,
        checkpoint=checkpoint,
        config=config,
        decoder=_decoder(checkpoint, config.text_config),
        embedding=embedding,
        text_head="lm_head.weight" if checkpoint.has("lm_head.weight") else embedding,
        codes=codes,
        image_block=_image_block(checkpoint, config, tokenizer),
        defaults=_defaults(checkpoint, config, tokenizer, codes),
        torch_graphs=functools.partial(_torch_graphs, checkpoint, config.vq_config, unshuffle),
        reference=functools.partial(Emu3Reference, checkpoint, config, codes, unshuffle),
    )


def _canonical(name: str) -> str:
    for pattern, replacement in _LEGACY:
        name = pattern.sub(replacement, name)
    return name


def _config(checkpoint: Checkpoint) -> Any:
    """Return transformers' own reading of config.json: it knows older spellings, and defaults."""
    path = checkpoint.folder / "config.json"
    try:
        config = Emu3Config.from_dict(checkpoint.config)
    except Exception as error:  # transformers raises its validators' and Python's own kinds
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise CheckpointError(f"{path} is not a usable Emu3 config ({reason}); download it again.") from error
    if not config.vocabulary_map:
        raise CheckpointError(f"{path} has no vocabulary_map, so its codes have no tokens; download it again.")
    return config


def _unshuffle(checkpoint: Checkpoint, vq: Any) -> int:
    """Return p, where the tokenizer's channels are 3 p p."""
    p = math.isqrt(vq.in_channels // 3)
    if 3 * p * p != vq.in_channels or vq.out_channels != vq.in_channels:
        raise CheckpointError(
            f"{checkpoint.folder / 'config.json'}: vq_config has {vq.in_channels} channels in and {vq.out_channels} "
            "out; edgevlo exports tokenizers with 3, 12, 27, 48 ... in and as many out."
        )
    return p


def _expected(config: Any) -> dict[str, TensorShape]:
    """Return every tensor that the config promises, from the model itself without its memory."""
    with torch.device("meta"):
        model: Any = Emu3ForConditionalGeneration(config)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    optional = {"lm_head.weight"} if config.tie_word_embeddings else set()
    return {
        name: shape
        for name, shape in shapes.items()
        if name not in optional and not name.endswith("num_batches_tracked")
    }


def _decoder(checkpoint: Checkpoint, text: Any) -> DecoderShape:
    path = checkpoint.folder / "config.json"
    rope = text.rope_parameters
    if rope.get("rope_type", "default") != "default":
        raise CheckpointError(f"{path}: rope_type {rope['rope_type']!r} is not supported; edgevlo exports 'default'.")
    if text.hidden_act != "silu":
        raise CheckpointError(f"{path}: hidden_act {text.hidden_act!r} is not supported; edgevlo exports 'silu'.")
    return DecoderShape(
        prefix="model.text_model",
        layers=text.num_hidden_layers,
        hidden_size=text.hidden_size,
        mlp_size=text.intermediate_size,
        heads=text.num_attention_heads,
        kv_heads=text.num_key_value_heads,
        head_dim=getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads,
        max_positions=text.max_position_embeddings,
        norm_eps=text.rms_norm_eps,
        rope_theta=rope["rope_theta"],
    )


def _tokenizer(checkpoint: Checkpoint) -> Tokenizer:
    path = checkpoint.folder / "tokenizer.json"
    if not path.is_file():
        raise CheckpointError(f"{path} is missing; save it with AutoTokenizer.from_pretrained(...).save_pretrained().")
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the tokenizers library raises bare Exception
        raise CheckpointError(f"{path} is not a tokenizer ({error}); download it again.") from error


def _first_code(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> int:
    """Return the token of code 0; all others must follow it."""
    path = checkpoint.folder / "config.json"
    count = config.vq_config.codebook_size
    first: int | None = config.vocabulary_map.get("<|visual token 000000|>")
    if first is None:
        raise CheckpointError(f"{path}: vocabulary_map has no <|visual token 000000|>; download it again.")
    for code in range(count):
        name = f"<|visual token {code:06d}|>"
        if config.vocabulary_map.get(name) != first + code:
            raise CheckpointError(
                f"{path}: vocabulary_map gives {name} the token {config.vocabulary_map.get(name)}, but code 0 has "
                f"{first}; the {count} codes must be consecutive."
            )
        if tokenizer.token_to_id(name) not in (None, first + code):
            raise _disagree(checkpoint, name, tokenizer.token_to_id(name), first + code)
    if first + count > config.text_config.vocab_size:
        raise CheckpointError(f"{path}: the codes end after vocab_size {config.text_config.vocab_size}.")
    return first


def _image_block(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> manifest.ImageBlock:
    """Return `<|image start|>rows*columns<|image token|>`, a suffix after every row, and the closer."""
    for name in (OPEN, IMAGE, CLOSE, END_OF_ROW, END_OF_FRAME):
        token, mapped = tokenizer.token_to_id(name), config.vocabulary_map.get(name)
        if token is None or token != mapped:
            raise _disagree(checkpoint, name, token, mapped)
    return manifest.ImageBlock(
        open=(Piece(token=OPEN), Piece(field="rows"), Piece(text="*"), Piece(field="columns"), Piece(token=IMAGE)),
        row_suffix=(END_OF_ROW,),
        close=(END_OF_FRAME, CLOSE),
    )


def _disagree(checkpoint: Checkpoint, name: str, token: int | None, mapped: int | None) -> CheckpointError:
    return CheckpointError(
        f"{checkpoint.folder}: tokenizer.json has {name} as {token}, config.json's vocabulary_map as {mapped}; "
        "they must agree. Take both from one checkpoint."
    )


def _defaults(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer, codes: manifest.Codes) -> Card:
    """Return how the released Emu3 models are used; a task card says otherwise."""
    begin, stop = _names(checkpoint, tokenizer, config.text_config)
    preprocess, postprocess = _pictures(checkpoint)
    return Card(
        grid=_grid(codes.cell, config.text_config.max_position_embeddings),
        guidance=manifest.Guidance(
            branches=(
                manifest.Branch(kind="prompt", constant=0.0, scale=1.0),
                manifest.Branch(kind="negative", constant=1.0, scale=-1.0),
            ),
            default_scale=3.0,
            negative_text=NEGATIVE_TEXT,
        ),
        sampling=manifest.Sampling(temperature=1.0, top_k=2048),
        answer=manifest.Answer(stop=stop, max_tokens=320),
        preprocess=preprocess,
        postprocess=postprocess,
        abilities={
            "paint": manifest.Ability(prompt=(Piece(token=begin), Piece(field="text")), output="image"),
            "ask": manifest.Ability(
                prompt=(
                    Piece(token=begin),
                    Piece(text="You are a helpful assistant. USER: "),
                    Piece(field="images"),
                    Piece(field="text"),
                    Piece(text=". ASSISTANT:"),
                ),
                output="text",
                images=(1, 8),
            ),
        },
    )


def _names(checkpoint: Checkpoint, tokenizer: Tokenizer, text: Any) -> tuple[str, tuple[str, ...]]:
    """Return the names of the first token of a sequence and of those that end an answer."""
    ends = text.eos_token_id if isinstance(text.eos_token_id, list) else [text.eos_token_id]
    names = [tokenizer.id_to_token(token) if token is not None else None for token in (text.bos_token_id, *ends)]
    if None in names:
        raise CheckpointError(
            f"{checkpoint.folder}: tokenizer.json names no token for bos_token_id {text.bos_token_id} or eos_token_id "
            f"{text.eos_token_id} of config.json. Take both from one checkpoint."
        )
    begin, *stop = map(str, names)
    return begin, tuple(stop)


def _grid(cell: int, max_positions: int) -> manifest.Grid:
    """Return the largest free grid: a square of Emu3's own area if a ninth of the positions is left for the prompt."""
    cells = max_positions * 8 // 9
    side = max(1, (math.isqrt(4 * cells + 1) - 1) // 2)  # side * (side + 1) <= cells, a suffix after every row
    side = min(side, math.isqrt(PAINTED_PIXELS) // cell)
    bound = min(cells, 65_536)
    return manifest.Grid(rows=(1, bound), columns=(1, bound), cells=(1, cells), default=(side, side))


def _pictures(checkpoint: Checkpoint) -> tuple[manifest.Preprocess, manifest.Postprocess]:
    """Return what preprocessor_config.json says, and the way back; the released models' values where it is silent."""
    path = checkpoint.folder / "preprocessor_config.json"
    given = checkpoint.json(path.name) if path.exists() else {}
    mean, std = given.get("image_mean") or [0.5] * 3, given.get("image_std") or [0.5] * 3
    filters = {0: "nearest", 1: "lanczos", 2: "bilinear", 3: "bicubic"}  # PIL.Image.Resampling
    if len({*mean}) != 1 or len({*std}) != 1 or given.get("resample", 3) not in filters:
        raise CheckpointError(
            f"{path}: image_mean {mean}, image_std {std} or resample {given.get('resample')} cannot be undone with one "
            "scale; state preprocess and postprocess in edgevlo.json."
        )
    raw = {
        "min_pixels": given.get("min_pixels", 512 * 512),
        "max_pixels": given.get("max_pixels", 1024 * 1024),
        "mean": mean,
        "std": std,
        "resample": filters[given.get("resample", 3)],
    }
    try:
        preprocess = msgspec.convert(raw, manifest.Preprocess)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: {error}; download it again.") from error
    return preprocess, manifest.Postprocess(scale=std[0], offset=mean[0], rounding="truncate")


def _torch_graphs(checkpoint: Checkpoint, vq_config: Any, unshuffle: int) -> dict[GraphRole, TorchGraph]:
    """Return the folded tokenizer and decoder, with the checkpoint's weights and nothing else in memory."""
    vq_config._attn_implementation = "eager"  # MatMul and Softmax: facts/graphs.md section 6
    with torch.device("meta"):
        vq: Any = Emu3VQVAE(vq_config)
    weights = {
        name: torch.from_numpy(checkpoint.tensor(f"model.vqmodel.{name}"))
        for name in vq.state_dict()
        if not name.endswith("num_batches_tracked")
    }
    counters = {name: torch.tensor(0) for name in vq.state_dict() if name not in weights}
    vq.load_state_dict(weights | counters, assign=True)
    cell = unshuffle * vq.spatial_scale_factor
    rows, columns = torch.export.Dim("h"), torch.export.Dim("w")
    return {
        "image_decoder": TorchGraph(
            module=ImageDecoder(vq, unshuffle).eval(),
            example=torch.arange(12).reshape(1, 3, 4) % vq_config.codebook_size,
            input=("codes", (1, "h", "w")),
            output=("pixels", (1, 3, "H", "W")),
            dynamic={1: rows, 2: columns},
        ),
        "image_tokenizer": TorchGraph(
            module=ImageTokenizer(vq, unshuffle).eval(),
            example=torch.linspace(-1, 1, 3 * 3 * cell * 4 * cell).reshape(1, 3, 3 * cell, 4 * cell),
            input=("pixel_values", (1, 3, "H", "W")),
            output=("codes", (1, "h", "w")),
            dynamic={2: rows * cell, 3: columns * cell},
        ),
    }


class Emu3Reference:
    """transformers' own model, in float32."""

    def __init__(self, checkpoint: Checkpoint, config: Any, codes: manifest.Codes, unshuffle: int) -> None:
        with _no_progress_bar():
            model: Any = Emu3ForConditionalGeneration.from_pretrained(
                checkpoint.folder, config=config, dtype=torch.float32, local_files_only=True
            )
        self.model = model.eval()
        self.rows = slice(codes.first_token, codes.first_token + codes.count)
        self.unshuffle = unshuffle

    @torch.no_grad()
    def hidden(self, inputs_embeds: Floats) -> Floats:
        """Return the hidden states `(1, T, D)` after the final norm for embeddings `(1, T, D)`."""
        out = self.model.model.text_model(inputs_embeds=torch.from_numpy(inputs_embeds), use_cache=False)
        return _floats(out.last_hidden_state)

    @torch.no_grad()
    def embeddings(self, tokens: Codes) -> Floats:
        """Return the input embeddings `(T, D)` of tokens `(T,)`."""
        return _floats(self.model.get_input_embeddings()(torch.from_numpy(tokens)))

    @torch.no_grad()
    def text_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, V)` of hidden states `(B, D)`."""
        return _floats(self.model.lm_head(torch.from_numpy(hidden)))

    def image_logits(self, hidden: Floats) -> Floats:
        """Return the logits `(B, K)` of the codes for hidden states `(B, D)`."""
        return self.text_logits(hidden)[:, self.rows]

    @torch.no_grad()
    def codes(self, pixel_values: Floats) -> Codes:
        """Return the codes `(1, h, w)` of a picture `(1, 3, H, W)`."""
        pixels = functional.pixel_unshuffle(torch.from_numpy(pixel_values), self.unshuffle)
        encoded = self.model.model.vqmodel.encode(pixels, torch.tensor([pixels.shape[-2:]]))
        codes: Codes = encoded.image_tokens[0][None].numpy()
        return codes

    @torch.no_grad()
    def pixels(self, codes: Codes) -> Floats:
        """Return the picture `(1, 3, H, W)` of codes `(1, h, w)`."""
        frame = self.model.model.vqmodel.decode(torch.from_numpy(codes))
        return _floats(functional.pixel_shuffle(frame, self.unshuffle))


@contextmanager
def _no_progress_bar() -> Iterator[None]:
    """Keep transformers' own bar off the terminal while weights are loaded."""
    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


def _floats(tensor: torch.Tensor) -> Floats:
    array: Floats = tensor.float().numpy()
    return array
