"""The manifest's abilities: what the model can do, what it is sent, and how its answers end."""

from typing import Annotated, Final, Literal, TypeAlias

from msgspec import Meta

from .guidance import GuidanceScale, Sampling
from .prompts import Pieces
from .values import Channel, OneLine, Positions, Record, ShortText

AbilityName: TypeAlias = Literal[
    "paint",
    "edit",
    "ask",
    "interleave",
    "detect",
    "segment",
    "edges",
    "boxes",
    "depth",
    "normals",
    "pose",
    "understand",
]
PERCEIVED: Final = ("segment", "edges", "boxes", "depth", "normals", "pose")  # painted from a picture alone
Reading: TypeAlias = Literal["codes", "vision_encoder", "both"]  # both: what the vision encoder makes, then the codes


Shown: TypeAlias = Annotated[int, Meta(ge=0, le=1024)]  # pictures in a prompt


class Request(Record, frozen=True, kw_only=True):
    """The words the runtime sends for an ability that takes no free text; `{objects}` is filled for detection."""

    text: ShortText
    everything: ShortText = ""
    separator: ShortText = ", "


class Ability(Record, frozen=True, kw_only=True):
    """One thing the model can do: its prompt, what comes back, and how many pictures it takes.

    `reads` is what its prompt shows of a picture, where that is not `image_block.features`. `labels` (segmentation)
    are the colours of the painted classes; `unit` (detection) is what box numbers count; `unknown` (understand) stands
    in the answer before each of the request's words that the model does not know.
    """

    prompt: Pieces
    output: Literal["image", "text", "interleaved", "detections"]
    images: tuple[Shown, Shown] = (0, 0)
    reads: Reading | None = None
    request: Request | None = None
    guidance_scale: GuidanceScale | None = None
    sampling: Sampling | None = None
    labels: Annotated[dict[OneLine, tuple[Channel, Channel, Channel]], Meta(max_length=4096)] | None = None
    unit: Literal["cell", "pixel"] | None = None
    unknown: ShortText | None = None


class Answer(Record, frozen=True, kw_only=True):
    """How text answers end; each token is the likeliest, with `text_only` the likeliest that is not a code."""

    stop: Annotated[tuple[ShortText, ...], Meta(min_length=1, max_length=64)]
    max_tokens: Positions = 256
    text_only: bool = False
