"""What an Emu3 checkpoint says besides its weights: its vocabulary, and how the released models are used.

A fine-tuned checkpoint overrides everything here but the vocabulary with a task card (docs/export.md).
"""

import math
from typing import Any, Final

import msgspec
from tokenizers import Tokenizer

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.abilities import Ability, Answer
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Codes, Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece

from ...checkpoint.card import Card
from ...checkpoint.folder import Checkpoint
from ...checkpoint.picture_scaling import CLIP, read_scaling

OPEN, IMAGE, CLOSE = "<|image start|>", "<|image token|>", "<|image end|>"
END_OF_ROW, END_OF_FRAME = "<|extra_200|>", "<|extra_201|>"
PAINTED_PIXELS: Final = 720 * 720  # Emu3-Gen's own picture

# BAAI's own prompts (github.com/baaivision/Emu3, README).
NEGATIVE_TEXT: Final = (
    "lowres, bad anatomy, bad hands, text, error, missing fingers, extra digit, fewer digits, cropped, worst quality, "
    "low quality, normal quality, jpeg artifacts, signature, watermark, username, blurry."
)


def first_code(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> int:
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


def image_block(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer) -> ImageBlock:
    """Return `<|image start|>rows*columns<|image token|>`, a suffix after every row, and the closer."""
    for name in (OPEN, IMAGE, CLOSE, END_OF_ROW, END_OF_FRAME):
        token, mapped = tokenizer.token_to_id(name), config.vocabulary_map.get(name)
        if token is None or token != mapped:
            raise _disagree(checkpoint, name, token, mapped)
    return ImageBlock(
        open=(Piece(token=OPEN), Piece(field="rows"), Piece(text="*"), Piece(field="columns"), Piece(token=IMAGE)),
        row_suffix=(END_OF_ROW,),
        close=(END_OF_FRAME, CLOSE),
    )


def _disagree(checkpoint: Checkpoint, name: str, token: int | None, mapped: int | None) -> CheckpointError:
    return CheckpointError(
        f"{checkpoint.folder}: tokenizer.json has {name} as {token}, config.json's vocabulary_map as {mapped}; "
        "they must agree. Take both from one checkpoint."
    )


def family_defaults(checkpoint: Checkpoint, config: Any, tokenizer: Tokenizer, codes: Codes) -> Card:
    """Return how the released Emu3 models are used; a task card says otherwise."""
    begin, stop = _names(checkpoint, tokenizer, config.text_config)
    preprocess, postprocess = pictures(checkpoint)
    return Card(
        grid=_grid(codes.cell, config.text_config.max_position_embeddings),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(kind="negative", constant=1.0, scale=-1.0),
            ),
            default_scale=3.0,
            negative_text=NEGATIVE_TEXT,
        ),
        sampling=Sampling(temperature=1.0, top_k=2048),
        answer=Answer(stop=stop, max_tokens=320),
        preprocess=preprocess,
        postprocess=postprocess,
        abilities={
            "paint": Ability(prompt=(Piece(token=begin), Piece(field="text")), output="image"),
            "ask": Ability(
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


def _grid(cell: int, max_positions: int) -> Grid:
    """Return the largest free grid: a square of Emu3's own area if a ninth of the positions is left for the prompt."""
    cells = max_positions * 8 // 9
    side = max(1, (math.isqrt(4 * cells + 1) - 1) // 2)  # side * (side + 1) <= cells, a suffix after every row
    side = min(side, math.isqrt(PAINTED_PIXELS) // cell)
    bound = min(cells, 65_536)
    return Grid(rows=(1, bound), columns=(1, bound), cells=(1, cells), default=(side, side))


def pictures(checkpoint: Checkpoint) -> tuple[Preprocess, Postprocess]:
    """Return what preprocessor_config.json says, and the way back; the released models' values where it is silent."""
    scaling = read_scaling(checkpoint, CLIP)
    raw = {
        "min_pixels": scaling.given.get("min_pixels", 512 * 512),
        "max_pixels": scaling.given.get("max_pixels", 1024 * 1024),
        "mean": scaling.mean,
        "std": scaling.std,
        "resample": scaling.resample,
        "smart_resize": True,
    }
    try:
        preprocess = msgspec.convert(raw, Preprocess)
    except msgspec.ValidationError as error:
        path = checkpoint.folder / "preprocessor_config.json"
        raise CheckpointError(f"{path}: {error}; download it again.") from error
    return preprocess, scaling.back
