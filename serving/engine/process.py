"""One worker process: started, spoken to, watched and ended. Knows neither the queue nor what tasks mean."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

from edgevlo.runtime.child_process import command, environment

from .errors import ModelUnavailableError, WorkerLostError
from .messages import (
    LENGTH,
    MAX_FRAME,
    Cancel,
    Done,
    Event,
    Failed,
    FromWorker,
    Message,
    Opened,
    Pulse,
    Run,
    frame,
    from_worker,
)

Deliver: TypeAlias = Callable[[Event], None]

_STOP_S: Final = 5.0  # from being asked to end to being killed


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds after which a worker counts as stuck."""

    open_s: float = 900.0  # reading and hashing a large bundle from a slow disk
    silence_s: float = 10.0  # without a sign of life
    stall_s: float = 120.0  # alive, but no graph has finished


class WorkerProcess:
    """A process that has one model open."""

    def __init__(self, folder: Path, *, threads: int, patience: Patience) -> None:
        self._folder = folder
        self._threads = threads
        self._patience = patience
        self._process: asyncio.subprocess.Process | None = None
        self._jobs: dict[str, tuple[Deliver, asyncio.Future[None]]] = {}
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._ended = False
        self.bundle = ""
        self._runs = 0
        self._heard_at = self._ran_at = time.monotonic()
        self.resident = 0

    @property
    def alive(self) -> bool:
        """Whether the process is open and takes tasks."""
        return self._opened.done() and self._opened.exception() is None and not self._ended

    @property
    def busy(self) -> bool:
        """Whether it works on a task."""
        return bool(self._jobs)

    @property
    def pid(self) -> int | None:
        """The process's number."""
        return None if self._process is None else self._process.pid

    async def start(self) -> None:
        """Start the process and wait until the model is open; raise `ModelUnavailableError` if it cannot be."""
        worker = command("edgevlo.serving.worker", str(self._folder), str(self._threads))
        pipe = asyncio.subprocess.PIPE
        # A session of its own: Ctrl-C is for the server, which ends its workers when their work is done.
        self._process = await asyncio.create_subprocess_exec(
            *worker, env=environment(), stdin=pipe, stdout=pipe, start_new_session=True
        )
        self._listening = asyncio.create_task(self._listen())
        self._watching = asyncio.create_task(self._watch())
        try:
            async with asyncio.timeout(self._patience.open_s):
                await asyncio.shield(self._opened)
        except TimeoutError as error:
            await self.stop()
            raise ModelUnavailableError("Timeout", f"opening {self._folder.name} took too long.") from error
        except BaseException:  # refused, or nobody waits for it any more
            await self.stop()
            raise

    async def run(self, run: Run, deliver: Deliver) -> None:
        """Carry out a task to its end; raise `WorkerLostError` if the process ends before."""
        over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self.alive:
            raise WorkerLostError("the worker has ended")
        if not self._jobs:
            self._ran_at = time.monotonic()
        self._jobs[run.job] = (deliver, over)
        try:
            await self._send(run)
            await over
        finally:
            self._jobs.pop(run.job, None)

    async def cancel(self, job: str) -> None:
        """Stop a task before its next graph runs."""
        if job in self._jobs:
            await self._send(Cancel(job=job))

    async def stop(self) -> None:
        """End the process: by closing its input, and by force if that does not end it."""
        process, self._ended = self._process, True
        if process is None:
            return
        if process.stdin is not None:
            process.stdin.close()
        if not self._opened.done():  # it opens the model and does not look at its input
            self.kill()
        try:
            async with asyncio.timeout(_STOP_S):
                await process.wait()
        except TimeoutError:
            self.kill()
            await process.wait()
        self._watching.cancel()
        await asyncio.gather(self._listening, self._watching, return_exceptions=True)

    def kill(self) -> None:
        """End the process at once."""
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()

    async def _send(self, message: Message) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(frame(message))
            await self._process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:  # RuntimeError: the pipe's transport is closed
            raise WorkerLostError("the worker has ended") from error

    async def _listen(self) -> None:
        """Deliver what the process says until it ends."""
        assert self._process is not None
        assert self._process.stdout is not None
        try:
            while True:
                (length,) = LENGTH.unpack(await self._process.stdout.readexactly(LENGTH.size))
                if length > MAX_FRAME:
                    break
                self._heard_at = time.monotonic()
                self._take(from_worker.decode(await self._process.stdout.readexactly(length)))
        except asyncio.IncompleteReadError:
            pass
        finally:
            self._ended = True
            self.kill()
            self._lose("the worker ended unexpectedly")

    def _take(self, message: FromWorker) -> None:
        match message:
            case Opened():
                self.bundle = message.bundle
                self._opened.set_result(None)
            case Pulse():
                self.resident = message.resident
                self._note_runs(message.runs)
            case Failed(job=""):
                self._opened.set_exception(ModelUnavailableError(message.kind, message.text))
            case _:
                self._deliver(message)

    def _deliver(self, event: Event) -> None:
        deliver, over = self._jobs.get(event.job, (None, None))
        if deliver is not None and over is not None:
            deliver(event)
            if isinstance(event, Done | Failed) and not over.done():
                over.set_result(None)

    def _note_runs(self, runs: int) -> None:
        if runs != self._runs:
            self._runs, self._ran_at = runs, time.monotonic()

    def _lose(self, why: str) -> None:
        """Tell everyone who waits that nothing more will come."""
        for _, over in self._jobs.values():
            if not over.done():
                over.set_exception(WorkerLostError(why))
        if not self._opened.done():
            self._opened.set_exception(ModelUnavailableError("WorkerLost", f"{self._folder.name}: {why}."))
            self._opened.exception()  # read, or asyncio would report it when nobody waits any more

    async def _watch(self) -> None:
        """Kill the process when it is stuck; `_listen` notices that it has ended."""
        await asyncio.wait([self._opened])
        while not self._ended:
            await asyncio.sleep(min(1.0, self._patience.stall_s / 4))
            now = time.monotonic()
            silent = now - self._heard_at > self._patience.silence_s
            stalled = self.busy and now - self._ran_at > self._patience.stall_s
            if silent or stalled:
                self.kill()
                return
