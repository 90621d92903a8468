"""Server-sent events: comments while nothing happens, errors in our form, and what to do when the client leaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import StreamingResponse

from .errors import ApiError

COMMENT: Final = b": still here\n\n"
DONE: Final = b"data: [DONE]\n\n"
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}

Pieces: TypeAlias = AsyncIterator[bytes]


def event(body: object, *, name: str | None = None, number: int | None = None) -> bytes:
    """Return one event with a JSON body."""
    head = b"" if number is None else b"id: %d\n" % number
    head += b"" if name is None else b"event: %s\n" % name.encode()
    return head + b"data: " + msgspec.json.encode(body) + b"\n\n"


async def with_comments(pieces: Pieces, every_s: float) -> Pieces:
    """Yield the pieces, and a comment whenever none came for a while, so that nobody takes the connection for dead."""
    pending: asyncio.Future[bytes | None] | None = None
    try:
        while True:
            pending = pending or asyncio.ensure_future(anext(pieces, None))
            done, _ = await asyncio.wait([pending], timeout=every_s)
            if not done:
                yield COMMENT
                continue
            piece = pending.result()
            pending = None
            if piece is None:
                return
            yield piece
    finally:
        if pending is not None:
            pending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await pending


async def with_errors(pieces: Pieces) -> Pieces:
    """Yield the pieces; an error becomes the last of them."""
    try:
        async for piece in pieces:
            yield piece
    except ApiError as error:
        yield event(error.body)


class EventStream(StreamingResponse):
    """A stream of events that calls `on_leave` when it ends, whether it was read to its end or not."""

    media_type = "text/event-stream"

    def __init__(self, pieces: Pieces, *, every_s: float, on_leave: Callable[[], None]) -> None:
        super().__init__(_followed(with_comments(with_errors(pieces), every_s), on_leave), headers=HEADERS)


async def _followed(pieces: Pieces, on_leave: Callable[[], None]) -> Pieces:
    try:
        async for piece in pieces:
            yield piece
    finally:
        on_leave()


async def or_leave(request: Request, work: Awaitable[object], on_leave: Callable[[], None]) -> bool:
    """Wait for work; return whether it was finished before the client left. `on_leave` is called if it was not."""
    working = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait([working, leaving], return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            on_leave()
            return False
        working.result()
        return True
    finally:
        working.cancel()
        leaving.cancel()
        await asyncio.gather(working, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    """Wait until the client has closed the connection; the body has been read."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
