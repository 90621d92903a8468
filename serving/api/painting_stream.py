"""A painting as server-sent events: every finished row, numbered, so that a client that left goes on where it stopped.

A browser's EventSource sends the number of the last event that it got as `Last-Event-ID`.
"""

import base64
import sys
from array import array
from typing import Any

from starlette.requests import Request

from ..engine.job import Job
from ..engine.messages import Answer, Done, Event, Failed, Note, Partial, Picture, Row, Strip
from ..web.errors import bad_request, of_failed
from ..web.stream import Pieces, event


def first_event(request: Request, job: Job) -> int:
    """Return the place of the first event that a client lacks; raise `ApiError` for an id that is not a number.

    Whoever has seen those of another server is told everything again.
    """
    after = request.headers.get("last-event-id") or request.query_params.get("after")
    if after is not None and not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise bad_request("Last-Event-ID is the number of an event of this painting.", "last-event-id")
    return 0 if after is None else max(0, int(after) + 1 - job.first_number)


async def follow(job: Job, first: int, opening: dict[str, Any] | None = None) -> Pieces:
    """Yield a painting's events; the numbers are those that `Last-Event-ID` names."""
    if opening is not None:
        yield event(opening, name="painting")
    async for number, happened in job.follow(first):
        name, body = _told(happened)
        yield event(body, name=name, number=job.first_number + number)


def _told(happened: Event) -> tuple[str, dict[str, Any]]:
    """Return the name and the body of an event."""
    match happened:
        case Row():
            body = {
                "picture": happened.picture,
                "row": happened.row,
                "rows": happened.rows,
                "codes": _numbers(happened.codes),
            }
            return "row", body
        case Strip():
            body = {
                "picture": happened.picture,
                "row": happened.row,
                "count": happened.count,
                "rows": happened.rows,
                "width": happened.width,
                "height": happened.height,
                "image": "data:image/png;base64," + base64.b64encode(happened.image).decode(),
            }
            return "strip", body
        case Picture():
            body = {
                "picture": happened.picture,
                "width": happened.width,
                "height": happened.height,
                "seed": happened.seed,
                "url": f"/v1/paintings/{happened.job}/pictures/{happened.picture}",
            }
            return "picture", body
        case Note():
            return "note", {"text": happened.text, "unknown": happened.unknown}
        case Done():
            return "done", {"seconds": round(happened.seconds, 4)}
        case Failed():
            return "error", of_failed(happened).body
        case Answer() | Partial():
            raise AssertionError("a painting neither answers nor shows pictures on the way")
        case _:
            return "started", {"text_tokens": happened.text_tokens, "image_tokens": happened.image_tokens}


def _numbers(codes: bytes) -> list[int]:
    """Return codes as numbers."""
    read = array("i", codes)
    if sys.byteorder == "big":
        read.byteswap()
    return read.tolist()
