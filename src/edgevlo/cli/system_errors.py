"""What the system lacks, such as space on a disk, in words."""

import errno
import os
from typing import Final

# Not our bugs and not the user's request: what the system lacks, said in one line.
_LACKS: Final = {
    errno.ENOSPC: "the disk is full; free some space",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EFBIG: "a file would become larger than is allowed; raise the limit (ulimit -f)",
    errno.EIO: "the disk or the terminal failed",
    errno.EROFS: "the file system is read-only; write elsewhere",
    errno.EMFILE: "too many files are open; raise the limit (ulimit -n)",
    errno.ENFILE: "the system has too many open files",
}


def lacking(error: OSError) -> str | None:
    """Return what the system lacks in words, None for an error of another kind."""
    if error.errno == errno.ENOENT and error.filename is None and not _is_somewhere():
        return "the folder in which this command was started is gone; change to another (cd)"
    return _LACKS.get(error.errno or 0)


def _is_somewhere() -> bool:
    try:
        os.getcwd()  # noqa: PTH109
    except FileNotFoundError:
        return False
    return True
