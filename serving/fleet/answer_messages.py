"""An engine's answer as messages that travel to the door. Knows neither Ray nor routes."""

import asyncio
from collections.abc import AsyncGenerator

from starlette.types import ASGIApp, Message

from ..engine.job import Job
from .request_message import Asked

REPLICA: bytes = b"x-edgevlo-replica"  # a header of every answer: who gave it


async def answering(app: ASGIApp, asked: Asked, replica: str) -> AsyncGenerator[Message]:
    """Yield what an application answers; then wait until what it took is over.

    So a call lasts as long as its work: a painting that is only looked at later counts where calls are counted, and an
    engine that is to end is let finish it. Whoever leaves in the middle is a client that left.
    """
    said: asyncio.Queue[Message | None] = asyncio.Queue()
    left = asyncio.Event()
    body = [asked.body]

    async def receive() -> Message:
        if body:
            return {"type": "http.request", "body": body.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], (REPLICA, replica.encode())]
        said.put_nowait(message)

    scope = asked.scope()
    running = asyncio.ensure_future(app(scope, receive, send))
    running.add_done_callback(lambda _: said.put_nowait(None))
    try:
        while (message := await said.get()) is not None:
            yield message
        running.result()
        job = scope["state"].get("job")
        if isinstance(job, Job):
            await job.wait()
    finally:
        left.set()
        await asyncio.gather(running, return_exceptions=True)
