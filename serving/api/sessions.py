"""Dialogues: words about the pictures of earlier turns, painted, changed or answered. The pictures stay on the server.

A turn that paints is a painting like any other, with its own events; the session only remembers which it was.
"""

from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.errors import SessionFullError
from ..engine.intent import intent
from ..engine.job import Job
from ..engine.messages import PictureFormat, Task
from ..engine.sessions import MAPS, Map, Session, Turn
from ..web.body import read_json
from ..web.errors import ApiError, bad_request, json_response, of_engine
from ..web.stream import EventStream
from . import paintings
from .images_fields import Sampling, Short
from .painting_stream import follow
from .pictures import Image, ImageReference, read_with_pictures

_KINDS: Final = {b"\xff\xd8": "jpeg", b"RI": "webp"}  # by the first bytes; what was shown may be any of these


class SessionRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/sessions`."""

    model: Short | None = None


class TurnRequest(Sampling, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /v1/sessions/ID/turns`: words, or pictures to speak about, or both; of a map, no words."""

    say: Annotated[str, Meta(min_length=1, max_length=32_000)] | None = None
    ability: Literal["paint", "edit", "ask"] | Map | None = None
    about: Annotated[list[Annotated[int, Meta(ge=0)]], Meta(min_length=1, max_length=16)] | None = None
    image: Image | None = None
    images: list[ImageReference] | None = None
    size: Annotated[str, Meta(max_length=32)] | None = None
    output_format: PictureFormat | None = None
    stream: bool | None = None
    user: Short | None = None


async def begin(request: Request) -> Response:
    """Begin a dialogue."""
    body = await read_json(request, SessionRequest)
    site = site_of(request)
    session = site.engine.sessions.begin(site.find(body.model).name)
    return json_response(_described(request, session), status=201, headers={"Location": f"/v1/sessions/{session.id}"})


async def show(request: Request) -> Response:
    """Tell a dialogue from its beginning."""
    return json_response(_described(request, _session(request)))


async def end(request: Request) -> Response:
    """Delete a dialogue and every picture of it; what it is painting stops before its next graph runs."""
    site_of(request).engine.sessions.end(_session(request))
    return Response(status_code=204)


async def picture(request: Request) -> Response:
    """Return the picture of a turn as a file."""
    turn = _turn(_session(request), request.path_params["number"])
    if turn is None or not turn.picture:
        raise ApiError(404, "That turn has no picture, or has not finished it.", code="picture_not_found")
    kind = _KINDS.get(turn.picture[:2], "png")
    return Response(turn.picture, media_type=f"image/{kind}", headers={"Cache-Control": "no-store"})


async def say(request: Request) -> Response:
    """Do what is said: paint, change a picture of this dialogue, or answer a question about it."""
    body, pictures = await read_with_pictures(request, TurnRequest)
    session, sessions = _session(request), site_of(request).engine.sessions
    does_something = body.say is not None or body.ability in MAPS
    if not does_something and not pictures:
        raise bad_request("Missing required parameter: 'say', or 'image'.", "say", "missing_required_parameter")
    try:
        sessions.check_room(session, len(pictures) + does_something, sum(map(len, pictures)))
    except SessionFullError as error:
        raise of_engine(error) from error
    about = _about(session, body.about) if body.about else None
    kept = len(session.turns)
    brought = [sessions.add(session, "show", shown=one) for one in pictures]
    if not does_something:
        return json_response(_told(request, session, brought[-1]), status=201)
    last = session.last_picture
    chosen = about or tuple(turn.number for turn in brought) or (() if last is None else (last,))
    try:
        turn, job = _begun(request, session, body, chosen)
    except ApiError:
        del session.turns[kept:]  # a request that is refused brings nothing
        raise
    if turn.ability == "ask":
        return await _answered(request, session, turn, job)
    told = _told(request, session, turn)
    if body.stream:
        events = follow(job, 0, told)
        return EventStream(events, every_s=site_of(request).answers.comment_every_s, on_leave=lambda: None)
    return json_response(told, status=202)


def _begun(request: Request, session: Session, body: TurnRequest, about: tuple[int, ...]) -> tuple[Turn, Job]:
    """Put what is said into the queue; return its turn and its job."""
    words = body.say or ""
    ability = body.ability or intent(words, has_picture=bool(about))
    if ability == "paint":
        if body.about:
            raise bad_request("A new picture is about no other one; leave about out, or set ability to edit.", "about")
        about = ()
    elif not about:
        raise bad_request("There is no finished picture in this session yet; paint or show one first.", "about")
    if ability == "ask" and (body.options() or body.size or body.output_format or body.stream):
        raise bad_request("An answer has no size, sampling, format or stream; leave them out.", "ability")
    if ability in MAPS:
        _check_map(body, ability, about)
    site = site_of(request)
    task = Task(
        ability=ability,
        text=words,
        pictures=tuple(session.turns[number].picture or b"" for number in about),
        size=site.size(site.find(session.model), body.size),
        options=body.options(),
        output=site.answers.written(body.output_format),
        strips=ability != "ask",
    )
    job = site.submit(request, task, model=session.model, user=body.user, keep=ability != "ask")
    return site.engine.sessions.add(session, ability, say=words, about=about, job=job), job


def _check_map(body: TurnRequest, ability: str, about: tuple[int, ...]) -> None:
    if body.say is not None:
        raise bad_request(f"{ability} takes no words; leave them out.", "say")
    if body.size is not None:
        raise bad_request(f"{ability} paints the size of its picture; leave size out.", "size")
    if len(about) > 1:
        raise bad_request(f"{ability} reads one picture.", "about")


async def _answered(request: Request, session: Session, turn: Turn, job: Job) -> Response:
    if not await site_of(request).finished(request, job):
        return Response(status_code=499)
    return json_response(_told(request, session, turn))


def _session(request: Request) -> Session:
    session = site_of(request).engine.sessions.find(request.path_params["session"])
    if session is None:
        gone = "There is no such session; it was deleted, is too old, or its engine was lost. Begin another one."
        raise ApiError(404, gone, code="session_not_found")
    return session


def _turn(session: Session, number: int) -> Turn | None:
    return session.turns[number] if number < len(session.turns) else None


def _about(session: Session, numbers: list[int]) -> tuple[int, ...]:
    for number in numbers:
        turn = _turn(session, number)
        if turn is None or not turn.picture:
            raise bad_request(f"Turn {number} has no finished picture; name another one.", "about")
    return tuple(numbers)


def _described(request: Request, session: Session) -> dict[str, Any]:
    return {
        "id": session.id,
        "object": "session",
        "model": session.model,
        "created": int(session.created),
        "turns": [_told(request, session, turn) for turn in session.turns],
    }


def _told(request: Request, session: Session, turn: Turn) -> dict[str, Any]:
    """Return a turn as clients see it."""
    job, paints = turn.job, turn.ability not in ("show", "ask")
    return {
        "turn": turn.number,
        "ability": turn.ability,
        "say": turn.say,
        "about": turn.about,
        "answer": turn.answer,
        "picture": f"/v1/sessions/{session.id}/turns/{turn.number}/picture" if turn.picture else None,
        "painting": paintings.describe(request, job) if job is not None and paints else None,
        "notes": [] if job is None else job.notes,
    }
