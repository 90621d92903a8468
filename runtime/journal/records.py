"""A file of records that grows; each is there whole or not at all. Knows nothing of what they say.

    edgevlo-journal/1\\n | length, CRC-32 | record | length, CRC-32 | record ...

A kill or a power cut tears at most what was written last. Reading ends before the first record that is torn, and
writing goes on from there.
"""

import errno
import fcntl
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..errors import OutputError
from ..files import sync, written_to

_MAGIC: Final = b"edgevlo-journal/1\n"
_HEAD: Final = struct.Struct("<II")
_START: Final = 1  # of checksums: with 0 the zeros that a power cut leaves would be records without content


class HeldError(OutputError):
    """Another process writes the file."""


class Records:
    """An opened file of records, of which no other process has hold: those that it has, and those that are added."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._is_named = False
        with written_to(path):
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                self._claim()
                content = path.read_bytes()
                if not content.startswith(_MAGIC[: len(content)]):
                    raise OutputError(f"{path} is not a journal; move it away, or choose another name.")
                self.found = list(_whole(content))
                end = len(_MAGIC) + sum(_HEAD.size + len(record) for record in self.found)
                os.ftruncate(self._file, end if self.found else 0)
                os.lseek(self._file, 0, os.SEEK_END)
                if not self.found:
                    self._write(_MAGIC)
            except BaseException:
                os.close(self._file)
                raise

    def append(self, record: bytes) -> None:
        """Add a record: from now on a kill of this process leaves it there, and after `sync` a power cut does, too."""
        self._write(_HEAD.pack(len(record), zlib.crc32(record, _START)) + record)

    def sync(self) -> None:
        """Wait until everything that was added is on the disk, the file's name included."""
        with written_to(self.path):
            os.fsync(self._file)
            if not self._is_named:
                sync(self.path.absolute().parent)
        self._is_named = True

    def close(self) -> None:
        """Let go of the file, which stays."""
        os.close(self._file)

    def delete(self) -> None:
        """Delete the file."""
        self.path.unlink(missing_ok=True)
        self.close()

    def _write(self, content: bytes) -> None:
        end = os.lseek(self._file, 0, os.SEEK_END)
        with written_to(self.path):
            if os.write(self._file, content) < len(content):  # what follows a torn record would never be read
                os.ftruncate(self._file, end)
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def _claim(self) -> None:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise HeldError(f"{self.path} is being written by another process; wait for it, or stop it.") from error


def _whole(content: bytes) -> Iterator[bytes]:
    """Yield the records before the first that is torn."""
    at = len(_MAGIC)
    while at + _HEAD.size <= len(content):
        length, checksum = _HEAD.unpack_from(content, at)
        record = content[at + _HEAD.size : at + _HEAD.size + length]
        if len(record) < length or zlib.crc32(record, _START) != checksum:
            return
        yield record
        at += _HEAD.size + length
