"""Python's garbage: objects that refer to each other in a circle, looked for once a minute.

By itself Python looks through all objects only when a quarter of them are new. Every connection leaves a kilobyte in a
circle (asyncio's transport keeps a method of its own), so a server of little traffic would hold hours of them, and
look as if it leaked. What is there from the beginning is left out, so that a search takes about a millisecond.
"""

import ctypes
import gc
import time
from collections.abc import Callable
from typing import Final

_EVERY_S: Final = 60.0


def leave_out_what_is_there() -> None:
    """Never look through the objects that there are now; for the beginning of a process."""
    gc.collect()
    gc.freeze()


class Garbage:
    """Looks for garbage whenever it is asked and a minute has passed, and gives freed memory back to the system."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()

    def collect_if_due(self) -> None:
        """Free it, which also empties Python's lists of freed objects."""
        if self._clock() - self._last >= _EVERY_S:
            self._last = self._clock()
            gc.collect()
            _trim()


def _trim() -> None:
    """Give back what glibc keeps: of large requests it keeps all that lies below what is still in use."""
    try:
        ctypes.CDLL(None).malloc_trim(0)
    except (OSError, AttributeError, TypeError):  # no glibc
        return
