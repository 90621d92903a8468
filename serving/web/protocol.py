"""HTTP/1.1 as uvicorn speaks it, with errors in our form, and no patience with connections that say nothing."""

import asyncio
import sys
from typing import Any, Final

import h11
import msgspec
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..limits import RequestLimits
from .errors import JSON, ApiError
from .guard import TOO_LONG

_MESSAGES: Final = {431: TOO_LONG, 501: "This transfer encoding is not read; send chunks, or a Content-Length."}


def protocol(limits: RequestLimits) -> type[H11Protocol]:
    """Return the protocol with these limits."""

    class GuardedProtocol(H11Protocol):
        """Closes connections that do not begin a request in time, or are too many."""

        _impatient: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            if len(self.connections) > limits.connections:
                self._refuse(503, "Too many connections; try again later.")
                return
            self._wait_for_headers()

        def handle_events(self) -> None:
            super().handle_events()
            # uvicorn times idle connections between requests; this is about headers that never end
            if self.conn.their_state is not h11.IDLE and self._impatient is not None:
                self._impatient.cancel()
                self._impatient = None

        def on_response_complete(self) -> None:
            super().on_response_complete()
            if not self.transport.is_closing():
                self._wait_for_headers()

        def connection_lost(self, exc: Exception | None) -> None:
            if self._impatient is not None:
                self._impatient.cancel()
            super().connection_lost(exc)

        def send_400_response(self, msg: str) -> None:
            # called while h11's error is handled, which knows better than 400
            hint = getattr(sys.exc_info()[1], "error_status_hint", 400)
            self._refuse(hint, _MESSAGES.get(hint, "The request is not valid HTTP/1.1."))

        def _wait_for_headers(self) -> None:
            if self._impatient is not None:
                self._impatient.cancel()
            self._impatient = self.loop.call_later(limits.header_s, self._give_up)

        def _give_up(self) -> None:
            if not self.transport.is_closing() and self.conn.their_state is h11.IDLE:
                self.transport.close()

        def _refuse(self, status: int, message: str) -> None:
            body = msgspec.json.encode(ApiError(status, message).body)
            head = f"HTTP/1.1 {status} Error\r\ncontent-type: {JSON}\r\ncontent-length: {len(body)}\r\n"
            self.transport.write(head.encode() + b"connection: close\r\n\r\n" + body)
            self.transport.close()

    return GuardedProtocol
