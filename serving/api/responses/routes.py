"""`/v1/responses` with the `image_generation` tool: a dialogue as OpenAI's Responses API speaks it.

A response is a turn of a session, and `previous_response_id` the session that it goes on with, so the pictures of
earlier responses need not be sent again. `action` says whether a picture is painted or changed; left to the words
(`auto`), a question about a picture is answered in text.
"""

import functools
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from ...app_state import Site, site_of
from ...engine.errors import SessionFullError
from ...engine.intent import intent
from ...engine.job import Job
from ...engine.messages import Task
from ...engine.sessions import Session
from ...web.body import read_json
from ...web.errors import ApiError, bad_request, json_response, of_engine
from ...web.stream import EventStream
from ...web.uploads import from_uri
from ..pictures import check_number
from .events import Told, events
from .fields import ImageTool, InputPart, ResponsesRequest

_PREFIX = "resp_"


async def create(request: Request) -> Response:
    """Paint, change a picture, or answer, as the input asks."""
    body = await read_json(request, ResponsesRequest)
    words, pictures = _said(body)
    site = site_of(request)
    before = _before(site, body.previous_response_id)
    session = before[0] if before else site.engine.sessions.begin(site.find(body.model).name)
    kept = len(session.turns)
    try:
        shown = _shown(site, session, pictures)
        about = shown or _pictures_up_to(session, before[1] if before else -1)
        job, ability = _submitted(request, body, session, words, about)
    except ApiError:
        del session.turns[kept:]  # a request that is refused brings nothing
        if before is None:
            site.engine.sessions.end(session)
        raise
    turn = site.engine.sessions.add(session, ability, say=words, about=about, job=job)
    name = f"{_PREFIX}{session.id}-{turn.number}"
    told = Told(name=name, body=body, model=session.model, job=job, is_answer=ability == "ask")
    if body.stream:
        leave = functools.partial(site.engine.cancel, job)
        return EventStream(events(told), every_s=site.answers.comment_every_s, on_leave=leave)
    if not await site.finished(request, job):
        return Response(status_code=499)
    return json_response(told.response("completed"))


async def delete(request: Request) -> Response:
    """Delete a response, the dialogue that it is of, and every picture of that."""
    site = site_of(request)
    found = _before(site, request.path_params["response"])
    assert found is not None
    site.engine.sessions.end(found[0])
    return json_response({"id": request.path_params["response"], "object": "response", "deleted": True})


def _said(body: ResponsesRequest) -> tuple[str, list[bytes]]:
    """Return the words of the last message and the pictures of all; raise the 400 of too many."""
    if isinstance(body.input, str):
        return body.input, []
    pictures, words = [], ""
    for place, message in enumerate(body.input):
        content = message.content
        parts = [InputPart(type="input_text", text=content)] if isinstance(content, str) else content
        words = " ".join(part.text or "" for part in parts if part.type == "input_text").strip()
        for number, part in enumerate(parts):
            where = f"input[{place}].content[{number}].image_url"
            if part.type == "input_image":
                pictures.append(from_uri(part.image_url or "", where))
    check_number(pictures, "input")
    if not words:
        raise bad_request("The last message has no words.", "input")
    return words, pictures


def _before(site: Site, response: str | None) -> tuple[Session, int] | None:
    """Return the session and the turn of an earlier response; raise the 404 of one that is not kept."""
    if response is None:
        return None
    name, _, number = response.removeprefix(_PREFIX).rpartition("-")
    session = site.engine.sessions.find(name)
    if session is None or not number.isascii() or not number.isdecimal() or int(number[:9]) >= len(session.turns):
        raise ApiError(404, "There is no such response; it was deleted, or is too old.", code="response_not_found")
    return session, int(number)


def _shown(site: Site, session: Session, pictures: list[bytes]) -> tuple[int, ...]:
    """Add what was sent along to the session; return the turns."""
    try:
        site.engine.sessions.check_room(session, len(pictures) + 1, sum(map(len, pictures)))
    except SessionFullError as error:
        raise of_engine(error) from error
    return tuple(site.engine.sessions.add(session, "show", shown=one).number for one in pictures)


def _pictures_up_to(session: Session, turn: int) -> tuple[int, ...]:
    """Return the turn of the newest picture that a response had seen, if there was one."""
    seen = [one.number for one in session.turns[: turn + 1] if one.picture]
    return tuple(seen[-1:])


def _submitted(
    request: Request, body: ResponsesRequest, session: Session, words: str, about: tuple[int, ...]
) -> tuple[Job, Any]:
    """Put what is asked for into the queue; return it and the ability."""
    site, tool = site_of(request), body.tool or ImageTool(type="image_generation")
    if tool.partial_images and not body.stream:
        raise bad_request("partial_images needs stream; set stream to true.", "tools")
    chosen: Any = {"generate": "paint", "edit": "edit"}.get(tool.action or "auto")
    ability = chosen or intent(words, has_picture=bool(about))
    if body.tool is None and ability != "ask":
        raise bad_request("Without the image_generation tool questions about pictures are answered.", "tools")
    if ability != "paint" and not about:
        raise bad_request("There is no picture to change; send one, or name the previous_response_id.", "input")
    task = Task(
        ability=ability,
        text=words,
        pictures=() if ability == "paint" else tuple(session.turns[number].picture or b"" for number in about),
        size=site.size(site.find(session.model), tool.size),
        output=tool.output(site.answers),
        partials=(tool.partial_images or 0) if body.stream else 0,
    )
    job = site.submit(request, task, model=session.model, user=body.safety_identifier or body.user)
    return job, ability
