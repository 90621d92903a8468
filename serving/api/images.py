"""OpenAI's images API: generations and edits, whole or streamed with pictures on the way."""

import asyncio
import base64
import contextlib
import functools
import time
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.job import Job
from ..engine.messages import Failed, Partial, Picture, Task
from ..web.body import read_json
from ..web.errors import bad_request, json_response, of_failed
from ..web.stream import EventStream, Pieces, event, or_leave
from .images_fields import Edit, Generation, ImageRequest
from .pictures import read_with_pictures

# A stream begins when its task does, so that a refusal still has its status; or after this, so that nobody waits
# for headers while others are served.
_HEADERS_WITHIN_S: Final = 2.0


async def generations(request: Request) -> Response:
    """Paint pictures from words."""
    body = await read_json(request, Generation)
    return await _answer(request, body, "image_generation", "paint", ())


async def edits(request: Request) -> Response:
    """Paint what an instruction makes of pictures."""
    body, pictures = await read_with_pictures(request, Edit)
    if not pictures:
        raise bad_request("Missing required parameter: 'image'.", "image", "missing_required_parameter")
    return await _answer(request, body, "image_edit", "edit", pictures)


async def _answer(
    request: Request, body: ImageRequest, kind: str, ability: str, pictures: tuple[bytes, ...]
) -> Response:
    site = site_of(request)
    _check(body)
    task = Task(
        ability=ability,
        text=body.prompt,
        pictures=pictures,
        size=site.size(site.find(body.model), body.size),
        count=body.n or 1,
        options=body.options(),
        output=body.output(site.answers),
        partials=body.partial_images or 0,
    )
    job = site.submit(request, task, model=body.model, user=body.identifier)
    leave = functools.partial(site.engine.cancel, job)
    if not body.stream:
        if not await site.finished(request, job):
            return Response(status_code=499)
        return json_response(_whole(job, body))
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_HEADERS_WITHIN_S):
            if not await or_leave(request, job.wait_for_start(), leave):
                return Response(status_code=499)
    if isinstance(job.end, Failed):
        raise of_failed(job.end)
    return EventStream(_events(job, body, kind), every_s=site.answers.comment_every_s, on_leave=leave)


def _check(body: ImageRequest) -> None:
    """Raise the 400 of fields that do nothing together."""
    if body.partial_images and not body.stream:
        raise bad_request("partial_images needs stream; set stream to true.", "partial_images")
    if body.stream and (body.n or 1) > 1:
        raise bad_request("A stream holds one picture; leave n out, or send several requests.", "n")
    if body.image_guidance_scale is not None and isinstance(body, Generation):
        raise bad_request("image_guidance_scale is for edits; leave it out.", "image_guidance_scale")


def _whole(job: Job, body: ImageRequest) -> dict[str, Any]:
    """Return the answer of a finished job."""
    pictures = job.pictures
    answer = {
        "created": int(job.created),
        "background": "opaque",
        "data": [{"b64_json": base64.b64encode(one.image).decode(), "seed": one.seed} for one in pictures],
        "output_format": body.format,
        "size": _size(pictures[0]),
        "usage": _usage(job, details=True),
        "notes": job.notes,
    }
    return _with_identifier(answer, body)


async def _events(job: Job, body: ImageRequest, kind: str) -> Pieces:
    common = {"background": "opaque", "output_format": body.format, "quality": "auto"}
    async for _, happened in job.follow():
        if isinstance(happened, Failed):
            raise of_failed(happened)
        if not isinstance(happened, Partial | Picture):
            continue
        fields = {
            "b64_json": base64.b64encode(happened.image).decode(),
            "created_at": int(time.time()),
            "size": _size(happened),
            **common,
        }
        if isinstance(happened, Partial):
            yield event({"type": f"{kind}.partial_image", "partial_image_index": happened.index, **fields})
        else:
            usage = _usage(job, details=False)
            completed = {"type": f"{kind}.completed", "usage": usage, "seed": happened.seed, "notes": job.notes}
            yield event(_with_identifier({**completed, **fields}, body))


def _size(picture: Partial | Picture) -> str:
    return f"{picture.width}x{picture.height}"


def _with_identifier(answer: dict[str, Any], body: ImageRequest) -> dict[str, Any]:
    return answer if body.identifier is None else {**answer, "safety_identifier": body.identifier}


def _usage(job: Job, *, details: bool) -> dict[str, Any]:
    """Return what was counted: tokens of the words, codes of the pictures that were read and painted."""
    started = job.started
    painted = sum(picture.rows * picture.columns for picture in job.pictures)
    read = started.text_tokens + started.image_tokens
    usage = {
        "input_tokens": read,
        "input_tokens_details": {"text_tokens": started.text_tokens, "image_tokens": started.image_tokens},
        "output_tokens": painted,
        "total_tokens": read + painted,
    }
    return {**usage, "output_tokens_details": {"text_tokens": 0, "image_tokens": painted}} if details else usage
