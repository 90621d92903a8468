"""The fields of `/v1/responses`: those that act, and those that are refused by name."""

from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ...app_state import Answers
from ...engine.messages import Output, PictureFormat
from ..chat import Answering, TextFormat, Tokens
from ..images_fields import Short, output_of

Key: TypeAlias = Annotated[str, Meta(max_length=64)]
Words: TypeAlias = Annotated[str, Meta(min_length=1, max_length=32_000)]


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
    input_fidelity: Literal["low", "high"] | None = None  # a picture is always read as a whole
    model: Short | None = None  # the response's own
    complexity: None = None
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
    verbosity: Literal["medium"] | None = None


class StreamOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """How a stream is written."""

    include_obfuscation: Literal[False] | None = None


class ResponsesRequest(Answering, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/responses`. The items of `input` are read by `input_items`."""

    input: Words | Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=200)]
    model: Short | None = None
    instructions: Annotated[str, Meta(max_length=32_000)] | None = None  # not read, which a note says
    tools: Annotated[list[ImageTool], Meta(max_length=1)] | None = None
    tool_choice: Literal["none", "auto", "required"] | UseTool | AllowTools | None = None
    max_tool_calls: Annotated[int, Meta(ge=1)] | None = None
    previous_response_id: Short | None = None
    metadata: Annotated[dict[Key, Annotated[str, Meta(max_length=512)]], Meta(max_length=16)] | None = None
    text: TextOutput | None = None
    max_output_tokens: Tokens | None = None
    truncation: Literal["disabled"] | None = None
    background: bool | None = None
    stream_options: StreamOptions | None = None
    include: Annotated[list[None], Meta(max_length=0)] | None = None
    background_options: None = None
    context_management: None = None
    conversation: None = None
    image: None = None
    prompt: None = None
    reasoning: None = None
    top_logprobs: None = None

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

    def answering(self) -> dict[str, int | float | str]:
        """Return how an answer is written."""
        most: dict[str, int | float | str] = {}
        if self.max_output_tokens is not None:
            most["max_tokens"] = self.max_output_tokens
        return {**most, **self.drawing()}

    def echo(self) -> dict[str, Any]:
        """Return what a response says again of its request."""
        return {
            "previous_response_id": self.previous_response_id,
            "tools": msgspec.to_builtins(self.tools or []),
            "tool_choice": msgspec.to_builtins(self.tool_choice or "auto"),
            "parallel_tool_calls": bool(self.parallel_tool_calls),
            "max_tool_calls": self.max_tool_calls,
            "max_output_tokens": self.max_output_tokens,
            "store": self.store is not False,
            "instructions": self.instructions,
            "metadata": self.metadata or {},
            "temperature": self.temperature,
            "top_p": self.top_p,
            "safety_identifier": self.safety_identifier or self.user,
        }
