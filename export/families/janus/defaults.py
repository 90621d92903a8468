"""How the released Janus models are used: two prompt dialects, one square, pads in the unconditional branch.

Names and templates are read from the files beside the weights, of transformers' format (converted by its
convert_janus_weights_to_hf.py) or of deepseek-ai/Janus (janus/utils/conversation.py, janus/models/processing_vlm.py).
A fine-tuned checkpoint overrides everything here with a task card (docs/export.md).
"""

import dataclasses
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

import msgspec
from tokenizers import Tokenizer

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.abilities import Ability, Answer
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece

from ...checkpoint.card import Card
from ...checkpoint.folder import Checkpoint, CheckpointWarning
from ...checkpoint.picture_scaling import CLIP, read_scaling
from ...checkpoint.tokenizer import plain_name, read_optional, special_names

SYSTEM_TEXT: Final = (
    "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
    "provides, and assist the user with a variety of tasks using natural language.\n\n"
)
USUAL: Final = dataclasses.replace(CLIP, steps=("do_resize", "do_pad"))
ROLES: Final = {"deepseek": ("<|User|>", "<|Assistant|>"), "deepseek_old": ("User", "Assistant")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Names of tokens, and who speaks: `<|User|>` and `<|Assistant|>` (Pro) or `User` and `Assistant` (1.3B)."""

    begin: str
    end: str
    pad: str
    open: str
    placeholder: str
    close: str
    user: Piece
    assistant: Piece
    rounding: Literal["round", "truncate"]  # of a picture's shorter side


def read_dialect(checkpoint: Checkpoint, tokenizer: Tokenizer, *, original: bool = False) -> Dialect:
    """Return the dialect of a checkpoint; raise `CheckpointError` where its tokenizer lacks one of the names."""
    processor = read_optional(checkpoint, "processor_config.json")
    named = special_names(checkpoint)
    pad = named.get("pad_token")
    if original:
        pad = processor.get("pad_tag", "<｜▁pad▁｜>")
    elif (token := read_optional(checkpoint, "generation_config.json").get("pad_token_id")) is not None:
        pad = tokenizer.id_to_token(token)  # what transformers' `generate` puts there
    names = {
        "begin": named.get("bos_token") or "<｜begin▁of▁sentence｜>",
        "end": named.get("eos_token") or "<｜end▁of▁sentence｜>",
        "pad": pad or "<｜▁pad▁｜>",
        "open": named.get("boi_token") or processor.get("image_start_tag", "<begin_of_image>"),
        "placeholder": named.get("image_token") or processor.get("image_tag", "<image_placeholder>"),
        "close": named.get("eoi_token") or processor.get("image_end_tag", "<end_of_image>"),
    }
    plain = {what: plain_name(name) or str(name) for what, name in names.items()}
    for what, name in plain.items():
        if tokenizer.token_to_id(name) is None:
            raise CheckpointError(
                f"{checkpoint.folder / 'tokenizer.json'} has no token {name}, the model's {what}; take config and "
                "tokenizer from one checkpoint."
            )
    user, assistant = (_spoken(tokenizer, role) for role in ROLES[_format(checkpoint, processor, tokenizer)])
    return Dialect(**plain, user=user, assistant=assistant, rounding="truncate" if original else "round")


def _format(checkpoint: Checkpoint, processor: dict[str, Any], tokenizer: Tokenizer) -> str:
    """Return the name of the conversation format, of which only deepseek-ai's own processor_config.json speaks."""
    if processor.get("sft_format") in ROLES:
        return str(processor["sft_format"])
    if templates := list(_templates(checkpoint, processor)):
        spoken = ["deepseek" if ROLES["deepseek"][0] in template else "deepseek_old" for _, template in templates]
        if len({*spoken}) > 1:
            warnings.warn(
                f"{checkpoint.folder}: {', '.join(file for file, _ in templates)} have chat templates of different "
                f"roles; {templates[0][0]} was followed, as transformers does",
                CheckpointWarning,
                stacklevel=4,
            )
        return spoken[0]
    return "deepseek" if tokenizer.token_to_id(ROLES["deepseek"][0]) is not None else "deepseek_old"


def _templates(checkpoint: Checkpoint, processor: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the chat templates and their files in the order of transformers' processors."""
    written = checkpoint.folder / "chat_template.jinja"
    stated = {
        "processor_config.json": processor.get("chat_template"),
        "chat_template.json": read_optional(checkpoint, "chat_template.json").get("chat_template"),
        written.name: written.read_text(encoding="utf-8-sig", errors="replace") if written.is_file() else None,
        "tokenizer_config.json": read_optional(checkpoint, "tokenizer_config.json").get("chat_template"),
    }
    yield from ((file, str(template)) for file, template in stated.items() if template)


def _spoken(tokenizer: Tokenizer, role: str) -> Piece:
    """Return a role as the tokenizer reads it: one token where it has one, else text."""
    added = {token.content for token in tokenizer.get_added_tokens_decoder().values()}
    return Piece(token=role) if role in added else Piece(text=role)


def image_block(dialect: Dialect) -> ImageBlock:
    """Return opener and closer; nothing stands between rows, and the closer of a painted picture is never read."""
    return ImageBlock(
        open=(Piece(token=dialect.open),),
        close=(dialect.close,),
        features="vision_encoder",
        separator="\n\n",  # between two pictures, by transformers' chat template
    )


def family_defaults(checkpoint: Checkpoint, config: Any, dialect: Dialect) -> Card:
    """Return how the released Janus models are used; a task card says otherwise."""
    side = config.vq_config.num_patches
    preprocess, postprocess = _pictures(checkpoint, config.vision_config.image_size, dialect)
    answer = answered(dialect)
    return Card(
        grid=Grid(
            kind="fixed",
            rows=(side, side),
            columns=(side, side),
            cells=(side * side, side * side),
            default=(side, side),
        ),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(kind="pad_middle", constant=1.0, scale=-1.0),
            ),
            default_scale=5.0,
            pad=dialect.pad,
        ),
        sampling=Sampling(temperature=1.0, top_k=0),
        answer=Answer(stop=(dialect.end,), max_tokens=512),
        preprocess=preprocess,
        postprocess=postprocess,
        abilities={
            "paint": Ability(
                prompt=(Piece(token=dialect.begin), dialect.user, Piece(text=": "), Piece(field="text"), *answer),
                output="image",
            ),
            "ask": Ability(
                prompt=(
                    Piece(token=dialect.begin),
                    Piece(text=SYSTEM_TEXT),
                    dialect.user,
                    Piece(text=": "),
                    Piece(field="images"),
                    Piece(text="\n"),
                    Piece(field="text"),
                    *answer,
                ),
                output="text",
                images=(1, 8),
            ),
        },
    )


