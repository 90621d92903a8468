"""The fields of OpenAI's images API: those that act, and those that are refused by name (they may only be null)."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ..app_state import Answers
from ..engine.messages import Output, PictureFormat
from ..web.errors import bad_request
from .pictures import Image, ImageReference

Prompt: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32_000)]
Short: TypeAlias = Annotated[str, Meta(max_length=256)]
Seed: TypeAlias = Annotated[int, Meta(ge=0, le=2**32 - 1)]
Number: TypeAlias = Annotated[float, Meta(ge=0, le=100)]


class Sampling(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How codes are drawn: our extensions, by the names of the Python API."""

    seed: Seed | None = None
    guidance_scale: Number | None = None
    image_guidance_scale: Number | None = None
    temperature: Number | None = None
    top_k: Annotated[int, Meta(ge=0, le=2**31 - 1)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    negative_prompt: Annotated[str, Meta(max_length=32_000)] | None = None

    def options(self) -> dict[str, int | float | str]:
        """Return what was given."""
        given = {name: getattr(self, name) for name in Sampling.__struct_fields__}
        return {name: value for name, value in given.items() if value is not None}


def output_of(
    picture_format: PictureFormat | None, compression: int | None, answers: Answers, param: str = "output_compression"
) -> Output:
    """Return how pictures are written; raise the 400 of a compression that the format does not have."""
    if compression is not None and picture_format in (None, "png"):
        raise bad_request("PNG is not compressed with loss; set output_format to jpeg or webp.", param)
    quality = 100 if compression is None else compression
    return answers.written(picture_format, quality)


class ImageRequest(Sampling, kw_only=True, forbid_unknown_fields=True):
    """What generations and edits share."""

    prompt: Prompt
    model: Short | None = None
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    size: Annotated[str, Meta(max_length=32)] | None = None
    stream: bool | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    output_format: PictureFormat | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    response_format: Literal["b64_json"] | None = None
    background: Literal["opaque", "auto"] | None = None  # pictures are opaque
    quality: Literal["auto", "standard"] | None = None  # there is one
    moderation: Literal["auto", "low"] | None = None  # there is none
    user: Short | None = None
    safety_identifier: Short | None = None
    complexity: None = None
    frame_count: None = None
    frame_duration_ms: None = None
    style: None = None
    svg: None = None

    @property
    def format(self) -> PictureFormat:
        """The format of the pictures."""
        return self.output_format or "png"

    @property
    def identifier(self) -> str | None:
        """Who asks, as the client names them; echoed, and never logged."""
        return self.safety_identifier or self.user or None

    def output(self, answers: Answers) -> Output:
        """Return how the pictures are written."""
        return output_of(self.output_format, self.output_compression, answers)


class Generation(ImageRequest, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/images/generations`."""


class Edit(ImageRequest, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/images/edits`."""

    image: Image | None = None
    images: list[ImageReference] | None = None
    input_fidelity: Literal["low", "high"] | None = None  # a picture is always read as a whole
    mask: None = None
    markup: None = None
