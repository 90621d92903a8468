"""The input of a response: messages, and what earlier responses gave, with its pictures or named by its ID."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta

from ...web.body import Body, of_validation
from ...web.errors import ApiError, bad_request
from ...web.uploads import from_base64, from_uri
from ..chat import Detail, unread
from ..images_fields import Short
from ..pictures import check_number

Text: TypeAlias = Annotated[str, Meta(max_length=32_000)]
Find: TypeAlias = Callable[
    [str], bytes | None
]  # the picture of an item that is kept; b"" of one without; None: unknown

_UNKNOWN: Final = "Items of this type are not read; send messages, image_generation_call or item_reference."


class InputText(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="input_text"):
    """Words of a message."""

    text: Text


class InputImage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="input_image"):
    """A picture of a message, as a data URI."""

    image_url: str
    detail: Detail | None = None
    file_id: None = None


class OutputText(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="output_text"):
    """Words of an answer, as they were given."""

    text: Text
    annotations: Any = None
    logprobs: Any = None


class Refusal(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="refusal"):
    """What another model would not do."""

    refusal: Text


Part: TypeAlias = InputText | InputImage | OutputText | Refusal


class InputMessage(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A message, or an answer that is sent back."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Text | Annotated[list[Part], Meta(max_length=64)]
    type: Literal["message"] | None = None
    id: Short | None = None
    status: Literal["in_progress", "completed", "incomplete"] | None = None
    phase: Literal["commentary", "final_answer"] | None = None

    @property
    def parts(self) -> list[Part]:
        """What it holds."""
        return [InputText(text=self.content)] if isinstance(self.content, str) else self.content


class InputCall(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A picture that a response gave, sent back; without its `result` it is found by its ID."""

    type: Literal["image_generation_call"]
    id: Short | None = None
    result: str | None = None
    # The rest is as it was given, and says nothing new.
    status: Any = None
    action: Any = None
    background: Any = None
    error: Any = None
    output_format: Any = None
    quality: Any = None
    revised_prompt: Any = None
    seed: Any = None
    size: Any = None
    svg_usage: Any = None


class Reference(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A picture or an answer of a response that is kept."""

    type: Literal["item_reference"]
    id: Short


class _Kind(msgspec.Struct):
    type: str | None = None


@dataclass(slots=True)
class Said:
    """What an input says: the words of its last message, the pictures that these may be about, and notes."""

    words: str
    pictures: list[bytes] = field(default_factory=list)
    notes: tuple[str, ...] = ()


def said(items: str | list[msgspec.Raw], find: Find) -> Said:
    """Read an input; raise the 400 of an item that cannot be read, the 404 of one that is not kept."""
    if isinstance(items, str):
        return Said(items)
    pictures: list[bytes] = []
    roles = []
    words = ""
    for number, raw in enumerate(items):
        item = _item(raw, place := f"input[{number}]")
        if isinstance(item, InputMessage):
            roles.append(item.role)
            words = ""
            for at, part in enumerate(item.parts):
                if isinstance(part, InputText):
                    words = f"{words} {part.text}".strip()
                elif isinstance(part, InputImage):
                    pictures.append(from_uri(part.image_url, f"{place}.content[{at}].image_url"))
                elif item.role != "assistant":
                    raise bad_request("Parts of this type are an assistant's.", f"{place}.content[{at}].type")
        elif picture := _given(item, place, find):
            pictures = [picture]  # made of what was shown before it
    if not roles or roles[-1] != "user":
        raise bad_request("The last message must be the user's.", "input")
    check_number(pictures, "input")
    if not words:
        raise bad_request("The last message has no words.", "input")
    return Said(words, pictures, tuple(unread(roles)))


def _item(raw: msgspec.Raw, place: str) -> InputMessage | InputCall | Reference:
    kind = _decoded(raw, _Kind, place).type
    match kind:
        case None | "message":
            return _decoded(raw, InputMessage, place)
        case "image_generation_call":
            return _decoded(raw, InputCall, place)
        case "item_reference":
            return _decoded(raw, Reference, place)
        case _:
            raise bad_request(_UNKNOWN, f"{place}.type", "invalid_value")


def _decoded(raw: msgspec.Raw, kind: type[Body], place: str) -> Body:
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as error:
        raise of_validation(error, place) from error


def _given(item: InputCall | Reference, place: str, find: Find) -> bytes:
    """Return the picture of an item; nothing of one that is an answer, or has failed."""
    if isinstance(item, InputCall) and item.result is not None:
        return from_base64(item.result, f"{place}.result")
    if item.id is None:
        raise bad_request(f"Missing required parameter: '{place}.result', or its id.", f"{place}.result")
    found = find(item.id)
    if found is None:
        message = f"The item {item.id[:100]!r} is not kept here; send its picture as the result of the item."
        raise ApiError(404, message, param=f"{place}.id", code="item_not_found")
    return found
