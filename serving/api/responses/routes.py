"""`/v1/responses` with the `image_generation` tool: a dialogue as OpenAI's Responses API speaks it.

A response is a turn of a session, and `previous_response_id` the session that it goes on with, so the pictures of
earlier responses need not be sent again. `action` says whether a picture is painted or changed; left to the words
(`auto`), a question about a picture is answered in text.
"""

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
from ..chat import EARLIER, check_longest
from ..pictures import check_number
from .events import Told, events
from .fields import ImageTool, InputImage, InputText, ResponsesRequest

_PREFIX = "resp_"


async def create(request: Request) -> Response:
    """Paint, change a picture, or answer, as the input asks."""
    body = await read_json(request, ResponsesRequest)
    words, pictures, notes = _said(body)
    site = site_of(request)
    before = None if body.previous_response_id is None else _before(site, body.previous_response_id)
    model = before[0].model if before else site.find(body.model).name
    if before is not None and body.store is False:  # a dialogue of its own, which ends with this response
        pictures, before = pictures or _seen(*before), None
    session = before[0] if before else site.engine.sessions.begin(model)
    kept = len(session.turns)
    try:
        _check(site, session, body)
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
    told = Told(name=name, body=body, model=session.model, job=job, is_answer=ability == "ask", notes=notes)

    def leave() -> None:
        site.engine.cancel(job)
        if body.store is False:
            site.engine.sessions.end(session)

    if body.stream:
        return EventStream(events(told), every_s=site.answers.comment_every_s, on_leave=leave)
    try:
        if not await site.finished(request, job):
            return Response(status_code=499)
        return json_response(told.response("completed"))
    finally:
        leave()


async def delete(request: Request) -> Response:
    """Delete a response, the dialogue that it is of, and every picture of that."""
    site = site_of(request)
    name = request.path_params["response"]
    found = _kept(site, name)
    if found is None:
        raise _not_kept(site, name, "there is nothing left to delete")
    site.engine.sessions.end(found[0])
    return json_response({"id": name, "object": "response", "deleted": True})


def _said(body: ResponsesRequest) -> tuple[str, list[bytes], tuple[str, ...]]:
    """Return the words of the last message, the pictures of all, and a note of what is not read; or raise a 400."""
    if isinstance(body.input, str):
        return body.input, [], ()
    pictures, words = [], ""
    for place, message in enumerate(body.input):
        content = message.content
        parts = [InputText(text=content)] if isinstance(content, str) else content
        words = " ".join(part.text for part in parts if isinstance(part, InputText)).strip()
        for number, part in enumerate(parts):
            if isinstance(part, InputImage):
                pictures.append(from_uri(part.image_url, f"input[{place}].content[{number}].image_url"))
    check_number(pictures, "input")
    if not words:
        raise bad_request("The last message has no words.", "input")
    return words, pictures, (EARLIER,) if len(body.input) > 1 else ()


def _before(site: Site, response: str) -> tuple[Session, int]:
    """Return the session and the turn of the response to go on with; raise the 404 of one that is not kept."""
    found = _kept(site, response)
    if found is None:
        what_to_do = "leave previous_response_id out and send the picture as an input_image"
        raise _not_kept(site, response, what_to_do, param="previous_response_id")
    return found


def _kept(site: Site, response: str) -> tuple[Session, int] | None:
    name, _, number = response.removeprefix(_PREFIX).rpartition("-")
    session = site.engine.sessions.find(name)
    turns = [] if session is None else session.turns
    turn = next((one.number for one in turns if str(one.number) == number), None)
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
    check_longest(site.find(session.model), body.max_output_tokens, "max_output_tokens")
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


def _seen(session: Session, turn: int) -> list[bytes]:
    """Return the newest picture that a response had seen, if there was one."""
    return [session.turns[number].picture or b"" for number in _pictures_up_to(session, turn)]


def _pictures_up_to(session: Session, turn: int) -> tuple[int, ...]:
    """Return the turn of the newest picture that a response had seen, if there was one."""
    seen = [one.number for one in session.turns[: turn + 1] if one.picture]
    return tuple(seen[-1:])


def _submitted(
    request: Request, body: ResponsesRequest, session: Session, words: str, about: tuple[int, ...]
) -> tuple[Job, Any]:
    """Put what is asked for into the queue; return it and the ability."""
    site, tool = site_of(request), body.tool or ImageTool(type="image_generation")
    chosen: Any = {"generate": "paint", "edit": "edit"}.get(tool.action or "auto")
    ability = chosen or intent(words, has_picture=bool(about))
    if body.has_to_paint and ability == "ask":
        ability = "edit"
    if body.tool is None and ability != "ask":
        only = (
            "Without the image_generation tool only questions about pictures are answered; add it, or send a picture."
        )
        raise bad_request(only, "tool_choice" if body.tools else "tools")
    if ability != "paint" and not about:
        raise bad_request("There is no picture to change; send one, or name the previous_response_id.", "input")
    task = Task(
        ability=ability,
        text=words,
        pictures=() if ability == "paint" else tuple(session.turns[number].picture or b"" for number in about),
        size=site.size(site.find(session.model), tool.size, "tools[0].size"),
        output=tool.output(site.answers),
        partials=tool.partial_images or 0,
    )
    job = site.submit(request, task, model=session.model, user=body.safety_identifier or body.user)
    return job, ability
