"""One command called in this process: what it returned and printed, and what it left on the disk."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple


class Ran(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ran]


def files() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


def fails(ran: Ran, pattern: str, code: int = 1) -> None:
    """Assert one clear line on the error stream, nothing printed, no traceback."""
    assert ran.code == code, ran
    assert ran.out == ""
    lines = [line for line in ran.err.splitlines() if not line.startswith("note: ")]
    assert len(lines) == 1, ran.err
    assert lines[0].startswith("edgevlo: ")
    assert re.search(pattern, lines[0]), lines[0]
