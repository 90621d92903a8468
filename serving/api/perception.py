"""What a model sees in a picture: answers, boxes, and pictures of segments, edges, depth, normals and poses."""

import base64
import functools
from typing import Annotated, Any

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.job import Job
from ..engine.messages import PictureFormat, Task
from ..web.errors import bad_request, json_response
from .images_fields import Short
from .pictures import WithPictures, read_with_pictures

PAINTED = ("segment", "edges", "boxes", "depth", "normals", "pose")


class Question(WithPictures, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/ask`."""

    question: Annotated[str, Meta(min_length=1, max_length=32_000)]
    model: Short | None = None
    user: Short | None = None


class Look(WithPictures, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/detect`: without names, everything is found."""

    objects: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=50)] | None = None
    model: Short | None = None
    user: Short | None = None


class Perceive(Look, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/segment` and its like."""

    output_format: PictureFormat | None = None


async def ask(request: Request) -> Response:
    """Answer a question about pictures."""
    body, pictures = await read_with_pictures(request, Question)
    job = await _done(request, Task(ability="ask", text=body.question, pictures=_some(pictures)), body.model, body.user)
    return _answered(job, lambda answer: {"answer": answer.text})


async def detect(request: Request) -> Response:
    """Find objects: their names and boxes (left, top, right, bottom) in pixels of the picture."""
    body, pictures = await read_with_pictures(request, Look)
    task = Task(ability="detect", pictures=_one(pictures), objects=tuple(body.objects or ()))
    job = await _done(request, task, body.model, body.user)
    return _answered(
        job, lambda answer: {"objects": [{"label": one.label, "box": one.box} for one in answer.found or ()]}
    )


async def perceive(request: Request, ability: str) -> Response:
    """Paint what the model perceives."""
    body, pictures = await read_with_pictures(request, Perceive)
    if body.objects and ability != "boxes":
        raise bad_request(f"{ability} takes no names of objects; leave them out.", "objects")
    site = site_of(request)
    output = site.answers.written(body.output_format)
    task = Task(ability=ability, pictures=_one(pictures), objects=tuple(body.objects or ()), output=output)
    job = await _done(request, task, body.model, body.user)
    if job is None:
        return Response(status_code=499)
    (picture,) = job.pictures
    labels = site.find(body.model).manifest.abilities[_named(ability)].labels
    return json_response(
        {
            "b64_json": base64.b64encode(picture.image).decode(),
            "output_format": output.format,
            "size": f"{picture.width}x{picture.height}",
            "labels": labels or {},
            "notes": job.notes,
        }
    )


def perceiving(ability: str) -> Any:
    """Return the route of an ability."""
    return functools.partial(perceive, ability=ability)


async def _done(request: Request, task: Task, model: str | None, user: str | None) -> Job | None:
    """Return the finished job of a task, None when its client has left; raise the error of one that failed."""
    site = site_of(request)
    job = site.submit(request, task, model=model, user=user)
    return job if await site.finished(request, job) else None


def _answered(job: Job | None, body: Any) -> Response:
    if job is None:
        return Response(status_code=499)
    return json_response({**body(job.answer), "notes": job.notes})


def _some(pictures: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if not pictures:
        raise bad_request("Missing required parameter: 'image'.", "image", "missing_required_parameter")
    return pictures


def _one(pictures: tuple[bytes, ...]) -> tuple[bytes, ...]:
    if len(_some(pictures)) > 1:
        raise bad_request("One picture is read at a time.", "image")
    return pictures


def _named(ability: str) -> Any:
    return ability
