"""What is known of bundles on this machine: which folders were verified and are unchanged, which were tried or made,
and on which devices they passed their self-check.

Kept in `$EDGEVLO_HOME/verified`, one small file each. Where nothing can be kept, bundles are verified at every opening.
"""

import contextlib
import hashlib
import os
from pathlib import Path
from typing import Final

from ..errors import OutputError
from ..files import home, write_bytes

_KEPT: Final = "verified"


def signature(folder: Path) -> str:
    """Return what changes when a file of a folder is written or replaced: names, sizes, times and inodes.

    It is the same by whatever path the folder is named, and after it was renamed. Raises `OSError` where a file is not
    there.
    """
    facts = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        found = path.stat()
        facts.update(
            repr(
                (
                    str(path.relative_to(folder)),
                    found.st_size,
                    found.st_mtime_ns,
                    found.st_ctime_ns,
                    found.st_ino,
                    found.st_dev,
                )
            ).encode(errors="surrogateescape")
        )
    return facts.hexdigest()


def is_unchanged(folder: Path, found: str) -> bool:
    """Whether a folder has the signature with which it was verified."""
    return _read(_folder_key(folder)) == found


def remember(folder: Path, found: str) -> None:
    """Keep the signature of a folder that was verified."""
    _write(_folder_key(folder), found)


def is_trusted(digest: str) -> bool:
    """Whether a bundle, by the digest of its manifest, was made here or came through its trial."""
    return _read(digest) is not None


def trust(digest: str) -> None:
    """Keep that a bundle was made here or came through its trial."""
    _write(digest, "")


def passed_on(device: str) -> bool:
    """Whether a bundle passed its self-check on a device, both by one digest."""
    return _read(f"device-{device}") is not None


def remember_passed(device: str) -> None:
    """Keep that a bundle passed its self-check on a device."""
    _write(f"device-{device}", "")


def _folder_key(folder: Path) -> str:
    return "folder-" + hashlib.sha256(os.fsencode(folder.resolve())).hexdigest()


def _read(key: str) -> str | None:
    try:
        return (home(_KEPT) / key).read_text(encoding="utf-8")
    except (OSError, ValueError):  # OutputError, of a user without a home folder, is an OSError
        return None


def _write(key: str, text: str) -> None:
    """Write so that nobody reads half of it; where that fails, nothing is kept."""
    with contextlib.suppress(OSError, OutputError):
        folder = home(_KEPT)
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / key, text.encode())
