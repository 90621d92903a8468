"""`/openapi.json`: every route, what it takes and every status it answers with, from the bodies' own types."""

from collections.abc import Mapping
from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..web.errors import json_response
from .chat import Chat
from .images_fields import Edit, Generation
from .paintings import PaintingRequest
from .perception import PAINTED, Look, Perceive, Question
from .responses.fields import ResponsesRequest
from .sessions import SessionRequest, TurnRequest

_ERROR: Final = {
    "type": "object",
    "required": ["error"],
    "additionalProperties": False,
    "properties": {
        "error": {
            "type": "object",
            "required": ["message", "type", "param", "code"],
            "properties": {
                "message": {"type": "string"},
                "type": {"type": "string"},
                "param": {"type": ["string", "null"]},
                "code": {"type": ["string", "null"]},
            },
        }
    },
}
_MEANINGS: Final = {
    400: "Something in the request is wrong; `param` names it.", 401: "The key is missing or wrong.",
    403: "The Host or the Origin is not this server's.", 404: "There is no such model, painting or picture.",
    408: "The body took too long to arrive.", 413: "The body or a picture is too large.",
    415: "The body is not JSON, and does not say that it is.", 429: "The queue is full; see Retry-After.",
    431: "The headers are too long.", 503: "The server is stopping, or there is no memory for this.",
    504: "The deadline has passed.",
}  # fmt: skip
_DONE: Final = {200: "Done.", 201: "Begun.", 202: "Taken.", 204: "Done, or nothing is left."}
_DOES: Final[Mapping[str, set[int]]] = {
    "/v1/paintings": {200, 202}, "/v1/sessions": {201}, "/v1/sessions/{session}/turns": {200, 201, 202},
}  # fmt: skip
_ASKING: Final = (400, 401, 403, 404, 408, 413, 415, 429, 431, 503, 504)
_LOOKING: Final = (400, 401, 403, 404, 431)
_BODIES: Final[Mapping[str, type]] = {
    "/v1/images/generations": Generation,
    "/v1/images/edits": Edit,
    "/v1/chat/completions": Chat,
    "/v1/paintings": PaintingRequest,
    "/v1/responses": ResponsesRequest,
    "/v1/sessions": SessionRequest,
    "/v1/sessions/{session}/turns": TurnRequest,
    "/v1/ask": Question,
    "/v1/detect": Look,
    **{f"/v1/{name}": Perceive for name in PAINTED},
}
_STREAMS: Final = frozenset(
    {
        "/v1/images/generations",
        "/v1/images/edits",
        "/v1/chat/completions",
        "/v1/responses",
        "/v1/paintings",
        "/v1/sessions/{session}/turns",
    }
)
_READS: Final[Mapping[str, tuple[str, ...]]] = {
    "/v1/models": (), "/v1/models/{model}": ("model",), "/v1/paintings/{job}": ("job",),
    "/v1/paintings/{job}/events": ("job",), "/v1/paintings/{job}/pictures/{number}": ("job", "number"),
    "/v1/responses/{response}": ("response",), "/v1/sessions/{session}": ("session",),
    "/v1/sessions/{session}/turns/{number}/picture": ("session", "number"),
    "/health": (), "/ready": (), "/metrics": (),
}  # fmt: skip


async def openapi(request: Request) -> Response:
    """Answer with the document."""
    return json_response(document(site_of(request).version))


def document(version: str) -> dict[str, Any]:
    """Return the OpenAPI document of this server."""
    schemas, components = msgspec.json.schema_components(
        dict.fromkeys(_BODIES.values()), ref_template="#/components/schemas/{name}"
    )
    by_type = dict(zip(dict.fromkeys(_BODIES.values()), schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for path, kind in _BODIES.items():
        content = {"application/json": {"schema": by_type[kind]}}
        operation: dict[str, Any] = {
            "summary": (kind.__doc__ or "").partition("\n")[0],
            "requestBody": {"required": True, "content": content},
            "responses": _responses(_DOES.get(path, {200}), _ASKING, streams=path in _STREAMS),
        }
        if "{session}" in path:
            operation["parameters"] = [_parameter("session")]
        paths[path] = {"post": operation}
    for path, parameters in _READS.items():
        done = {200, 204} if path.endswith("/events") else {200}
        kinds = (*_LOOKING, 503) if path == "/ready" else _LOOKING
        named = [_parameter(name) for name in parameters]
        paths.setdefault(path, {})["get"] = {"parameters": named, "responses": _responses(done, kinds)}
    owned = {"/v1/paintings/{job}": "job", "/v1/sessions/{session}": "session", "/v1/responses/{response}": "response"}
    for path, name in owned.items():
        done = {200} if name == "response" else {204}
        gone = {"parameters": [_parameter(name)], "responses": _responses(done, _LOOKING)}
        paths.setdefault(path, {})["delete"] = gone
    return {
        "openapi": "3.1.0",
        "info": {"title": "EdgeVLo", "version": version},
        "paths": paths,
        "components": {
            "schemas": {**components, "Error": _ERROR},
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{}, {"key": []}],
    }


def _responses(done: set[int], refused: tuple[int, ...], *, streams: bool = False) -> dict[str, Any]:
    error = {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}
    answers: dict[str, Any] = {str(status): {"description": _DONE[status]} for status in sorted(done)}
    if streams:
        answers["200"]["content"] = {"application/json": {}, "text/event-stream": {}}
    for status in refused:
        answers[str(status)] = {"description": _MEANINGS[status], "content": error}
    return answers


def _parameter(name: str) -> dict[str, Any]:
    kind = {"type": "integer", "minimum": 0} if name == "number" else {"type": "string", "minLength": 1}
    return {"name": name, "in": "path", "required": True, "schema": kind}
