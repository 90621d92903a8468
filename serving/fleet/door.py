"""The fleet's door: sends each request to the engine that it is for, and once more when that is lost.

Painting is determined by its seed, which is fixed here, and answers are the likeliest ones: so another engine gives the
same answer, and a stream goes on with the event that comes next. What is about a painting or a session goes to the
engine that has it, whose name stands in theirs. Knows no Ray: a `Fleet` reaches the engines.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Mapping
from typing import Any, Final, Protocol

from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..engine.random_names import owner_of
from ..limits import RequestLimits
from ..web.access import Access
from ..web.errors import HANDLERS, ApiError, json_response
from ..web.guard import Guard
from ..web.stream import event
from .answer_messages import REPLICA
from .metrics import joined
from .request_message import Asked, read

_ATTEMPTS: Final = 4
_COMMENT: Final = b":"


class ReplicaLostError(Exception):
    """The engine ended before its answer did."""


class BusyError(Exception):
    """Too many requests wait already for an engine that takes them."""


class Fleet(Protocol):
    """The engines."""

    def ask(self, asked: Asked, owner: str | None) -> AsyncGenerator[Message]:
        """Yield what an engine answers: the owner, if it is there, or any. Raises `ReplicaLostError`, `BusyError`."""

    async def holder(self, name: str) -> str | None:
        """Return the engine that has a painting now whose own is gone, after letting each take it up."""

    async def health(self) -> list[dict[str, Any]]:
        """Return what each engine is doing."""

    async def metrics(self) -> Mapping[str, str]:
        """Return the metrics of each engine, by its name."""


def make_door(fleet: Fleet, access: Access) -> ASGIApp:
    """Return the application that clients speak to."""
    app = Starlette(
        routes=[
            Route("/health", _health),
            Route("/ready", _ready),
            Route("/metrics", _metrics),
            Route("/{path:path}", Forward(fleet)),
        ],
        exception_handlers=HANDLERS,
    )
    app.state.fleet = fleet
    return Stated(Guard(app, access, RequestLimits()))


class Stated:
    """Gives a request the state in which the guard notes whose it is; servers without a lifespan bring none."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        scope.setdefault("state", {})
        await self._app(scope, receive, send)


class Forward:
    """Answers a request by asking the engines."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or stop the engine when the client leaves."""
        asked = await read(scope, receive)
        if asked is None:
            return
        answering = asyncio.ensure_future(self._answer(asked, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait([answering, leaving], return_when=asyncio.FIRST_COMPLETED)
            if answering.done():
                answering.result()
        finally:
            for task in (answering, leaving):
                task.cancel()
            await asyncio.gather(answering, leaving, return_exceptions=True)

    async def _answer(self, asked: Asked, send: Send) -> None:
        about = asked.about
        owner = None if about is None else owner_of(about)
        told = _Told(send)
        for _ in range(_ATTEMPTS):
            answer = self._fleet.ask(asked, owner)
            try:
                async with contextlib.aclosing(answer):
                    replica = await told.tell(answer)
            except ReplicaLostError:
                if told.has_begun and not asked.is_repeatable:
                    raise  # the connection breaks off, as it does when a server ends; the client asks for the rest
                continue
            except BusyError as error:
                full = "too many requests are waiting; try again later."
                raise ApiError(429, full, code="queue_full", headers={"Retry-After": "5"}) from error
            if told.is_missing and about is not None and replica != owner:
                moved = await self._fleet.holder(about)
                if moved is not None:
                    owner = moved
                    continue
            await told.finish()
            return
        lost = "the engines that worked on this were lost; try again."
        await told.fail(ApiError(503, lost, code="replica_lost", headers={"Retry-After": "5"}))


class _Told:
    """What a client has been told: streams as they come, other answers when they are whole, so they can be redone."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._whole: list[Message] = []
        self._events = 0  # that the client has
        self.has_begun = False

    @property
    def is_missing(self) -> bool:
        """Whether an answer that was not told yet says that there is no such thing."""
        return bool(self._whole) and self._whole[0]["status"] == 404

    async def tell(self, answer: AsyncGenerator[Message]) -> str | None:
        """Read an answer, telling what the client lacks of a stream; return who gave it."""
        self._whole = []
        events, streams, replica = 0, False, None
        async for message in answer:
            if message["type"] == "http.response.start":
                headers = Headers(raw=message["headers"])
                replica = headers.get(REPLICA.decode())
                streams = headers.get("content-type", "").startswith("text/event-stream")
                if streams and not self.has_begun:
                    self.has_begun = True
                    await self._send(message)
            elif streams:
                body = message.get("body", b"")
                is_event = bool(body) and not body.startswith(_COMMENT)
                events += is_event
                if not is_event or events > self._events:
                    await self._send(message)
                self._events = max(self._events, events)
            if not streams:
                self._whole.append(message)
        return replica

    async def fail(self, error: ApiError) -> None:
        """Raise an error, or end the stream with it where one was begun."""
        if not self.has_begun:
            raise error
        await self._send({"type": "http.response.body", "body": event(error.body), "more_body": False})

    async def finish(self) -> None:
        """Tell an answer that was held back until it was whole."""
        if self.has_begun and self._whole:
            raise ReplicaLostError  # a stream that was begun cannot become another answer
        for message in self._whole:
            await self._send(message)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _health(request: Request) -> Response:
    replicas = await _fleet(request).health()
    return json_response({"status": "ok", "replicas": replicas})


async def _ready(request: Request) -> Response:
    is_ready = any(one["ready"] for one in await _fleet(request).health())
    return json_response({"ready": is_ready}, status=200 if is_ready else 503)


async def _metrics(request: Request) -> Response:
    return Response(joined(await _fleet(request).metrics()), media_type="text/plain; version=0.0.4")


def _fleet(request: Request) -> Fleet:
    fleet: Fleet = request.app.state.fleet
    return fleet
