"""Signals that end the process, and standard streams that are missing or fail."""

import os
import signal
import sys
from types import FrameType


class Ended(KeyboardInterrupt):
    """A signal asked this process to end: everything is cleaned up as after Ctrl-C."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.code = 128 + number


def prepare() -> None:
    """Fill in missing streams, and turn signals that end the process into exceptions that clean up."""
    for wanted in (0, 1, 2):  # or the next file that is opened would be taken for the missing stream
        try:
            os.fstat(wanted)
        except OSError:
            os.open(os.devnull, os.O_RDONLY if wanted == 0 else os.O_WRONLY)
    sys.stdin = sys.stdin or open(0, closefd=False)  # noqa: SIM115
    sys.stdout = sys.stdout or open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.stderr or open(2, "w", closefd=False)  # noqa: SIM115
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:  # nohup ignores SIGHUP
            signal.signal(number, _end)


def _end(number: int, _: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # cleaning up is not interrupted by the same signal
    raise Ended(number)


def give_up_streams() -> None:
    """Let nothing more be written to streams that fail, so that ending the process is quiet."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
    except OSError:  # not one file more may be opened
        return
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
