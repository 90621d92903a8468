"""What a request leaves behind in memory: nothing in circles of our own, and those of others not for long."""

import asyncio
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from types import SimpleNamespace

import pytest

from edgevlo.serving import garbage
from edgevlo.serving.web.errors import bad_request
from edgevlo.serving.web.stream import with_comments, with_errors


class Circle(SimpleNamespace):
    """Something that refers to itself."""


def circle() -> weakref.ref[Circle]:
    one = Circle()
    one.itself = one
    return weakref.ref(one)


def test_circles_are_freed_once_a_minute() -> None:
    now = 0.0
    looking = garbage.Garbage(lambda: now)
    gc.disable()
    try:
        left = circle()
        now = 59.0
        looking.collect_if_due()
        assert left() is not None
        now = 61.0
        looking.collect_if_due()
        assert left() is None
        left, now = circle(), 62.0
        looking.collect_if_due()
        assert left() is not None, "the minute begins again"
    finally:
        gc.enable()


async def whole() -> AsyncIterator[bytes]:
    yield b"a"
    await asyncio.sleep(0.02)
    yield b"b"


async def refused() -> AsyncIterator[bytes]:
    yield b"a"
    raise bad_request("no")


@pytest.mark.parametrize("pieces", [whole, refused])
def test_a_stream_leaves_no_circle(pieces: Callable[[], AsyncIterator[bytes]]) -> None:
    async def streamed() -> None:
        async for _ in with_comments(with_errors(pieces()), 0.01):
            pass

    async def test() -> None:
        await streamed()
        gc.collect()
        for _ in range(5):
            await streamed()
        assert gc.collect() == 0

    gc.disable()
    try:
        asyncio.run(test())
    finally:
        gc.enable()
