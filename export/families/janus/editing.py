"""Janus-4o: Janus-Pro fine-tuned to edit. It shows a picture twice and guides with three branches.

The checkpoint has Janus-Pro's tensors, config and class, so it is recognised by its name; a fine-tuned model of another
name says the same in a task card (docs/export.md). The protocol is that of FreedomIntelligence/ShareGPT-4o-Image:
what the vision encoder sees, then the codes, then the instruction.

Its two weights, g and h, mix `unconditional + g (conditional - unconditional)`, where `conditional` is
`(full + h part) / (1 + h)` and `part` sees pads for the codes. With the image guidance scale a = g / (1 + h) that is
`unconditional + g (part - unconditional) + a (full - part)`: linear in both scales, as a manifest states weights.
"""

import re
from typing import Any, Final

import msgspec

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.abilities import Ability
from edgevlo.runtime.manifest.guidance import Branch, Guidance
from edgevlo.runtime.manifest.prompts import Piece

from ...checkpoint.card import Card, read_card
from ...checkpoint.folder import Checkpoint
from ...checkpoint.licence import source
from .defaults import Dialect, answered

SCALE: Final = 5.0  # both weights of the reference
IMAGE_SCALE: Final = SCALE / (1 + SCALE)
_NAME: Final = re.compile(r"janus[-_ ]?4o", re.IGNORECASE)


def edits(checkpoint: Checkpoint) -> bool:
    """Whether a checkpoint is a Janus-4o, by its own name, the one in its config, or that of its folder on the hub."""
    names = (source(checkpoint.folder).id, str(checkpoint.config.get("_name_or_path") or ""))
    return any(_NAME.search(name) for name in names)


def reads_codes(checkpoint: Checkpoint, defaults: Card) -> bool:
    """Whether any ability shows the codes of a picture, so that the image tokenizer's encoder is needed."""
    abilities = read_card(checkpoint.folder).abilities or defaults.abilities or {}
    return any(ability.images[1] and ability.reads in ("codes", "both") for ability in abilities.values())


def check_codes(checkpoint: Checkpoint, config: Any, cell: int) -> None:
    """Raise `CheckpointError` where a picture that is read has another grid than one that is painted."""
    side, painted = config.vision_config.image_size, config.vq_config.num_patches * cell
    if side != painted:
        raise CheckpointError(
            f"{checkpoint.folder / 'config.json'}: pictures are read in squares of {side} pixels and painted in "
            f"squares of {painted}, so the model cannot edit; take a checkpoint whose image tokenizer has cells of "
            f"{config.vision_config.patch_size} pixels."
        )


def with_editing(defaults: Card, dialect: Dialect) -> Card:
    """Return Janus' defaults with the ability to edit one picture, and the branches that it takes.

    Painting shows no picture: its first two branches are the same, and count as the one that Janus has.
    """
    guidance = Guidance(
        branches=(
            Branch(kind="prompt", constant=0.0, scale=0.0, image_scale=1.0),
            Branch(kind="pad_codes", constant=0.0, scale=1.0, image_scale=-1.0),
            Branch(kind="pad_middle", constant=1.0, scale=-1.0),
        ),
        default_scale=SCALE,
        default_image_scale=IMAGE_SCALE,
        pad=dialect.pad,
    )
    edit = Ability(
        prompt=(
            Piece(token=dialect.begin),
            dialect.user,
            Piece(text=": "),
            Piece(field="images"),
            Piece(field="text"),
            *answered(dialect),
        ),
        output="image",
        images=(1, 1),
        reads="both",
    )
    return msgspec.structs.replace(defaults, guidance=guidance, abilities={**(defaults.abilities or {}), "edit": edit})
