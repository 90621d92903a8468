"""What `/v1/responses` answers: the response object, and the events that it is told in."""

import base64
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ...engine.job import Job
from ...engine.messages import Answer, Event, Failed, Partial, Picture, Started
from ...web.errors import of_failed
from ...web.stream import Pieces, event

_CALL = "response.image_generation_call"
Tell = Callable[..., bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A response and the job that it comes from; `echo` is what it says again of its request."""

    name: str
    echo: Mapping[str, Any]
    model: str
    job: Job
    is_answer: bool
    notes: Sequence[str] = ()  # beside the job's

    @property
    def item_id(self) -> str:
        """The name of the one thing that a response holds."""
        return f"{'msg' if self.is_answer else 'ig'}_{self.job.id}"

    @property
    def outcome(self) -> str:
        """What became of it."""
        match self.job.end:
            case None:
                return "queued" if self.job.state == "queued" else "in_progress"
            case Failed():
                return "cancelled" if self.job.state == "cancelled" else "failed"
            case _:
                return "incomplete" if self.is_answer and not self.job.answer.is_whole else "completed"

    def item(self, status: str) -> dict[str, Any]:
        """Return what the response holds: a picture, or a message."""
        if self.is_answer:
            content = [] if status == "in_progress" else [self.text_part()]
            return {"id": self.item_id, "type": "message", "role": "assistant", "status": status, "content": content}
        item: dict[str, Any] = {"id": self.item_id, "type": "image_generation_call", "status": status, "result": None}
        if status == "completed":
            (picture,) = self.job.pictures
            item |= _facts(picture, self.job) | {
                "result": base64.b64encode(picture.image).decode(),
                "action": "edit" if self.job.task.pictures else "generate",
                "revised_prompt": None,
                "seed": picture.seed,
            }
        return item

    def text_part(self) -> dict[str, Any]:
        """Return the answer as a part of a message."""
        return {"type": "output_text", "text": self.job.answer.text or "", "annotations": [], "logprobs": []}

    def response(self, status: str) -> dict[str, Any]:
        """Return the response object."""
        done = status in ("completed", "incomplete")
        failed = of_failed(self.job.end) if isinstance(self.job.end, Failed) and status == "failed" else None
        return {
            "id": self.name,
            "object": "response",
            "created_at": int(self.job.created),
            "status": status,
            "model": self.model,
            "output": [self.item(status)] if done else [],
            "error": None if failed is None else {"code": failed.code or "server_error", "message": failed.message},
            "incomplete_details": {"reason": "max_output_tokens"} if status == "incomplete" else None,
            **self.echo,
            "usage": self._usage() if done else None,
            "notes": [*self.job.notes, *self.notes] if done else [],
        }

    def _usage(self) -> dict[str, Any]:
        started = self.job.started
        read = started.text_tokens + started.image_tokens
        answered = sum(one.tokens for one in self.job.events if isinstance(one, Answer))
        written = answered + sum(one.rows * one.columns for one in self.job.pictures)
        return {
            "input_tokens": read,
            "input_tokens_details": {"cached_tokens": 0},
            "output_tokens": written,
            "output_tokens_details": {"reasoning_tokens": 0},
            "total_tokens": read + written,
        }


async def events(told: Told, first: int = 0) -> Pieces:
    """Yield a response as it is made, every event with its number, from number `first` on."""
    number = -1

    def tell(kind: str, **fields: Any) -> bytes:
        nonlocal number
        number += 1
        return event({"type": kind, "sequence_number": number, **fields}, name=kind) if number >= first else b""

    async for piece in _all(told, tell):
        if piece:
            yield piece


async def _all(told: Told, tell: Tell) -> Pieces:
    yield tell("response.created", response=told.response("in_progress"))
    yield tell("response.in_progress", response=told.response("in_progress"))
    yield tell("response.output_item.added", output_index=0, item=told.item("in_progress"))
    async for _, happened in told.job.follow():
        if isinstance(happened, Failed):
            raise of_failed(happened)
        for piece in _pieces(told, happened, tell):
            yield piece
    end = told.outcome
    yield tell("response.output_item.done", output_index=0, item=told.item(end))
    yield tell(f"response.{end}", response=told.response(end))


def _pieces(told: Told, happened: Event, tell: Tell) -> list[bytes]:
    """Return what is told of an event."""
    place: dict[str, Any] = {"item_id": told.item_id, "output_index": 0}
    match happened:
        case Started() if not told.is_answer:
            return [tell(f"{_CALL}.in_progress", **place), tell(f"{_CALL}.generating", **place)]
        case Partial():
            image = base64.b64encode(happened.image).decode()
            facts = _facts(happened, told.job)
            partial = {"partial_image_b64": image, "partial_image_index": happened.index, **facts}
            return [tell(f"{_CALL}.partial_image", **place, **partial)]
        case Picture():
            return [tell(f"{_CALL}.completed", **place)]
        case Answer():
            place |= {"content_index": 0}
            part, text = told.text_part(), happened.text or ""
            return [
                tell("response.content_part.added", **place, part={**part, "text": ""}),
                tell("response.output_text.delta", **place, delta=text, logprobs=[]),
                tell("response.output_text.done", **place, text=text, logprobs=[]),
                tell("response.content_part.done", **place, part=part),
            ]
        case _:
            return []


def _facts(picture: Partial | Picture, job: Job) -> dict[str, Any]:
    return {
        "size": f"{picture.width}x{picture.height}",
        "output_format": job.task.output.format,
        "quality": "auto",
        "background": "opaque",
    }
