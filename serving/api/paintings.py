"""Our own API: paintings as jobs, watched row by row, left and found again.

Whoever asks for a painting owns a name that nobody guesses. Its events are numbered, so a page that was closed goes on
where it stopped (`Last-Event-ID`); a client that leaves only stops watching, unless it said otherwise.
"""

from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeAlias

from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.job import Job
from ..engine.messages import Failed, PictureFormat, Row, Task
from ..web.errors import ApiError, bad_request, json_response, of_failed
from ..web.stream import EventStream
from .images_fields import Sampling, Short, output_of
from .painting_stream import first_event, follow
from .pictures import Image, ImageReference, read_with_pictures

Paintable: TypeAlias = Literal["paint", "edit", "segment", "edges", "boxes", "depth", "normals", "pose"]
_WORDS = ("paint", "edit")


class PaintingRequest(Sampling, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/paintings`. Without an `ability` it is paint, or edit where pictures come along."""

    ability: Paintable | None = None
    image: Image | None = None
    images: list[ImageReference] | None = None
    prompt: Annotated[str, Meta(max_length=32_000)] | None = None
    objects: Annotated[list[Annotated[str, Meta(max_length=200)]], Meta(max_length=50)] | None = None
    model: Short | None = None
    size: Annotated[str, Meta(max_length=32)] | None = None
    n: Annotated[int, Meta(ge=1, le=10)] | None = None
    output_format: PictureFormat | None = None
    output_compression: Annotated[int, Meta(ge=0, le=100)] | None = None
    stream: bool | None = None
    cancel_on_disconnect: bool | None = None
    user: Short | None = None


async def create(request: Request) -> Response:
    """Take a painting: answer with its name, or with its events."""
    body, pictures = await read_with_pictures(request, PaintingRequest)
    ability = body.ability or ("edit" if pictures else "paint")
    _check(body, ability, pictures)
    site = site_of(request)
    served = site.find(body.model)
    output = output_of(body.output_format, body.output_compression, site.answers)
    task = Task(
        ability=ability,
        text=body.prompt or "",
        pictures=pictures,
        objects=tuple(body.objects or ()),
        size=site.size(served, body.size),
        count=body.n or 1,
        options=body.options(),
        output=output,
        strips=True,
    )
    survives = not body.cancel_on_disconnect
    job = site.submit(request, task, model=body.model, user=body.user, keep=True, survives=survives)
    await site.engine.settle(job)
    if body.stream:
        leave = _leaver(request, job) if body.cancel_on_disconnect else _nothing
        opening = describe(request, job)
        return EventStream(follow(job, 0, opening), every_s=site.answers.comment_every_s, on_leave=leave)
    return json_response(describe(request, job), status=202, headers={"Location": f"/v1/paintings/{job.id}"})


async def show(request: Request) -> Response:
    """Say how far a painting is."""
    return json_response(describe(request, _job(request)))


async def events(request: Request) -> Response:
    """Stream what has happened since an event, and what happens from now on."""
    job = _job(request)
    first = first_event(request, job)
    if job.is_over and first > len(job.events):
        return Response(status_code=204)  # a browser's EventSource connects again until it is told this
    return EventStream(follow(job, first), every_s=site_of(request).answers.comment_every_s, on_leave=_nothing)


async def picture(request: Request) -> Response:
    """Return a finished picture as a file."""
    job, number = _job(request), request.path_params["number"]
    found = next((one for one in job.pictures if one.picture == number), None)
    if found is None:
        raise ApiError(404, "That picture does not exist, or is not finished.", code="picture_not_found")
    kind = job.task.output.format
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'inline; filename="edgevlo-{found.seed if found.seed is not None else number}.{kind}"',
    }
    return Response(found.image, media_type=f"image/{kind}", headers=headers)


async def delete(request: Request) -> Response:
    """Stop a painting before its next graph runs, and delete what it made."""
    site_of(request).engine.forget(_job(request))
    return Response(status_code=204)


def _check(body: PaintingRequest, ability: str, pictures: tuple[bytes, ...]) -> None:
    """Raise the 400 of what is missing, or does nothing with this ability."""
    if ability in _WORDS and not (body.prompt or "").strip():
        raise bad_request("Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter")
    if ability not in _WORDS and body.prompt is not None:
        raise bad_request(f"{ability} takes no prompt; leave it out.", "prompt")
    if ability == "paint" and pictures:
        raise bad_request("paint reads no picture; use edit, or leave it out.", "image")
    if ability != "paint" and not pictures:
        raise bad_request("Missing required parameter: 'image'.", "image", "missing_required_parameter")
    if ability not in _WORDS and len(pictures) > 1:
        raise bad_request(f"{ability} reads one picture.", "image")
    if ability != "boxes" and body.objects:
        raise bad_request(f"{ability} takes no names of objects; leave them out.", "objects")
    if ability not in _WORDS and body.size is not None:
        raise bad_request(f"{ability} paints the size of its picture; leave size out.", "size")
    if body.cancel_on_disconnect and not body.stream:
        raise bad_request("cancel_on_disconnect needs stream; set stream to true.", "cancel_on_disconnect")


def _job(request: Request) -> Job:
    job = site_of(request).engine.find(request.path_params["job"])
    if job is None:
        raise ApiError(404, "There is no such painting; it was deleted, or is too old.", code="painting_not_found")
    return job


def describe(request: Request, job: Job) -> dict[str, Any]:
    """Return the state of a painting; its pictures are files at their addresses."""
    rows = [one for one in job.events if isinstance(one, Row)]
    error = of_failed(job.end).body["error"] if isinstance(job.end, Failed) else None
    return {
        "id": job.id,
        "object": "painting",
        "status": job.state,
        "ability": job.task.ability,
        "model": job.model,
        "created": int(job.created),
        "ahead": site_of(request).engine.ahead_of(job),
        "n": job.task.count,
        "rows_done": len(rows),
        "rows": rows[0].rows * job.task.count if rows else None,
        "pictures": [
            {
                "url": f"/v1/paintings/{job.id}/pictures/{one.picture}",
                "width": one.width,
                "height": one.height,
                "seed": one.seed,
            }
            for one in job.pictures
        ],
        "error": error,
    }


def _leaver(request: Request, job: Job) -> Callable[[], None]:
    return lambda: site_of(request).engine.cancel(job)


def _nothing() -> None:
    """Let a client go: the picture is finished, and kept for a while."""