def answered(dialect: Dialect) -> tuple[Piece, ...]:
    """Return the end of every prompt, after which the model answers or paints."""
    return (Piece(text="\n\n"), dialect.assistant, Piece(text=":"))


def _pictures(checkpoint: Checkpoint, side: int, dialect: Dialect) -> tuple[Preprocess, Postprocess]:
    """Return what preprocessor_config.json says, and the way back; pictures are squares of `side` pixels."""
    scaling = read_scaling(checkpoint, USUAL)
    path = checkpoint.folder / "preprocessor_config.json"
    size = scaling.given.get("size") or scaling.given.get("image_size") or side
    sides = set(size.values()) if isinstance(size, dict) else {size}
    if sides != {side}:
        raise CheckpointError(f"{path} makes pictures of {size}, but the vision encoder takes squares of {side}.")
    raw = {
        "min_pixels": side * side,
        "max_pixels": side * side,
        "mean": scaling.mean,
        "std": scaling.std,
        "resample": scaling.resample,
        "fit_pad_square": {
            "side": side,
            "min_side": scaling.given.get("min_size", 14),
            "color": [int(mean * 255) for mean in scaling.mean],  # truncated, as both image processors do: 127
            "rounding": dialect.rounding,
        },
    }
    try:
        return msgspec.convert(raw, Preprocess), scaling.back
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: {error}; download it again.") from error
