"""Structured logs: one JSON object a line on the error stream. No prompt, no picture and no key is ever among them."""

import json
import logging
import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO


class Log:
    """Writes what happened and a few facts about it."""

    def __init__(self, stream: TextIO | None = None, *, quiet: bool = False) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._quiet = quiet

    def info(self, event: str, **facts: object) -> None:
        """Write what is as it should be; nothing if the log is quiet."""
        if not self._quiet:
            self._write("info", event, facts)

    def error(self, event: str, **facts: object) -> None:
        """Write what somebody should look at."""
        self._write("error", event, facts)

    def _write(self, level: str, event: str, facts: dict[str, object]) -> None:
        line = {"time": round(time.time(), 3), "level": level, "event": event, **facts}
        self._stream.write(json.dumps(line, ensure_ascii=False) + "\n")
        self._stream.flush()


class LibraryLines(logging.Handler):
    """Writes what libraries log as lines of the same form; their warnings are of requests that are refused anyway."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write one; a log that cannot be written ends no thread of a library."""
        write = self._log.error if record.levelno >= logging.ERROR else self._log.info
        facts = {"traceback": "".join(traceback.format_exception(record.exc_info[1]))} if record.exc_info else {}
        try:
            write("library", source=record.name, message=record.getMessage(), **facts)
        except Exception:
            self.handleError(record)


@contextmanager
def library_lines(log: Log) -> Iterator[None]:
    """Have the lines of libraries written to a log meanwhile."""
    handler, root = LibraryLines(log), logging.getLogger()
    root.addHandler(handler)
    try:
        yield
    finally:
        root.removeHandler(handler)
