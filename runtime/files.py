"""Results on disk: whole or not at all. Knows no formats."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from .errors import OutputError


def check_writable(path: Path) -> None:
    """Raise `OutputError` if `path` cannot become a file; called before the work that would be lost."""
    folder = path.absolute().parent
    try:
        there = path.exists()
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose another name.") from error
    if there and path.is_dir():
        raise OutputError(f"{path} is a folder; name a file in it.")
    if there and not path.is_file():
        raise OutputError(f"{path} is no plain file, and writing would replace it. Choose another name.")
    if not folder.is_dir():
        raise OutputError(f"{path} cannot be written: the folder {folder} does not exist. Make it first.")
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path} cannot be written: no permission to write in {folder}. Choose another folder.")


def write_whole(path: Path, write: Callable[[IO[bytes]], None]) -> None:
    """Write a file beside `path` and rename it at the end, so that it exists whole or not at all."""
    check_writable(path)
    try:
        descriptor, name = tempfile.mkstemp(prefix=f".{path.name[:40]}-", dir=path.absolute().parent)
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}). Choose a folder that exists.") from error
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            write(file)
        temporary.chmod(0o644)
        temporary.replace(path)
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({error.strerror}). What was there before is untouched."
        ) from error
    finally:
        temporary.unlink(missing_ok=True)
