"""The fields of `/v1/responses`: those that act, and those that are refused by name."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from ...app_state import Answers
from ...engine.messages import Output, PictureFormat
from ..images_fields import Short, output_of

Words = Annotated[str, Meta(min_length=1, max_length=32_000)]


class InputPart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Words or a picture of a message."""

    type: Literal["input_text", "input_image"]
    text: Annotated[str, Meta(max_length=32_000)] | None = None
    image_url: str | None = None  # a data URI
    detail: Literal["auto", "low", "high"] | None = None  # a picture is read in the model's own size


class InputMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A message of the input."""

    role: Literal["user"]
    content: Words | Annotated[list[InputPart], Meta(min_length=1, max_length=64)]
    type: Literal["message"] | None = None


class ImageTool(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The tool that paints."""

    type: Literal["image_generation"]
    action: Literal["generate", "edit", "auto"] | None = None
    size: Annotated[str, Meta(max_length=32)] | None = None
    output_format: PictureFormat | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    partial_images: Annotated[int, Meta(ge=0, le=3)] | None = None
    background: Literal["opaque", "auto"] | None = None  # pictures are opaque
    quality: Literal["auto"] | None = None  # there is one
    moderation: Literal["auto", "low"] | None = None  # there is none
    model: None = None
    complexity: None = None
    input_fidelity: None = None
    input_image_mask: None = None

    def output(self, answers: Answers) -> Output:
        """Return how pictures are written."""
        return output_of(self.output_format, self.output_compression, answers)


class ResponsesRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/responses`. Responses are stored: in memory, as long as their dialogue."""

    input: Words | Annotated[list[InputMessage], Meta(min_length=1, max_length=64)]
    model: Short | None = None
    tools: Annotated[list[ImageTool], Meta(max_length=1)] | None = None
    tool_choice: Literal["auto"] | None = None
    previous_response_id: Short | None = None
    stream: bool | None = None
    user: Short | None = None
    safety_identifier: Short | None = None

    @property
    def tool(self) -> ImageTool | None:
        """The tool that may be used."""
        return self.tools[0] if self.tools else None
