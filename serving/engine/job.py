"""One request on its way: what was asked, what has happened so far, and who waits for the rest."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Literal, TypeAlias

import msgspec

from .journal import Journal
from .messages import (
    CANCELLED,
    Answer,
    Done,
    Event,
    Failed,
    Note,
    PaintedRows,
    Partial,
    Picture,
    Row,
    Started,
    Strip,
    Task,
)
from .random_names import new_name

State: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]


class Job:
    """A task of one client. Its events are numbered in order and stay until the job is forgotten.

    One that another server goes on with has other numbers: strips fall otherwise.
    """

    def __init__(self, task: Task, model: str, client: str, owner: str = "") -> None:
        self.id = new_name(owner)
        self.task = task
        self.model = model
        self.client = client
        self.state: State = "queued"
        self.created = time.time()
        self.queued_at = time.perf_counter()
        self.started_at: float | None = None
        self.finished_at: float | None = None
        self.events: list[Event] = []
        self.end: Done | Failed | None = None
        self.is_counted = False
        self.bundle: str | None = None  # that all of it is painted with
        self.journal: Journal | None = None
        self.first_number = 0
        self.timer: asyncio.TimerHandle | None = None  # of the deadline; a job that is over must not stay for it
        self._seen: set[tuple[object, ...]] = set()
        self._changed = asyncio.Event()

    @property
    def is_over(self) -> bool:
        """Whether nothing more will happen."""
        return self.end is not None

    @property
    def bytes(self) -> int:
        """About how much memory the job holds."""
        pictures = sum(map(len, self.task.pictures))
        return pictures + sum(
            len(one.codes) if isinstance(one, Row) else len(one.image)
            for one in self.events
            if isinstance(one, Partial | Picture | Row | Strip)
        )

    @property
    def pictures(self) -> list[Picture]:
        """The finished pictures."""
        return [event for event in self.events if isinstance(event, Picture)]

    @property
    def started(self) -> Started:
        """What was read when the task was begun."""
        return next(event for event in self.events if isinstance(event, Started))

    @property
    def answer(self) -> Answer:
        """The answer of a finished question."""
        return next(event for event in self.events if isinstance(event, Answer))

    @property
    def notes(self) -> list[str]:
        """What the model had to change or leave out."""
        return [event.text for event in self.events if isinstance(event, Note)]

    @property
    def painted(self) -> PaintedRows:
        """The codes of each picture's rows so far, one row after the other."""
        codes: dict[int, list[bytes]] = {}
        for event in self.events:
            if isinstance(event, Row):
                codes.setdefault(event.picture, []).append(event.codes)
        return tuple(b"".join(codes[picture]) for picture in sorted(codes))

    def wipe(self) -> None:
        """Delete what was painted; the events themselves stay, as somebody may be following them."""
        self.events = [
            msgspec.structs.replace(one, image=b"") if isinstance(one, Partial | Picture | Strip) else one
            for one in self.events
        ]

    def begin(self) -> None:
        """Leave the queue."""
        self.state = "running"
        self.started_at = time.perf_counter()

    def publish(self, event: Event) -> None:
        """Add what happened. A task that is carried out a second time says again what is known, which is left out."""
        if self.is_over:
            return
        if isinstance(event, Done | Failed):
            self.finish(event)
            return
        key = _identity(event)
        if key not in self._seen:
            self._seen.add(key)
            self.events.append(event)
            if self.journal is not None:
                self.journal.note(event)
            self._wake()

    def finish(self, end: Done | Failed) -> None:
        """End the job; the first end counts."""
        if self.is_over:
            return
        self.end = end
        if self.journal is not None:
            self.journal.note(end)
        if self.timer is not None:
            self.timer.cancel()
        self.finished_at = time.perf_counter()
        self.state = "done" if isinstance(end, Done) else "cancelled" if end.kind == CANCELLED else "failed"
        self._wake()

    def fail(self, kind: str, text: str) -> None:
        """End the job without a result."""
        self.finish(Failed(job=self.id, kind=kind, text=text))

    async def follow(self, first: int = 0) -> AsyncIterator[tuple[int, Event]]:
        """Yield the events from number `first` on as they come, and the end as the last."""
        number = first
        while True:
            changed = self._changed
            for event in self.events[number:]:
                yield number, event
                number += 1
            if self.end is not None and number >= len(self.events):
                if number == len(self.events):
                    yield number, self.end
                return
            await changed.wait()

    async def wait(self) -> Done | Failed:
        """Wait for the end and return it."""
        while self.end is None:
            await self._changed.wait()
        return self.end

    async def wait_for_start(self) -> None:
        """Wait until the task was checked and begun, or is over."""
        while not self.events and not self.is_over:
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()


def _identity(event: Event) -> tuple[object, ...]:
    match event:
        case Row():
            return (Row, event.picture, event.row)
        case Strip():  # rows that wait are shown together, so another attempt may cut them differently
            return (Strip, event.picture, event.row + event.count)
        case Partial():
            return (Partial, event.picture, event.index)
        case Picture():
            return (Picture, event.picture)
        case Note():
            return (Note, event.text)
        case Started():
            return (Started,)
        case _:
            return (type(event),)
