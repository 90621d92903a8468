"""`/v1/chat/completions`: questions about pictures, in the form that chat clients speak.

The pictures of all turns are shown to the model in order; it answers the last turn's words. What the words of earlier
turns said is not read, which a note says.
"""

import functools
import time
from collections.abc import Sequence
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from ..app_state import site_of
from ..engine.engine import SEEDS
from ..engine.job import Job
from ..engine.messages import Answer, Failed, Task
from ..engine.models import Served
from ..web.body import read_json
from ..web.errors import bad_request, json_response, of_failed
from ..web.stream import DONE, EventStream, Pieces, event
from ..web.uploads import from_uri
from .images_fields import Short

EARLIER: Final = "only the last question was answered; the words of earlier turns are not read by this model"
INSTRUCTIONS: Final = "instructions of the system or the developer are not read by this model"

Nothing: TypeAlias = Annotated[float, Meta(ge=0, le=0)]
Tokens: TypeAlias = Annotated[int, Meta(ge=1)]
Words: TypeAlias = Annotated[str, Meta(max_length=32_000)]
Detail: TypeAlias = Literal["auto", "low", "high", "original"]  # a picture is read in the model's own size


class Address(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a picture is: a data URI."""

    url: str
    detail: Detail | None = None


class TextPart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="text"):
    """Words of a turn."""

    text: Words


class PicturePart(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, tag_field="type", tag="image_url"):
    """A picture of a turn."""

    image_url: Address


class Turn(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """One turn of the conversation. What a client repeats of an answer that it got may stand in it, empty."""

    role: Literal["user", "assistant", "system", "developer"]
    content: Words | Annotated[list[TextPart | PicturePart], Meta(max_length=64)]
    name: None = None
    refusal: None = None
    annotations: Annotated[list[None], Meta(max_length=0)] | None = None
    audio: None = None
    function_call: None = None
    tool_calls: None = None


class TextFormat(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """In which form an answer comes."""

    type: Literal["text"]


class Answering(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What the chat and the responses share: how an answer is drawn, and what there is one of, or none."""

    temperature: Annotated[float, Meta(ge=0, le=2)] | None = None
    top_p: Annotated[float, Meta(gt=0, le=1)] | None = None
    parallel_tool_calls: bool | None = None  # there is one call at most
    prompt_cache_key: Short | None = None  # there is no such cache
    prompt_cache_retention: Literal["in_memory", "24h"] | None = None
    service_tier: Literal["auto", "default"] | None = None  # there is one
    store: bool | None = None
    stream: bool | None = None
    user: Short | None = None
    safety_identifier: Short | None = None
    moderation: None = None
    prompt_cache_options: None = None

    def drawing(self, seed: int | None = None) -> dict[str, int | float | str]:
        """Return how tokens are drawn; nothing where the likeliest are taken."""
        if not self.temperature:
            return {}
        given = {"temperature": self.temperature, "top_p": self.top_p, "seed": None if seed is None else seed % SEEDS}
        return {name: value for name, value in given.items() if value is not None}


class StreamOptions(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a stream says at its end."""

    include_usage: bool | None = None
    include_obfuscation: Literal[False] | None = None


class Chat(Answering, kw_only=True, forbid_unknown_fields=True):
    """The body of `/v1/chat/completions`. Without a temperature answers take the likeliest token each time."""

    messages: Annotated[list[Turn], Meta(min_length=1, max_length=200)]
    model: Short | None = None
    stream_options: StreamOptions | None = None
    seed: Annotated[int, Meta(ge=-(2**63), le=2**63 - 1)] | None = None
    max_tokens: Tokens | None = None
    max_completion_tokens: Tokens | None = None
    frequency_penalty: Nothing | None = None
    presence_penalty: Nothing | None = None
    response_format: TextFormat | None = None
    modalities: Annotated[list[Literal["text"]], Meta(min_length=1, max_length=1)] | None = None
    n: Annotated[int, Meta(ge=1, le=1)] | None = None
    logprobs: bool | None = None
    tools: Annotated[list[None], Meta(max_length=0)] | None = None
    tool_choice: Literal["none", "auto"] | None = None  # there are no tools
    stop: Annotated[list[None], Meta(max_length=0)] | None = None
    audio: None = None
    function_call: None = None
    functions: None = None
    logit_bias: None = None
    metadata: None = None
    prediction: None = None
    reasoning_effort: None = None
    top_logprobs: None = None
    verbosity: None = None
    web_search_options: None = None

    @property
    def longest(self) -> dict[str, int | float | str]:
        """How many tokens an answer may have, by both names."""
        given = [most for most in (self.max_tokens, self.max_completion_tokens) if most is not None]
        return {"max_tokens": min(given)} if given else {}


async def completions(request: Request) -> Response:
    """Answer the last question of a conversation."""
    body = await read_json(request, Chat)
    question, pictures, shown_now = _asked(body)
    for name in ("store", "logprobs"):
        if getattr(body, name):
            raise bad_request(f"{name!r} is not supported here; leave it out.", name, "unsupported_parameter")
    if body.stream_options is not None and not body.stream:
        raise bad_request("stream_options needs stream; set stream to true.", "stream_options")
    site = site_of(request)
    served = site.find(body.model)
    pictures, unseen = _seen(served, pictures, shown_now)
    task = Task(ability="ask", text=question, pictures=pictures, options={**body.longest, **body.drawing(body.seed)})
    job = site.submit(request, task, model=body.model, user=body.safety_identifier or body.user)
    if body.stream:
        leave = functools.partial(site.engine.cancel, job)
        pieces = _chunks(job, body, served.name, unseen)
        return EventStream(pieces, every_s=site.answers.comment_every_s, on_leave=leave)
    if not await site.finished(request, job):
        return Response(status_code=499)
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": job.answer.text or "", "refusal": None},
        "finish_reason": _finish(job),
        "logprobs": None,
    }
    return json_response(
        {
            **_head(job, served.name, "chat.completion"),
            "choices": [choice],
            "usage": _usage(job),
            "notes": _notes(job, body) + unseen,
        }
    )


def _asked(body: Chat) -> tuple[str, tuple[bytes, ...], int]:
    """Return the last turn's words, the pictures of all turns, and how many of them are the last turn's."""
    last = body.messages[-1]
    if last.role != "user":
        raise bad_request("The last message must be the user's.", "messages")
    pictures: list[bytes] = []
    words, earlier = "", 0
    for place, turn in enumerate(body.messages):
        words, earlier = "", len(pictures)
        parts = [TextPart(text=turn.content)] if isinstance(turn.content, str) else turn.content
        for number, part in enumerate(parts):
            if isinstance(part, TextPart):
                words = f"{words} {part.text}"
            else:
                pictures.append(from_uri(part.image_url.url, f"messages[{place}].content[{number}].image_url.url"))
    if not words.strip():
        raise bad_request("The last message has no words.", "messages")
    if not pictures:
        raise bad_request(
            "Questions here are about pictures: send one as an image_url part; /v1/images/generations paints.",
            "messages",
        )
    return words.strip(), tuple(pictures), len(pictures) - earlier


def _seen(served: Served, pictures: tuple[bytes, ...], shown_now: int) -> tuple[tuple[bytes, ...], list[str]]:
    """Return as many of the newest pictures as the model reads at once, and a note if that leaves earlier ones out."""
    ability = served.manifest.abilities.get("ask")
    most = len(pictures) if ability is None else max(ability.images[1], shown_now)
    return pictures[-most:], [f"only the last {most} pictures were read"] if len(pictures) > most else []


async def _chunks(job: Job, body: Chat, model: str, unseen: list[str]) -> Pieces:
    def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
        choice = {"index": 0, "delta": delta, "finish_reason": finish, "logprobs": None}
        return event({**_head(job, model, "chat.completion.chunk"), "choices": [choice], **more})

    yield chunk({"role": "assistant", "content": ""})
    async for _, happened in job.follow():
        if isinstance(happened, Failed):
            raise of_failed(happened)
        if isinstance(happened, Answer):
            yield chunk({"content": happened.text or ""})
    yield chunk({}, _finish(job), notes=_notes(job, body) + unseen)
    if body.stream_options is not None and body.stream_options.include_usage:
        yield event({**_head(job, model, "chat.completion.chunk"), "choices": [], "usage": _usage(job)})
    yield DONE


def _finish(job: Job) -> str:
    return "stop" if job.answer.is_whole else "length"


def _head(job: Job, model: str, kind: str) -> dict[str, Any]:
    return {"id": f"chatcmpl-{job.id}", "object": kind, "created": int(time.time()), "model": model}


def _usage(job: Job) -> dict[str, int]:
    read, written = job.started.text_tokens + job.started.image_tokens, job.answer.tokens
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}


def _notes(job: Job, body: Chat) -> list[str]:
    return job.notes + unread([turn.role for turn in body.messages])


def unread(roles: Sequence[str]) -> list[str]:
    """Return notes of what is not read of messages of these roles, the last of which is the question."""
    instructions = {"system", "developer"}
    notes = [EARLIER] if set(roles[:-1]) - instructions else []
    return notes + ([INSTRUCTIONS] if instructions & set(roles) else [])
