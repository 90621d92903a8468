"""The fields of `/v1/responses`: those that act, and those that are refused by name."""

from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ...app_state import Answers
from ...engine.messages import Output, PictureFormat
from ..chat import Detail, TextFormat, Tokens
from ..images_fields import Short, output_of

Key: TypeAlias = Annotated[str, Meta(max_length=64)]
Words: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32_000)]


class InputText(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="input_text"):
    """Words of a message."""

    text: Annotated[str, Meta(max_length=32_000)]


class InputImage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="input_image"):
    """A picture of a message, as a data URI."""

    image_url: str
    detail: Detail | None = None
    file_id: None = None


class InputMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A message of the input."""

    role: Literal["user"]
    content: Words | Annotated[list[InputText | InputImage], Meta(min_length=1, max_length=64)]
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
    model: Short | None = None  # the response's own
    complexity: None = None
    input_fidelity: None = None
    input_image_mask: None = None

    def output(self, answers: Answers) -> Output:
        """Return how pictures are written."""
        return output_of(self.output_format, self.output_compression, answers, "tools[0].output_compression")


class UseTool(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="image_generation"):
    """A choice of the tool that paints."""


class AllowTools(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="allowed_tools"):
    """A choice of tools that may be used, or of which one has to be."""

    mode: Literal["auto", "required"]
    tools: Annotated[list[UseTool], Meta(min_length=1, max_length=1)]


class TextOutput(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How answers are written."""

    format: TextFormat | None = None


class ResponsesRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/responses`. Responses are stored: in memory, as long as their dialogue."""

    input: Words | Annotated[list[InputMessage], Meta(min_length=1, max_length=64)]
    model: Short | None = None
    tools: Annotated[list[ImageTool], Meta(max_length=1)] | None = None
    tool_choice: Literal["none", "auto", "required"] | UseTool | AllowTools | None = None
    parallel_tool_calls: bool | None = None  # a response has one call at most
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    previous_response_id: Short | None = None
    store: bool | None = None
    metadata: Annotated[dict[Key, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | None = None
    text: TextOutput | None = None
    max_output_tokens: Tokens | None = None
    truncation: Literal["disabled"] | None = None
    service_tier: Literal["auto", "default"] | None = None  # there is one
    background: bool | None = None
    stream: bool | None = None
    user: Short | None = None
    safety_identifier: Short | None = None

    @property
    def tool(self) -> ImageTool | None:
        """The tool that may be used."""
        return self.tools[0] if self.tools and self.tool_choice != "none" else None

    @property
    def has_to_paint(self) -> bool:
        """Whether a picture is the only answer."""
        match self.tool_choice:
            case "required" | UseTool() | AllowTools(mode="required"):
                return True
            case _:
                return False
