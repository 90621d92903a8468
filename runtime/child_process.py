"""Child processes that run a module of this package."""

import ctypes
import os
import runpy
import select
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

_PR_SET_PDEATHSIG: Final = 1


def command(module: str, *arguments: str) -> list[str]:
    """Return the command for a module, in a process that ends with this one if that holds its standard input open.

    The working folder is kept off its import path (`-P`): a bundle may lie there, with a `numpy.py` in it.
    """
    return [sys.executable, "-P", "-m", __name__, module, *arguments]


def environment() -> dict[str, str]:
    """Return the environment for such a command: this process's, with what of its import path is not relative."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}


@contextmanager
def pipe_of_parent() -> Iterator[int]:
    """Give a child's standard input: nothing is written to it, and it is closed at the end, or with this process."""
    reading, writing = os.pipe()
    try:
        yield reading
    finally:
        os.close(writing)
        os.close(reading)


def end_with_parent(descriptor: int = 0) -> None:
    """End this process as soon as the other end of `descriptor`, a pipe or socket, is closed, by SIGKILL too.

    The parent keeps that end open. Nothing is read, so the pipe may carry messages. On Linux the system also ends this
    process itself: native code may keep Python's threads from running.
    """
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    watched = select.poll()
    watched.register(descriptor, 0)  # that it is closed is always reported

    def watch() -> None:
        watched.poll()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()  # a parent that ended before now is noticed at once


if __name__ == "__main__":
    end_with_parent()  # before the module is imported, which takes a second
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
