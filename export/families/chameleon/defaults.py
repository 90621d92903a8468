"""How Chameleon and Anole are used: one square of codes, a turn that ends with a token, three branches when painting.

Prompts are those of transformers' ChameleonProcessor and of GAIR-NLP/anole. A fine-tuned checkpoint overrides
everything here with a task card (docs/export.md).
"""

from typing import Any, Final

import msgspec

from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.abilities import Ability, AbilityName, Answer
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece

from ...checkpoint.card import Card
from ...checkpoint.folder import Checkpoint
from ...checkpoint.picture_scaling import Usual, read_scaling
from .. import vqgan
from .vocabulary import Names

# Of transformers' ChameleonImageProcessor, with which x / 128 - 1 is x * 0.0078 - 1.
USUAL: Final = Usual(
    mean=(1.0, 1.0, 1.0), std=(1.0, 1.0, 1.0), factor=0.0078, resample=1, steps=("do_resize", "do_center_crop")
)
IMAGE_SCALE: Final = 1.2  # Anole's weight of the pictures in a prompt, beside that of its text
BACK: Final = Postprocess(scale=0.5, offset=0.5, rounding="truncate")


def chameleon_block(names: Names) -> ImageBlock:
    """Return opener and closer; nothing stands between rows."""
    return ImageBlock(open=(Piece(token=names.open),), close=(names.close,))


def anole_defaults(checkpoint: Checkpoint, config: Any, names: Names, cell: int) -> Card:
    """Return how the released Chameleon and Anole are used; they paint and interleave if there is a pixel decoder."""
    side = config.vq_config.resolution // cell
    begin, turn_ends = Piece(token=names.begin), Piece(token=names.end_of_turn)
    shown = (begin, Piece(field="text"), Piece(field="images"), turn_ends)
    holds = config.max_position_embeddings // (side * side + 2)  # pictures
    abilities: dict[AbilityName, Ability] = {
        "ask": Ability(
            prompt=shown,
            output="text",
            images=(1, max(1, holds)),
        )
    }
    if vqgan.has_decoder(checkpoint):
        abilities["paint"] = Ability(prompt=(begin, Piece(field="text"), turn_ends), output="image")
        abilities["interleave"] = Ability(prompt=shown, output="interleaved", images=(0, max(1, holds - 1)))
    return Card(
        grid=Grid(
            kind="fixed",
            rows=(side, side),
            columns=(side, side),
            cells=(side * side, side * side),
            default=(side, side),
        ),
        guidance=Guidance(  # none + i (pictures - none) + g (all - pictures)
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(
                    kind="template", constant=0.0, scale=-1.0, image_scale=1.0, prompt=(begin, Piece(field="images"))
                ),
                Branch(kind="template", constant=1.0, scale=0.0, image_scale=-1.0, prompt=(begin,)),
            ),
            default_scale=3.0,
            default_image_scale=IMAGE_SCALE,
        ),
        sampling=Sampling(temperature=0.7, top_p=0.9),
        answer=Answer(stop=names.stop, max_tokens=512, text_only=True),
        preprocess=_preprocess(checkpoint, config.vq_config.resolution),
        postprocess=BACK,
        abilities=abilities,
    )


def _preprocess(checkpoint: Checkpoint, side: int) -> Preprocess:
    """Return what preprocessor_config.json says: the shorter side becomes `side`, the middle of the longer is kept."""
    path = checkpoint.folder / "preprocessor_config.json"
    scaling = read_scaling(checkpoint, USUAL)
    crop = scaling.given.get("crop_size") or side
    sides = set(crop.values()) if isinstance(crop, dict) else {crop}
    if sides != {side}:
        raise CheckpointError(f"{path} makes pictures of {crop}, but vq_config has a resolution of {side}.")
    raw = {
        "min_pixels": side * side,
        "max_pixels": side * side,
        "mean": scaling.mean,
        "std": scaling.std,
        "resample": scaling.resample,
        "cover": {"rounding": "truncate"},
    }
    try:
        return msgspec.convert(raw, Preprocess)
    except msgspec.ValidationError as error:
        raise CheckpointError(f"{path}: {error}; download it again.") from error
