"""Errors as clients see them: OpenAI's form, a status, and never more than they need to know."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from edgevlo.runtime import errors

from ..engine.errors import ClosingError, EngineError, QueueFullError, SessionFullError
from ..engine.messages import Failed
from ..engine.models import UnknownModelError

JSON: Final = "application/json"


class ApiError(Exception):
    """An answer that says what is wrong, with which parameter, and what to do."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The error object."""
        kind = _TYPES.get(self.status, "server_error" if self.status >= 500 else "invalid_request_error")
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}

    def response(self) -> Response:
        """Return the error as an answer."""
        return json_response(self.body, status=self.status, headers=self.headers)


_TYPES: Final = {401: "authentication_error", 403: "permission_error", 429: "rate_limit_error"}


def json_response(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return an answer of JSON."""
    return Response(msgspec.json.encode(body), status_code=status, headers=headers, media_type=JSON)


def bad_request(message: str, param: str | None = None, code: str | None = None) -> ApiError:
    """Return the error of a request that says something it may not."""
    return ApiError(400, message, param=param, code=code)


def of_engine(error: EngineError) -> ApiError:
    """Return what a client is told of a task that was not taken."""
    if isinstance(error, QueueFullError):
        return ApiError(429, str(error), code="queue_full", headers={"Retry-After": str(error.retry_after_s)})
    if isinstance(error, SessionFullError):
        return ApiError(413, str(error), code="session_full")
    if isinstance(error, ClosingError):
        return ApiError(503, str(error), code="stopping", headers={"Retry-After": "5"})
    return ApiError(503, str(error), code="unavailable")


def of_unknown_model(error: UnknownModelError, names: list[str]) -> ApiError:
    """Return the error of a model that is not served, with the list of those that are."""
    message = f"The model {str(error)[:100]!r} does not exist here; there are {', '.join(names)}."
    return ApiError(404, message, param="model", code="model_not_found")


# What a model refuses by name, by the words its message begins with: the parameter that carried it.
_PARAMS: Final = (
    ("size", "size"), ("seed", "seed"), ("guidance scale", "guidance_scale"),
    ("image guidance scale", "image_guidance_scale"), ("an image guidance scale", "image_guidance_scale"),
    ("temperature", "temperature"), ("top-k", "top_k"), ("top-p", "top_p"),
    ("this bundle does not support top-p", "top_p"), ("this model takes no negative", "negative_prompt"),
    ("a negative prompt", "negative_prompt"), ("the negative prompt", "negative_prompt"), ("the prompt", "prompt"),
    ("the instruction", "prompt"), ("picture", "image"), ("the question", "question"),
    ("the name of an object", "objects"),
)  # fmt: skip
# Of the runtime's errors, named by their classes, the nearest base that is listed counts; the others are the engine's.
_STATUS: Final = {
    "RequestError": 400, "PictureError": 400, "AbilityError": 400, "EdgevloError": 503, "Timeout": 504,
    "Closing": 503, "Cancelled": 499, "WorkerLost": 503, "BundleChanged": 503, "Unavailable": 503,
}  # fmt: skip
_CODES: Final = {
    "AbilityError": "unsupported_ability", "MemoryShortError": "out_of_memory", "Timeout": "timeout",
    "Closing": "stopping", "BundleChanged": "bundle_changed", "Unavailable": "unavailable", "Cancelled": "cancelled",
    "WorkerLost": "worker_lost", "PictureError": "invalid_image",
}  # fmt: skip


def of_failed(failed: Failed) -> ApiError:
    """Return what a client is told of a task that failed."""
    bases = getattr(errors, failed.kind, object).__mro__
    status = next((_STATUS[name] for name in (failed.kind, *(one.__name__ for one in bases)) if name in _STATUS), 500)
    param = next((name for start, name in _PARAMS if failed.text.startswith(start)), None) if status == 400 else None
    if " picture(s), " in failed.text:
        param = "image"
    return ApiError(status, failed.text, param=param, code=_CODES.get(failed.kind))


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)
    return error.response()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    nothing = "There is nothing at this path; OpenAI's routes begin with /v1, and /openapi.json has all of them."
    messages = {404: nothing, 405: f"{request.method[:20]} is not taken at this path."}
    message = messages.get(error.status_code, str(error.detail))
    return ApiError(error.status_code, message, headers=error.headers).response()


async def _left(_: Request, __: Exception) -> Response:
    """Answer nobody: the client left in the middle of its body."""
    return Response(status_code=499)


async def _broken(_: Request, __: Exception) -> Response:
    """Answer what is our bug; the log has its traceback, the client has not."""
    return ApiError(500, "Something went wrong in the server; its log has the details.").response()


# How an application's errors leave it.
HANDLERS: Final[Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]]] = {
    ApiError: _refused,
    HTTPException: _http_error,
    ClientDisconnect: _left,
    Exception: _broken,
}
