"""Paintings on disk: what was asked for and what has happened, so that another server goes on where this one ended.

A file for each painting that is kept, under its name: its request, then its events as they come, strips left out, which
are made anew. A file is deleted with its painting. Nobody but the server's own user reads it.
"""

import contextlib
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.journal.records import HeldError, Records

from ..log import Log
from .messages import CLOSING, Answer, Done, Event, Failed, Message, Note, Partial, Picture, Row, Started, Strip, Task

_SUFFIX: Final = ".journal"


class Begun(Message, frozen=True, kw_only=True):
    """The first record: the painting as it was taken."""

    id: str
    model: str
    created: float
    task: Task


class Painting(Message, frozen=True, kw_only=True):
    """A worker begins, or goes on: the SHA-256 of the bundle with which all of it is painted."""

    bundle: str


class Resumed(Message, frozen=True, kw_only=True):
    """Another server has taken it up."""


Entry: TypeAlias = Begun | Painting | Resumed | Started | Row | Picture | Note | Done

_encoder: Final = msgspec.msgpack.Encoder()
_entry: Final = msgspec.msgpack.Decoder(Entry)


class Journal:
    """The file of one painting."""

    def __init__(self, records: Records, log: Log) -> None:
        self._log = log
        self._lock = threading.Lock()  # files are put on the disk by another thread
        self._records: Records | None = records
        self.is_synced = False

    @property
    def age_s(self) -> float:
        """Seconds since something was written into the file."""
        return 0.0 if self._records is None else max(0.0, time.time() - self._records.path.stat().st_mtime)

    def write(self, entry: Entry) -> None:
        """Add an entry; without a place for it the painting goes on, and would not survive this server."""
        if self._records is None:
            return
        try:
            self._records.append(_encoder.encode(entry))
            self.is_synced = False
        except OutputError as error:
            self._log.error("journal_lost", reason=str(error))
            self.delete()

    def note(self, event: Event) -> None:
        """Add what happened to the painting; delete the file of one that failed, unless the server only stops."""
        match event:
            case Failed():
                self.close() if event.kind == CLOSING else self.delete()
            case Strip() | Partial() | Answer():
                pass
            case _:
                self.write(event)

    def sync(self) -> None:
        """Wait until everything is on the disk; on any thread."""
        with self._lock:
            if self._records is not None and not self.is_synced:
                self.is_synced = True  # what is written from now on waits for the next time
                with contextlib.suppress(OutputError):
                    self._records.sync()

    def close(self) -> None:
        """Leave the file to the next server."""
        with self._lock:
            if self._records is not None:
                self._records.close()
            self._records = None

    def delete(self) -> None:
        """Delete the file."""
        with self._lock:
            if self._records is not None:
                self._records.delete()
            self._records = None


class Journals:
    """The folder of a server's journals."""

    def __init__(self, folder: Path, log: Log) -> None:
        self._folder = folder
        self._log = log
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"{folder} cannot be made ({error.strerror}); choose another --journal.") from error

    def begin(self, begun: Begun) -> Journal | None:
        """Return the journal of a new painting; None where the disk has no place for it, which the log says."""
        try:
            journal = Journal(Records(self._folder / (begun.id + _SUFFIX)), self._log)
        except OutputError as error:
            self._log.error("journal_lost", reason=str(error))
            return None
        journal.write(begun)
        return journal

    def has(self, name: str) -> bool:
        """Return whether a painting has a journal, whoever writes it."""
        return bool(self._files(name))

    def left(self, name: str | None = None) -> Iterator[tuple[Journal, list[Entry]]]:
        """Yield the journals that other servers left, or that of one painting, and what stands in them.

        Those still being written are theirs.
        """
        for path in self._files(name):
            try:
                records = Records(path)
            except HeldError:
                continue
            except OutputError as error:
                self._log.error("journal_skipped", reason=str(error))
                continue
            journal = Journal(records, self._log)
            try:
                entries = [_entry.decode(record) for record in records.found]
            except msgspec.MsgspecError as error:
                self._log.error("journal_skipped", reason=f"{path.name}: {error}")
                journal.close()
                continue
            if entries:
                yield journal, entries
            else:
                journal.delete()  # its server ended before it said anything

    def _files(self, name: str | None) -> list[Path]:
        """Return the files, or that of one painting; a name from outside is only compared, and never a path."""
        files = sorted(self._folder.glob(f"*{_SUFFIX}"))
        return files if name is None else [path for path in files if path.name == name + _SUFFIX]
