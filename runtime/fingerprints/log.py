"""The log: a line for each picture, appended and never changed. Whoever can read it can test a picture against it.

Four bits a cell do not draw a picture, but somebody with the model can guess much of a small one from them: a log is to
be kept, and deleted, as pictures are.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ..errors import OutputError
from ..files import written_to
from .similarity import Bits

_MAX_SIDE: Final = 4096


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """A picture: painted by the model, or given to it to be edited; `day` is a date, as in 2026-11-30."""

    is_painted: bool
    day: str
    bits: Bits  # (rows, columns)


def append(path: Path, entries: list[Entry]) -> None:
    """Write entries at the end of a log, in their order; the file is the owner's alone."""
    # A power cut may leave half a line: each begins with an end of line, so that it costs no other entry.
    lines = "".join(f"\n{_line(one)}\n" for one in entries)
    with written_to(path):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, lines.encode())
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def read(path: Path) -> list[Entry]:
    """Return the entries of a log, none where there is no file; a line that a power cut left half is left out."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise OutputError(f"{path} cannot be read ({error.strerror}); it is the log of painted pictures.") from error
    return list(_entries(lines))


def _line(entry: Entry) -> str:
    rows, columns = entry.bits.shape
    cells = "".join(f"{bits:x}" for bits in entry.bits.ravel().tolist())
    kind = "painted" if entry.is_painted else "source"
    return json.dumps({"kind": kind, "day": entry.day, "rows": rows, "columns": columns, "cells": cells})


def _entries(lines: list[str]) -> Iterator[Entry]:
    for line in filter(None, lines):
        try:
            told = json.loads(line)
            rows, columns, cells = int(told["rows"]), int(told["columns"]), str(told["cells"])
            if not 0 < rows <= _MAX_SIDE or not 0 < columns <= _MAX_SIDE or len(cells) != rows * columns:
                continue
            bits = np.array([int(cell, 16) for cell in cells], dtype=np.uint8).reshape(rows, columns)
            yield Entry(told["kind"] == "painted", str(told["day"]), bits)
        except (ValueError, KeyError, TypeError):
            continue
