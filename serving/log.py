"""Structured logs: one JSON object a line on the error stream. No prompt, no picture and no key is ever among them."""

import json
import sys
import time
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
