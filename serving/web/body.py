"""Request bodies as typed objects: JSON, and the fields of forms, decoded strictly.

A field that is unknown, of the wrong type or out of range is an error that names it: nothing is ignored in silence.
"""

import codecs
import json
import re
from typing import Any, Final, TypeVar

import msgspec
from starlette.requests import Request

from .errors import ApiError, bad_request

Body = TypeVar("Body")

_AT: Final = re.compile(r" - at (?:`key` in )?`\$\.?(?P<path>[^`]*)`$")
_UNKNOWN: Final = re.compile(r"^Object contains unknown field `(?P<name>.*)`$", re.DOTALL)
_MISSING: Final = re.compile(r"^Object missing required field `(?P<name>[^`]*)`")


def media_type(request: Request) -> str:
    """Return the type of a request's body, without its parameters."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


async def read_json(request: Request, kind: type[Body]) -> Body:
    """Return a JSON body; raise `ApiError` unless it is one, and exactly of this form."""
    if media_type(request) != "application/json":
        raise ApiError(415, "The body must be JSON: send it with 'Content-Type: application/json'.")
    raw = (await request.body()).removeprefix(codecs.BOM_UTF8)
    try:
        body = msgspec.json.decode(raw, type=kind)
        json.loads(raw, object_pairs_hook=_check_names)
        return body
    except msgspec.ValidationError as error:
        raise of_validation(error) from error
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise bad_request(f"The body is not valid JSON: {error}.", code="invalid_json") from error


def _check_names(fields: list[tuple[str, object]]) -> None:
    """Raise the 400 of a field that is given twice, of which the decoder would take the last."""
    seen = set()
    for name, _ in fields:
        if name in seen:
            raise bad_request(f"{name[:100]!r} is given twice; send it once.", name[:100], "invalid_value")
        seen.add(name)


def convert(fields: dict[str, Any], kind: type[Body]) -> Body:
    """Return a form's fields, all of them text, as a typed object."""
    try:
        return msgspec.convert(fields, type=kind, strict=False)
    except msgspec.ValidationError as error:
        raise of_validation(error) from error


def of_validation(error: msgspec.ValidationError, place: str = "") -> ApiError:
    """Return the error of a body, or the part at a place of it, naming the field in its words and as `param`."""
    text = str(error)
    found = _AT.search(text)
    path = place
    if found and found["path"]:
        path = place + found["path"] if found["path"].startswith("[") else _join(place, found["path"])
    reason = text[: found.start()] if found else text
    unknown, missing = _UNKNOWN.match(reason), _MISSING.match(reason)
    if unknown:
        name = _join(path, unknown["name"][:100])
        return bad_request(f"Unknown parameter: {name!r}. Leave it out.", name, "unknown_parameter")
    if missing:
        name = _join(path, missing["name"])
        return bad_request(f"Missing required parameter: {name!r}.", name, "missing_required_parameter")
    if reason.startswith("Expected `null`"):
        return bad_request(f"{path!r} is not supported here; leave it out.", path, "unsupported_parameter")
    return bad_request(f"Invalid value for {path or 'the body'!r}: {reason}.", path or None, "invalid_value")


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
