"""The engine: takes tasks, keeps them in a fair and bounded queue, and has them carried out by workers.

A task whose worker is killed is carried out once more from the start; its seed was fixed when it was taken, so the
client sees the same picture go on. Knows no HTTP.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any

import msgspec

from .errors import ClosingError, EngineError, ModelUnavailableError, QueueFullError, WorkerLostError
from .job import CANCELLED, Job
from .messages import Event, Row, Task
from .metrics import Metrics
from .models import Models
from .queue import FairQueue, NoPlaceError

_ATTEMPTS = 2
_SEEDS = 2**32
_TICK_S = 1.0
_PAINTS = frozenset({"paint", "edit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the engine takes at most, and how long it keeps what it made."""

    queue: int = 64
    queue_each: int = 32
    deadline_s: float = 600.0
    parallel: int = 1
    keep_s: float = 600.0
    keep_jobs: int = 200
    keep_bytes: int = 128 * 2**20


class Engine:
    """One queue in front of all models."""

    def __init__(self, models: Models, limits: Limits, metrics: Metrics | None = None) -> None:
        self.models = models
        self.limits = limits
        self.metrics = metrics or Metrics()
        self.running: dict[str, Job] = {}
        self.is_warm = False
        self._queue: FairQueue[Job] = FairQueue(limits.queue, limits.queue_each)
        self._kept: OrderedDict[str, Job] = OrderedDict()
        self._work = asyncio.Event()
        self._slots = asyncio.Semaphore(limits.parallel)
        self._closing = False
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def waiting(self) -> int:
        """How many jobs are in the queue."""
        return len(self._queue)

    @property
    def is_ready(self) -> bool:
        """Whether the default model was opened and nothing is being stopped."""
        return self.is_warm and not self._closing

    def start(self) -> None:
        """Begin to work, and open the default model."""
        for work in (self._warm(), self._dispatch(), self._tick()):
            self._spawn(work)

    async def close(self) -> None:
        """Stop: what waits is refused, what runs is cancelled, and every worker ends."""
        self._closing = True
        while len(self._queue):
            self._queue.pop().fail("Closing", "the server is stopping; ask again later.")
        for job in list(self.running.values()):
            job.fail("Closing", "the server is stopping; ask again later.")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.models.close()

    def submit(
        self, task: Task, *, model: str | None, client: str, deadline_s: float | None = None, keep: bool = False
    ) -> Job:
        """Put a task into the queue; `keep` it for a while when it is over.

        Raises `UnknownModelError`, `QueueFullError` or `ClosingError`.
        """
        served = self.models.find(model)
        if self._closing:
            raise ClosingError("the server is stopping; ask again later.")
        job = Job(_with_seed(task), served.name, client)
        try:
            self._queue.push(client, job)
        except NoPlaceError as error:
            self.metrics.refused.add()
            raise QueueFullError("too many requests are waiting; try again later.", self._retry_after_s()) from error
        seconds = self.limits.deadline_s if deadline_s is None else min(deadline_s, self.limits.deadline_s)
        job.timer = asyncio.get_running_loop().call_later(seconds, self._expire, job)
        if keep:
            self._keep(job)
        self._work.set()
        return job

    def find(self, job: str) -> Job | None:
        """Return a job that is kept."""
        return self._kept.get(job)

    def ahead_of(self, job: Job) -> int:
        """Return how many jobs are carried out before one that waits."""
        return len(self.running) + self._queue.ahead_of(job.client, job) if job.state == "queued" else 0

    def forget(self, job: Job) -> None:
        """Delete a job and everything that it made; cancel it first if it goes on."""
        self.cancel(job)
        self._kept.pop(job.id, None)

    def cancel(self, job: Job, kind: str = CANCELLED, text: str = "the request was cancelled") -> None:
        """End a job: it leaves the queue, or its worker stops before the next graph runs."""
        if job.is_over:
            return
        self._queue.remove(job.client, job)
        job.fail(kind, text)
        self.metrics.finished(job)
        worker = self.models.served[job.model].worker
        if job.id in self.running and worker is not None:
            self._spawn(_cancel(worker.cancel(job.id)))

    def _expire(self, job: Job) -> None:
        self.cancel(
            job, "Timeout", "the request was not finished before its deadline; ask for less or try again later."
        )

    def _retry_after_s(self) -> int:
        """Return in about how many seconds a place will be free."""
        each = self.metrics.seconds_each()
        return max(1, min(60, round(each * self.limits.queue / self.limits.parallel / 4)))

    async def _warm(self) -> None:
        """Open the default model, so that the first client does not wait for it."""
        try:
            await self.models.ready(self.models.default)
            self.is_warm = True
        except ModelUnavailableError as error:
            self.metrics.log.error("model_unavailable", model=self.models.default, reason=str(error))

    async def _dispatch(self) -> None:
        while True:
            await self._slots.acquire()
            while not len(self._queue):
                self._work.clear()
                await self._work.wait()
            job = self._queue.pop()
            self.running[job.id] = job
            self._spawn(self._carry_out(job))

    async def _carry_out(self, job: Job) -> None:
        job.begin()
        try:
            await self._attempt(job)
        finally:
            del self.running[job.id]
            self._slots.release()
        self.metrics.finished(job)

    async def _attempt(self, job: Job) -> None:
        def deliver(event: Event) -> None:
            if isinstance(event, Row):
                self.metrics.row(job, time.perf_counter())
            job.publish(event)

        for _ in range(_ATTEMPTS):
            try:
                worker = await self.models.ready(job.model)
                self.is_warm = True
                if job.is_over:
                    return
                await worker.run(job.id, job.task, deliver)
                return
            except WorkerLostError:
                self.metrics.lost.add()
                self.metrics.log.error("worker_lost", job=job.id, model=job.model)
            except ModelUnavailableError as error:
                job.fail(error.kind, str(error))
                return
            if job.is_over:
                return
        job.fail("WorkerLost", "the model's process ended twice while it worked on this; it is not tried again.")

    async def _tick(self) -> None:
        """Close idle models and forget old results, once a second."""
        while True:
            await asyncio.sleep(_TICK_S)
            await self.models.close_idle(time.monotonic())
            self._forget_old()

    def _keep(self, job: Job) -> None:
        self._kept[job.id] = job
        self._forget_old()

    def _forget_old(self) -> None:
        """Forget finished jobs that are too old, or too many, the oldest first."""
        now = time.perf_counter()
        held = sum(job.bytes for job in self._kept.values())
        for job in list(self._kept.values()):
            if job.finished_at is None:
                continue
            too_old = now - job.finished_at > self.limits.keep_s
            if too_old or len(self._kept) > self.limits.keep_jobs or held > self.limits.keep_bytes:
                held -= job.bytes
                del self._kept[job.id]

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _cancel(asked: Coroutine[Any, Any, None]) -> None:
    try:
        await asked
    except EngineError:  # the worker has ended, and with it the job
        return


def _with_seed(task: Task) -> Task:
    """Return a task that gives the same result whenever it is carried out."""
    if task.ability not in _PAINTS or "seed" in task.options:
        return task
    return msgspec.structs.replace(task, options={**task.options, "seed": secrets.randbelow(_SEEDS)})
