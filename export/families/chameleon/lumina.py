"""How Lumina-mGPT is used: free sizes written as reserved tokens, an end of every row, perception by prompts.

Prompts and settings are those of github.com/Alpha-VLLM/Lumina-mGPT (item_processor, inference_solver, demos). A
fine-tuned checkpoint overrides everything here with a task card (docs/export.md).
"""

import math
import re
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from edgevlo.runtime.manifest.abilities import Ability, AbilityName, Answer, Request
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Cover, Grid, Preprocess
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece, Tag

from ...checkpoint.card import Card
from ...checkpoint.folder import Checkpoint
from ...checkpoint.licence import source
from .defaults import BACK
from .vocabulary import Names

END_OF_ROW: Final = "<reserved08799>"
PATCH: Final = 2  # cells that a size is counted in, both ways
MAX_RATIO: Final = 4.0
DEFAULT_SIZE: Final = 768

_NAME: Final = re.compile(r"lumina-mgpt(?!-2)", re.IGNORECASE)
_SIZE: Final = re.compile(r"-(512|768|1024)(?:-|$)")
_OWN_KEYS: Final = ("z_loss_weight", "mask_image_logits")  # of its training code's config
_OWN_CLASS: Final = "ChameleonXLLMXForConditionalGeneration"

# Ability -> prompt, spelled as in the model's training.
PERCEIVED: Final[dict[AbilityName, str]] = {
    "segment": "Segmentic segmentation.",
    "depth": "Depth estimation.",
    "normals": "Surface normal estimation.",
    "pose": "Human pose estimation.",
    "boxes": "Detect: {objects}",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One of the released models: the side of its square in pixels, and whether it edits and perceives."""

    size: int
    omni: bool


def released_as(checkpoint: Checkpoint) -> Release | None:
    """Return which Lumina-mGPT a checkpoint is, None if it is none.

    Its class, a key of its config, or the name of its folder or hub id says that it is one; only a name says the size,
    which is 768 otherwise, and whether it is an Omni.
    """
    config = checkpoint.config
    names = [source(checkpoint.folder).id, str(config.get("_name_or_path") or "")]
    own = any(key in config for key in _OWN_KEYS) or _OWN_CLASS in (config.get("architectures") or [])
    named = [name for name in names if _NAME.search(name)]
    if not own and not named:
        return None
    sizes = [match for name in named or names if (match := _SIZE.search(name))]
    return Release(
        size=int(sizes[0][1]) if sizes else DEFAULT_SIZE, omni=any("omni" in name.lower() for name in named or names)
    )


def lumina_block(names: Names) -> ImageBlock:
    """Return `BOI rows columns`, both as reserved tokens, a suffix after every row, and the closer."""
    tag = Tag(prefix="<reserved", suffix=">", digits=5, offset=8800, unit=PATCH)
    return ImageBlock(
        open=(Piece(token=names.open), Piece(field="rows", tag=tag), Piece(field="columns", tag=tag)),
        row_suffix=(END_OF_ROW,),
        close=(names.close,),
        separator=" ",
    )


def lumina_defaults(config: Any, names: Names, cell: int, release: Release) -> Card:
    """Return how a released Lumina-mGPT is used."""
    side = _side(release.size // cell, config.max_position_embeddings, pictures=1 + release.omni)
    begin, turn_ends, text = Piece(token=names.begin), Piece(token=names.end_of_turn), Piece(field="text")
    shown = (begin, text, Piece(text=" "), Piece(field="images"), turn_ends)
    abilities: dict[AbilityName, Ability] = {
        "paint": Ability(
            prompt=(
                begin,
                Piece(text="Generate an image of "),
                Piece(field="width"),
                Piece(text="x"),
                Piece(field="height"),
                Piece(text=" according to the following prompt:\n"),
                text,
                turn_ends,
            ),
            output="image",
        ),
        "ask": Ability(prompt=shown, output="text", images=(1, 4)),
    }
    if release.omni:
        painted = Ability(
            prompt=shown,
            output="image",
            images=(1, 1),
            guidance_scale=1.0,
            sampling=Sampling(temperature=1.0, top_k=200),
        )
        abilities["edit"] = painted
        for name, words in PERCEIVED.items():
            abilities[name] = msgspec.structs.replace(painted, request=Request(text=words))
    pixels = (side * cell) ** 2
    return Card(
        grid=Grid(
            rows=(PATCH, 2 * side),
            columns=(PATCH, 2 * side),
            cells=(PATCH * PATCH, side * side),
            default=(side, side),
            max_ratio=MAX_RATIO,
            step=PATCH,
        ),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(kind="template", constant=1.0, scale=-1.0),  # the opener, and what was painted
            ),
            default_scale=4.0,
        ),
        sampling=Sampling(temperature=1.0, top_k=2000),
        answer=Answer(stop=names.stop, max_tokens=512, text_only=True),
        preprocess=Preprocess(
            min_pixels=pixels,
            max_pixels=pixels,
            resample="bicubic",
            cover=Cover(rounding="round", halve=2, full=True),
        ),
        postprocess=BACK,
        abilities=abilities,
    )


def _side(side: int, max_positions: int, *, pictures: int) -> int:
    """Return the side of the largest square, in cells: that of the release if so many and a prompt fit."""
    room = max_positions * 8 // 9 // pictures
    fits = (math.isqrt(4 * room + 1) - 1) // 2  # side * (side + 1) <= room
    return max(PATCH, min(side, fits) // PATCH * PATCH)
