"""The engine: takes tasks, keeps them in a fair and bounded queue, and has them carried out by workers.

A task whose worker is killed is carried out once more, after the rows that are known; its seed was fixed when it was
taken, so the picture is the one that it would have been. Knows no HTTP.
"""

import asyncio
import secrets
import time
from collections import OrderedDict
from collections.abc import Coroutine
from typing import Any

import msgspec

from ..garbage import Garbage
from ..limits import EngineLimits
from .errors import ClosingError, EngineError, ModelUnavailableError, QueueFullError, WorkerLostError
from .job import Job
from .journal import Begun, Journals, Painting
from .messages import CANCELLED, CLOSING, Event, Row, Run, Task
from .metrics import Metrics
from .models import Models
from .queue import FairQueue, NoPlaceError
from .resumed_job import taken_up
from .sessions import Sessions

_ATTEMPTS = 2
SEEDS = 2**32
_TICK_S = 1.0
_PAINTS = frozenset({"paint", "edit"})


class Engine:
    """One queue in front of all models; `owner` stands in the names that it gives, where there are other engines."""

    def __init__(
        self,
        models: Models,
        limits: EngineLimits,
        metrics: Metrics | None = None,
        journals: Journals | None = None,
        owner: str = "",
    ) -> None:
        self.models = models
        self.sessions = Sessions(limits.dialogue, self.forget, owner)
        self._owner = owner
        self._journals = journals
        self.limits = limits
        self.metrics = metrics or Metrics()
        self.running: dict[str, Job] = {}
        self.is_warm = False
        self._queue: FairQueue[Job] = FairQueue(limits.queue, limits.queue_each)
        self._kept: OrderedDict[str, Job] = OrderedDict()
        self._work = asyncio.Event()
        self._slots = asyncio.Semaphore(limits.parallel)
        self._garbage = Garbage()
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
        """Begin to work, and open the default model; paintings that another server left come first."""
        self.take_up()
        for work in (self._warm(), self._dispatch(), self._tick()):
            self._spawn(work)

    async def close(self) -> None:
        """Stop: what waits is refused, what runs is cancelled, and every worker ends."""
        self._closing = True
        while len(self._queue):
            self._queue.pop().fail(CLOSING, "the server is stopping; ask again later.")
        for job in list(self.running.values()):
            job.fail(CLOSING, "the server is stopping; ask again later.")
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for job in self._kept.values():
            if job.journal is not None:
                job.journal.close()
        await self.models.close()

    def submit(
        self,
        task: Task,
        *,
        model: str | None,
        client: str,
        deadline_s: float | None = None,
        keep: bool = False,
        survives: bool = False,
    ) -> Job:
        """Put a task into the queue; `keep` it for a while when it is over.

        With a journal one that `survives` the server is written down, too, and the next server goes on with it.

        Raises `UnknownModelError`, `QueueFullError` or `ClosingError`.
        """
        served = self.models.find(model)
        if self._closing:
            raise ClosingError("the server is stopping; ask again later.")
        job = Job(with_seed(task, secrets.randbelow(SEEDS)), served.name, client, self._owner)
        try:
            waiting = sum(one.bytes for one in self._queue)
            if waiting and job.bytes and waiting + job.bytes > self.limits.queue_bytes:
                raise NoPlaceError
            self._queue.push(client, job)
        except NoPlaceError as error:
            self.metrics.refused.add()
            raise QueueFullError("too many requests are waiting; try again later.", self._retry_after_s()) from error
        self._time(job, self.limits.deadline_s if deadline_s is None else min(deadline_s, self.limits.deadline_s))
        if keep:
            self._keep(job)
        if survives and self._journals is not None:
            begun = Begun(id=job.id, model=job.model, created=job.created, task=job.task)
            job.journal = self._journals.begin(begun)
        self._work.set()
        return job

    async def settle(self, job: Job) -> None:
        """Wait until a job that survives is on the disk."""
        if job.journal is not None and not job.journal.is_synced:
            await asyncio.to_thread(job.journal.sync)

    def find(self, job: str) -> Job | None:
        """Return a job that is kept."""
        return self._kept.get(job)

    def is_somewhere(self, name: str) -> bool:
        """Return whether a painting is kept here, or written down by an engine that may not be reached yet."""
        return name in self._kept or (self._journals is not None and self._journals.has(name))

    def take_up(self, name: str | None = None) -> None:
        """Go on with the paintings that other engines left, or with one: finished ones are kept, others wait."""
        left = () if self._journals is None else self._journals.left(name)
        found = [taken_up(*one) for one in left]
        for job in sorted((one for one in found if one is not None), key=lambda one: one.created):
            self._keep(job)
            if job.is_over:
                continue
            if job.model not in self.models.served:
                job.fail("Unavailable", f"the model {job.model} is not served any more.")
                continue
            self._queue.push(job.client, job, taken=True)
            self._time(job, self.limits.deadline_s)
            self.metrics.log.info("taken_up", job=job.id, model=job.model, rows=sum(map(len, job.painted)) // 4)
        self._work.set()

    def ahead_of(self, job: Job) -> int:
        """Return how many jobs are carried out before one that waits."""
        return len(self.running) + self._queue.ahead_of(job.client, job) if job.state == "queued" else 0

    def forget(self, job: Job) -> None:
        """Delete a job and everything that it made; cancel it first if it goes on."""
        self.cancel(job)
        self._drop(job)
        job.wipe()

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

    def _time(self, job: Job, seconds: float) -> None:
        job.timer = asyncio.get_running_loop().call_later(seconds, self._expire, job)

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
                self._bind(job, worker.bundle)
                await worker.run(Run(job=job.id, task=job.task, painted=job.painted), deliver)
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

    def _bind(self, job: Job, bundle: str) -> None:
        """Note with which bundle a job is painted; raise when its first rows were painted with another."""
        if job.journal is not None:
            job.journal.write(Painting(bundle=bundle))
        if job.bundle not in (None, bundle):
            raise ModelUnavailableError("BundleChanged", f"{job.model} was changed since this was begun; ask again.")
        job.bundle = bundle

    async def _tick(self) -> None:
        """Close idle models, forget old results, put journals on the disk and free garbage, once a second."""
        while True:
            await asyncio.sleep(_TICK_S)
            await self.models.close_idle(time.monotonic())
            self._forget_old()
            self.sessions.end_unused()
            self._garbage.collect_if_due()
            for job in list(self._kept.values()):
                await self.settle(job)

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
                self._drop(job)

    def _drop(self, job: Job) -> None:
        """Forget a job, on the disk as well."""
        self._kept.pop(job.id, None)
        if job.journal is not None:
            job.journal.delete()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _cancel(asked: Coroutine[Any, Any, None]) -> None:
    try:
        await asked
    except EngineError:  # the worker has ended, and with it the job
        return


def with_seed(task: Task, seed: int) -> Task:
    """Return a task that gives the same result whenever it is carried out; one that has a seed keeps it."""
    draws = task.ability in _PAINTS or "temperature" in task.options
    if not draws or "seed" in task.options:
        return task
    return msgspec.structs.replace(task, options={**task.options, "seed": seed})
