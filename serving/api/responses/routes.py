"""`/v1/responses` with the `image_generation` tool: a dialogue as OpenAI's Responses API speaks it.

A response is a turn of a session, and `previous_response_id` the turn that it goes on from, so the pictures of
earlier responses need not be sent again. `action` says whether a picture is painted or changed; left to the words
(`auto`), a question about a picture is answered in text.
"""

from typing import Any, Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from ...app_state import Site, site_of
from ...engine.errors import SessionFullError
from ...engine.intent import intent
from ...engine.job import Job
from ...engine.messages import Done, Task
from ...engine.sessions import Session, Turn
from ...web.body import convert, read_json
from ...web.errors import ApiError, bad_request, json_response, of_engine
from ...web.stream import EventStream
from ..chat import INSTRUCTIONS
from .events import Told, events
from .fields import ImageTool, ResponsesRequest
from .input_items import Said, said

_PREFIX: Final = "resp_"


class Retrieve(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The query of `GET /v1/responses/ID`."""

    stream: bool = False
    starting_after: int = -1
    include_obfuscation: bool = False


async def create(request: Request) -> Response:
    """Paint, change a picture, or answer, as the input asks."""
    body = await read_json(request, ResponsesRequest)
    site = site_of(request)
    what = said(body.input, lambda item: _picture_of_item(site, item))
    if body.instructions:
        what.notes += (INSTRUCTIONS,) if INSTRUCTIONS not in what.notes else ()
    before = None if body.previous_response_id is None else _before(site, body.previous_response_id)
    model = before[0].model if before else site.find(body.model).name
    if before is not None and body.store is False:  # a dialogue of its own, which ends with this response
        what.pictures, before = what.pictures or _pictures(*before), None
    session = before[0] if before else site.engine.sessions.begin(model)
    kept = len(session.turns)
    try:
        _check(site, session, body)
        shown = _shown(site, session, what.pictures)
        about = shown or (_about(*before) if before else ())
        job, ability, about = _submitted(request, body, session, what, about)
    except ApiError:
        del session.turns[kept:]  # a request that is refused brings nothing
        if before is None:
            site.engine.sessions.end(session)
        raise
    if ability != "ask" and (given := body.answering()):
        what.notes += (f"the picture was painted without what is about answers: {', '.join(sorted(given))}",)
    echo = msgspec.json.encode((body.echo(), what.notes))
    turn = site.engine.sessions.add(session, ability, say=what.words, about=about, job=job, echo=echo)
    told = _told(session, turn)

    def leave() -> None:
        site.engine.cancel(job)
        if body.store is False:
            site.engine.sessions.end(session)
        elif not body.stream and not isinstance(job.end, Done):  # nobody was told its name
            site.engine.sessions.delete(session, turn.number)

    if body.stream:
        return EventStream(events(told), every_s=site.answers.comment_every_s, on_leave=leave)
    try:
        if not await site.finished(request, job):
            return Response(status_code=499)
        return json_response(told.response(told.outcome))
    finally:
        leave()


async def retrieve(request: Request) -> Response:
    """Tell a response again, whole or as its events."""
    query = convert(dict(request.query_params), Retrieve)
    if query.include_obfuscation:
        name = "include_obfuscation"
        raise bad_request(f"{name!r} is not supported here; leave it out.", name, "unsupported_parameter")
    site = site_of(request)
    name = request.path_params["response"]
    found = _kept(site, name)
    if found is None:
        raise _not_kept(site, name, "create another one")
    told = _told(*found)
    if not query.stream:
        return json_response(told.response(told.outcome))
    pieces = events(told, query.starting_after + 1)
    return EventStream(pieces, every_s=site.answers.comment_every_s, on_leave=lambda: None)


async def delete(request: Request) -> Response:
    """Delete a response, its picture, and what was sent for it."""
    site = site_of(request)
    name = request.path_params["response"]
    found = _kept(site, name)
    if found is None:
        raise _not_kept(site, name, "there is nothing left to delete")
    session, turn = found
    site.engine.sessions.delete(session, turn.number)
    return json_response({"id": name, "object": "response", "deleted": True})


def _told(session: Session, turn: Turn) -> Told:
    assert turn.job is not None
    echo, notes = msgspec.json.decode(turn.echo)
    return Told(
        name=f"{_PREFIX}{session.id}-{turn.number}", echo=echo, model=session.model, job=turn.job,
        is_answer=turn.ability == "ask", notes=notes,
    )  # fmt: skip


def _picture_of_item(site: Site, item: str) -> bytes | None:
    """Return the picture of an item of a response that is kept, nothing of an answer; None if it is not kept."""
    turn = site.engine.sessions.turn_of(item.partition("_")[2])
    return None if turn is None else turn.picture or b""


def _before(site: Site, response: str) -> tuple[Session, Turn]:
    """Return the session and the turn of the response to go on with; raise the 404 of one that is not kept."""
    found = _kept(site, response)
    if found is None:
        what_to_do = "leave previous_response_id out and send the picture as an input_image"
        raise _not_kept(site, response, what_to_do, param="previous_response_id")
    job = found[1].job
    if job is None or not isinstance(job.end, Done):
        message = f"The response {response[:100]!r} is not finished, or has failed; name another one."
        raise bad_request(message, "previous_response_id", "response_not_finished")
    return found


def _kept(site: Site, response: str) -> tuple[Session, Turn] | None:
    name, _, number = response.removeprefix(_PREFIX).rpartition("-")
    session = site.engine.sessions.find(name)
    turns = [] if session is None else session.turns
    turn = next((one for one in turns if str(one.number) == number and one.echo), None)
    return None if session is None or turn is None else (session, turn)


def _not_kept(site: Site, response: str, what_to_do: str, *, param: str | None = None) -> ApiError:
    minutes = site.engine.sessions.limits.idle_s / 60
    why = f"it was deleted, or its dialogue was not used for {minutes:.0f} minutes or made room for others"
    message = f"The response {response[:100]!r} is not kept here: {why}; {what_to_do}."
    return ApiError(404, message, param=param, code="response_not_found")


def _check(site: Site, session: Session, body: ResponsesRequest) -> None:
    """Raise the 400 of fields that say something else than what is done."""
    tool = body.tools[0] if body.tools else None
    for model, param in ((body.model, "model"), (tool.model if tool else None, "tools[0].model")):
        if model is not None and site.find(model).name != session.model:
            message = f"This dialogue is with {session.model}; leave {param} out, or begin another one."
            raise bad_request(message, param)
    if body.background:
        raise bad_request("'background' is not supported here; leave it out.", "background", "unsupported_parameter")
    if body.has_to_paint and tool is None:
        message = 'tool_choice names a tool that is not there; add {"type": "image_generation"} to tools.'
        raise bad_request(message, "tool_choice")
    if tool is not None and tool.partial_images and not body.stream:
        raise bad_request("partial_images needs stream; set stream to true.", "tools[0].partial_images")


def _shown(site: Site, session: Session, pictures: list[bytes]) -> tuple[int, ...]:
    """Add what was sent along to the session; return the turns."""
    try:
        site.engine.sessions.check_room(session, len(pictures) + 1, sum(map(len, pictures)))
    except SessionFullError as error:
        raise of_engine(error) from error
    return tuple(site.engine.sessions.add(session, "show", shown=one).number for one in pictures)


def _about(session: Session, turn: Turn) -> tuple[int, ...]:
    """Return the turns whose pictures the words after a response are about: its own, or those that it was asked about.

    Pictures that were deleted are not among them.
    """
    return (turn.number,) if turn.picture else tuple(one for one in turn.about if session.turns[one].picture)


def _pictures(session: Session, turn: Turn) -> list[bytes]:
    return [session.turns[number].picture or b"" for number in _about(session, turn)]


def _submitted(
    request: Request, body: ResponsesRequest, session: Session, what: Said, about: tuple[int, ...]
) -> tuple[Job, Any, tuple[int, ...]]:
    """Put what is asked for into the queue; return it, the ability, and the turns whose pictures it is about."""
    site, tool = site_of(request), body.tool or ImageTool(type="image_generation")
    chosen: Any = {"generate": "paint", "edit": "edit"}.get(tool.action or "auto")
    ability = chosen or intent(what.words, has_picture=bool(about))
    if body.has_to_paint and ability == "ask":
        ability = "edit"
    if body.tool is None and ability != "ask":
        only = (
            "Without the image_generation tool only questions about pictures are answered; add it, or send a picture."
        )
        raise bad_request(only, "tool_choice" if body.tools else "tools")
    if ability != "paint" and not about:
        raise bad_request("There is no picture to change; send one, or name the previous_response_id.", "input")
    if ability == "paint":
        about = ()
    if ability == "edit" and not what.pictures:  # what several pictures were asked about is not a change of them all
        about = about[-1:]
    task = Task(
        ability=ability,
        text=what.words,
        pictures=tuple(session.turns[number].picture or b"" for number in about),
        options=body.answering() if ability == "ask" else {},
        size=site.size(site.find(session.model), tool.size, "tools[0].size"),
        output=tool.output(site.answers),
        partials=tool.partial_images or 0,
    )
    job = site.submit(request, task, model=session.model, user=body.safety_identifier or body.user)
    return job, ability, about
