"""The worker process: `python -m edgevlo.serving.worker BUNDLE`, messages in on standard input, out on standard output.

One thread reads messages, one sends a sign of life, and as many as pictures may be painted at once carry out tasks.
The process ends when its input does, so no worker outlives its server.
"""

import os
import queue
import sys
import threading
from pathlib import Path
from typing import BinaryIO

from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.memory.refuse import check_opening
from edgevlo.runtime.model import Model

from ..engine.messages import LENGTH, MAX_FRAME, Cancel, Failed, Message, Opened, Pulse, Run, frame, to_worker
from ..garbage import Garbage, leave_out_what_is_there
from .interrupt import Interrupts
from .tasks import carry_out

_PULSE_S = 0.5


class Worker:
    """An opened model, the tasks that wait for it, and the pipe that says what became of them."""

    def __init__(self, model: Model, interrupts: Interrupts, out: BinaryIO) -> None:
        self._model = model
        self._interrupts = interrupts
        self._out = out
        self._out_lock = threading.Lock()
        self._tasks: queue.SimpleQueue[Run] = queue.SimpleQueue()

    def serve(self, source: BinaryIO, threads: int) -> None:
        """Carry out what is asked for until the source ends."""
        self.send(Opened(bundle=self._model.bundle.digest))
        leave_out_what_is_there()
        for target in (self._pulse, *[self._work] * threads):
            threading.Thread(target=target, daemon=True).start()
        while message := _read(source):
            if isinstance(message, Cancel):
                self._interrupts.cancel(message.job)
            else:
                self._interrupts.accept(message.job)
                self._tasks.put(message)

    def send(self, message: Message) -> None:
        """Send a message; a server that is gone ends the process."""
        try:
            with self._out_lock:
                self._out.write(frame(message))
                self._out.flush()
        except OSError:
            os._exit(1)

    def _work(self) -> None:
        garbage = Garbage()
        while True:
            run = self._tasks.get()
            self._interrupts.begin(run.job)
            try:
                for event in carry_out(self._model, run):
                    self.send(event)
            except Exception as error:  # a bug: the client is told that much, its log has the rest
                sys.excepthook(type(error), error, error.__traceback__)
                self.send(Failed(job=run.job, kind="InternalError", text="something went wrong in the model's process"))
            self._interrupts.end()
            garbage.collect_if_due()

    def _pulse(self) -> None:
        beat = threading.Event()
        while not beat.wait(_PULSE_S):
            self.send(Pulse(runs=self._interrupts.runs, resident=_resident()))


def _read(source: BinaryIO) -> Run | Cancel | None:
    """Return the next message, None at the end."""
    head = source.read(LENGTH.size)
    if len(head) < LENGTH.size:
        return None
    (length,) = LENGTH.unpack(head)
    return to_worker.decode(source.read(length)) if length <= MAX_FRAME else None


def _resident() -> int:
    """Return the process's resident bytes, 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def opened(folder: Path, interrupts: Interrupts) -> Model:
    """Open a bundle and run its painting graphs once, so that the first client does not wait for them."""
    bundle = open_bundle(folder)
    check_opening(bundle)
    model = Model(bundle, Engine(bundle, interrupts.open))
    if "paint" in model.manifest.abilities:
        first_row = next(model.paint_rows(".", seed=0))
        model.decode(first_row.codes)
    return model


def main() -> int:
    """Open the bundle, say so, and serve; an error of the bundle is one message and exit code 1."""
    folder, threads = Path(sys.argv[1]), int(sys.argv[2])
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints must not get between the messages
    interrupts = Interrupts()
    try:
        worker = Worker(opened(folder, interrupts), interrupts, out)
    except EdgevloError as error:
        out.write(frame(Failed(job="", kind=type(error).__name__, text=str(error))))
        out.flush()
        return 1
    worker.serve(sys.stdin.buffer, threads)
    return 0


if __name__ == "__main__":
    os._exit(main())  # threads that still run a graph are not waited for
