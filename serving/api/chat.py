"""`/v1/chat/completions`: questions about pictures, in the form that chat clients speak.

The pictures of all turns are shown to the model in order; it answers the last turn's words. What the words of earlier
turns said is not read, which a note says.
"""

import functools
import time
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.job import Job
from ..engine.messages import Answer, Failed, Task
from ..web.body import read_json
from ..web.errors import bad_request, json_response, of_failed
from ..web.stream import DONE, EventStream, Pieces, event
from ..web.uploads import from_uri
from .images_fields import Short

_EARLIER = "only the last question was answered; the words of earlier turns are not read by this model"


class Address(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a picture is: a data URI."""

    url: str
    detail: Literal["auto", "low", "high"] | None = None  # a picture is read in the model's own size


class Part(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Words or a picture of a turn."""

    type: Literal["text", "image_url"]
    text: Annotated[str, Meta(max_length=32_000)] | None = None
    image_url: Address | None = None


class Turn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One turn of the conversation."""

    role: Literal["user", "assistant"]
    content: Annotated[str, Meta(max_length=32_000)] | Annotated[list[Part], Meta(max_length=64)]
    name: Short | None = None


class StreamOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a stream says at its end."""

    include_usage: bool | None = None


class Chat(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/chat/completions`. Answers take the likeliest token each time: temperature 0."""

    messages: Annotated[list[Turn], Meta(min_length=1, max_length=200)]
    model: Short | None = None
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Annotated[float, Meta(ge=0, le=0)] | None = None
    n: Annotated[int, Meta(ge=1, le=1)] | None = None
    user: Short | None = None
    safety_identifier: Short | None = None


async def completions(request: Request) -> Response:
    """Answer the last question of a conversation."""
    body = await read_json(request, Chat)
    question, pictures = _asked(body)
    site = site_of(request)
    served = site.find(body.model)
    task = Task(ability="ask", text=question, pictures=pictures)
    job = site.submit(request, task, model=body.model, user=body.safety_identifier or body.user)
    if body.stream:
        leave = functools.partial(site.engine.cancel, job)
        return EventStream(_chunks(job, body, served.name), every_s=site.answers.comment_every_s, on_leave=leave)
    if not await site.finished(request, job):
        return Response(status_code=499)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": job.answer.text or "", "refusal": None},
        "finish_reason": "stop",
        "logprobs": None,
    }
    return json_response(
        {
            **_head(job, served.name, "chat.completion"),
            "choices": [choice],
            "usage": _usage(job),
            "notes": _notes(job, body),
        }
    )


def _asked(body: Chat) -> tuple[str, tuple[bytes, ...]]:
    """Return the last turn's words and the pictures of all turns."""
    last = body.messages[-1]
    if last.role != "user":
        raise bad_request("The last message must be the user's.", "messages")
    pictures = []
    words = ""
    for place, turn in enumerate(body.messages):
        words = ""
        parts = [Part(type="text", text=turn.content)] if isinstance(turn.content, str) else turn.content
        for number, part in enumerate(parts):
            where = f"messages[{place}].content[{number}]"
            if part.type == "text":
                words = f"{words} {_given(part.text, where + '.text')}"
            else:
                pictures.append(from_uri(_given(part.image_url, where + ".image_url").url, where + ".image_url.url"))
    if not words.strip():
        raise bad_request("The last message has no words.", "messages")
    if not pictures:
        raise bad_request(
            "Questions here are about pictures: send one as an image_url part; /v1/images/generations paints.",
            "messages",
        )
    return words.strip(), tuple(pictures)


def _given(value: Any, where: str) -> Any:
    if value is None:
        raise bad_request(f"Missing required parameter: {where!r}.", where, "missing_required_parameter")
    return value


async def _chunks(job: Job, body: Chat, model: str) -> Pieces:
    def chunk(delta: dict[str, Any], finish: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event({**_head(job, model, "chat.completion.chunk"), "choices": [choice]})

    yield chunk({"role": "assistant", "content": ""})
    async for _, happened in job.follow():
        if isinstance(happened, Failed):
            raise of_failed(happened)
        if isinstance(happened, Answer):
            yield chunk({"content": happened.text or ""})
    yield chunk({}, "stop")
    if body.stream_options is not None and body.stream_options.include_usage:
        yield event({**_head(job, model, "chat.completion.chunk"), "choices": [], "usage": _usage(job)})
    yield DONE


def _head(job: Job, model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{job.id}", "object": kind, "created": int(time.time()), "model": model}


def _usage(job: Job) -> dict[str, int]:
    read, written = job.started.text_tokens + job.started.image_tokens, job.answer.tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _notes(job: Job, body: Chat) -> list[str]:
    return job.notes + ([_EARLIER] if len(body.messages) > 1 else [])
