"""The journal of one picture: which request it is of, and its rows. Beside the picture until that is written.

A row is written as soon as it is finished, so that a kill takes none; it is put on the disk half a second later at the
most, so that a power cut takes half a second of painting.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from ..arrays import Codes
from ..bundle import Bundle
from ..errors import RequestError
from ..generate.stroke import Stroke, Strokes
from .records import Records

_SYNC_S: Final = 0.5


class _Begun(msgspec.Struct, frozen=True, kw_only=True):
    """The first record: what is painted, and with which bundle."""

    model: str
    bundle: str  # SHA-256 of its manifest
    request: str  # `Strokes.digest`
    seed: int


class Resumed(Iterator[Stroke]):
    """A picture that goes on where its journal ends: rows that are there come first, the others are written down."""

    def __init__(self, records: Records, bundle: Bundle, start: Callable[[int | None], Strokes]) -> None:
        self._records = records
        self._synced_at = time.monotonic()
        begun = _begun(records)
        if begun is not None and begun.bundle != bundle.digest:
            raise RequestError(
                f"{records.path} was begun with another bundle ({begun.model}, {begun.bundle[:10]}; this one is "
                f"{bundle.digest[:10]}); use that one, or delete the file to begin anew."
            )
        strokes = start(None if begun is None else begun.seed)
        request = strokes.digest
        if begun is None:
            name = bundle.manifest.name
            begun = _Begun(model=name, bundle=bundle.digest, request=request, seed=strokes.seed)
            records.append(msgspec.json.encode(begun))
        elif begun.request != request:
            raise RequestError(
                f"{records.path} was begun by another request; repeat its words and options, or delete the file to "
                "begin anew."
            )
        rows = records.found[1:]
        self.rows_known = len(rows)
        self._strokes = strokes.after(_grid(rows, strokes.columns)) if rows else strokes

    def __next__(self) -> Stroke:
        """Return the picture after another row."""
        stroke = next(self._strokes)
        if stroke.rows_done > self.rows_known:
            self._records.append(stroke.codes[-1].astype("<i4").tobytes())
            if time.monotonic() - self._synced_at > _SYNC_S:
                self._records.sync()
                self._synced_at = time.monotonic()
        return stroke


@contextmanager
def resumed(path: Path, bundle: Bundle, start: Callable[[int | None], Strokes]) -> Iterator[Resumed]:
    """Give a picture that goes on after the rows in the journal at `path`, which is deleted when the block is done.

    `start` begins the picture with a seed: that of the journal where there is one. What ends the block early, an error
    or Ctrl-C, leaves the journal. Raises `RequestError` when it is of another bundle or request.
    """
    records = Records(path)
    keep = bool(records.found)
    try:
        strokes = Resumed(records, bundle, start)
        keep = True
        yield strokes
        keep = False
    finally:
        if keep:
            records.close()
        else:
            records.delete()


def _begun(records: Records) -> _Begun | None:
    if not records.found:
        return None
    try:
        return msgspec.json.decode(records.found[0], type=_Begun)
    except msgspec.MsgspecError as error:
        raise RequestError(f"{records.path} is not the journal of a picture; choose another name.") from error


def _grid(rows: list[bytes], columns: int) -> Codes:
    return np.frombuffer(b"".join(rows), dtype="<i4").astype(np.int32).reshape(len(rows), columns)
