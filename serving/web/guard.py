"""The door: whose requests are answered, before any route sees them. Pure ASGI, so that streams pass untouched.

A page of another site can make a browser send requests here, and a name that resolves to this machine can make them
look like its own (DNS rebinding): the Host must be one of ours, and an Origin, where a browser names one, must be that
of the Host, or one that may do so (CORS).
"""

import asyncio
import re
import time
from typing import Final

from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..limits import HEADER_BYTES, RequestLimits
from .access import Access
from .errors import ApiError

OPEN_PATHS: Final = ("/health", "/ready")  # asked by supervisors, which have no key
TOO_LONG: Final = "The address or the headers of the request are too long; at most 32 KB are read."
_ADDRESS: Final = re.compile(r"https?://(?P<host>[!-.0-~]*)(?=/|$)")  # as a proxy's client sends it
_ONCE: Final = ("authorization", "content-type", "origin", "sec-fetch-site")
_CHANGES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
)


class Guard:
    """Wraps the application."""

    def __init__(
        self, app: ASGIApp, access: Access, limits: RequestLimits, *, open_paths: tuple[str, ...] = OPEN_PATHS
    ) -> None:
        self._app = app
        self._access = access
        self._limits = limits
        self._open_paths = open_paths
        self._held = _Held()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers, answered = Headers(scope=scope), False
        shared = _cors(headers) if headers.get("origin") in self._access.origins else ()
        limited = _Limited(receive, self._limits, self._held)

        async def with_headers(message: Message) -> None:
            nonlocal answered
            if message["type"] == "http.response.start":
                answered = True
                message["headers"] = [*message["headers"], *_SECURITY, *shared]
            await send(message)

        try:
            self._check(scope, headers, _host_of(scope, headers))
            if shared and "access-control-request-method" in headers:
                await Response(status_code=204)(scope, receive, with_headers)
                return
            self._check_key(scope, headers)
            await self._app(scope, limited, with_headers)
        except ApiError as error:
            if answered:
                raise
            await error.response()(scope, receive, with_headers)
        finally:
            limited.let_go()

    def _check(self, scope: Scope, headers: Headers, host: str) -> None:
        if len(scope["raw_path"]) + sum(len(name) + len(value) for name, value in headers.raw) > HEADER_BYTES:
            raise ApiError(431, TOO_LONG)
        for name in _ONCE:
            if len(headers.getlist(name)) > 1:
                raise ApiError(400, f"The header {name} is given twice; send it once.")
        if headers.get("content-encoding", "identity") != "identity":
            raise ApiError(415, "Bodies are not decompressed; send it without Content-Encoding.")
        if not self._access.has_host(host):
            raise ApiError(
                403, "This server is not called by that name; start it with --allow-host NAME.", code="host_not_allowed"
            )
        origin = headers.get("origin")
        if origin is not None and not self._access.has_origin(origin, host):
            raise ApiError(403, "Requests from pages of other sites are not answered.", code="origin_not_allowed")
        may_cross = origin in self._access.origins
        if (
            not may_cross
            and scope["method"] in _CHANGES
            and headers.get("sec-fetch-site") in ("cross-site", "same-site")
        ):
            raise ApiError(403, "Requests from pages of other sites are not answered.", code="origin_not_allowed")
        length = headers.get("content-length", "0")
        if length.isascii() and length.isdecimal() and int(length[:20]) > self._limits.body_bytes:
            raise _too_large(self._limits)

    def _check_key(self, scope: Scope, headers: Headers) -> None:
        """Note whose the request is; raise unless it brings a key where one is asked for."""
        if self._access.keys and scope["path"] != "/" and not scope["path"].startswith(self._open_paths):
            scope["state"]["client"] = self._client(headers)

    def _client(self, headers: Headers) -> str:
        """Return a name for the owner of the key; raise unless it is one of ours."""
        number = self._access.key_number(headers.get("authorization", ""))
        if number is None:
            raise ApiError(
                401,
                "Incorrect or missing API key; send it as 'Authorization: Bearer KEY'.",
                code="invalid_api_key",
                headers={"WWW-Authenticate": "Bearer"},
            )
        return f"key {number}"


def _cors(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return the headers that let a page of another origin read the answer, or ask before it sends a request."""
    allowed = {
        "access-control-allow-origin": headers["origin"],
        "access-control-expose-headers": "location, retry-after",
        "vary": "origin",
    }
    if "access-control-request-method" in headers:
        allowed |= {
            "access-control-allow-methods": "GET, POST, DELETE",
            "access-control-allow-headers": headers.get("access-control-request-headers", ""),
            "access-control-allow-private-network": "true",
            "access-control-max-age": "600",
        }
    return [(name.encode(), value.encode("latin-1")) for name, value in allowed.items()]


def _host_of(scope: Scope, headers: Headers) -> str:
    """Return by which name a request calls the server; one that came with a whole address is left with its path."""
    found = _ADDRESS.match(scope["path"])
    if found is None:
        return headers.get("host", "")
    scope["path"] = scope["path"][found.end() :] or "/"
    scope["raw_path"] = scope["raw_path"][found.end() :] or b"/"
    return found["host"]


def _too_large(limits: RequestLimits) -> ApiError:
    message = f"The request is too large; at most {limits.body_bytes / 2**20:.0f} MB are read."
    return ApiError(413, message, code="request_too_large")


class _Held:
    """What the bodies of all requests hold together."""

    bytes = 0


class _Limited:
    """Receives a body in bounded size, pieces and time."""

    def __init__(self, receive: Receive, limits: RequestLimits, held: _Held) -> None:
        self._receive = receive
        self._limits = limits
        self._held = held
        self._bytes = self._pieces = 0
        self._until = time.monotonic() + limits.body_s
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()  # what follows is that the client leaves, however long that takes
        try:
            async with asyncio.timeout(max(0.0, self._until - time.monotonic())):
                message = await self._receive()
        except TimeoutError as error:
            raise ApiError(408, "The request took too long to arrive.", code="slow_request") from error
        self._whole = not message.get("more_body", False)
        self._bytes += (more := len(message.get("body", b"")))
        self._held.bytes += more
        self._pieces += 1
        if self._bytes > self._limits.body_bytes or self._pieces > self._limits.body_pieces:
            raise _too_large(self._limits)
        if self._held.bytes > self._limits.bodies_bytes and self._held.bytes > self._bytes:
            full = "The server reads too many large requests at once; try again later."
            raise ApiError(503, full, code="busy", headers={"Retry-After": "5"})
        return message

    def let_go(self) -> None:
        """The request is answered, and its body is held no longer."""
        self._held.bytes -= self._bytes
