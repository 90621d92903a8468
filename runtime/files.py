"""Results on disk, whole or not at all, and the folder of what is kept between runs.

Of formats it knows only how a bundle is recognised.
"""

import ctypes
import errno
import fcntl
import os
import re
import secrets
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import IO, Final

from .errors import OutputError, remedy

_HIDDEN: Final = re.compile(r"\..*-(\d{1,10})-[0-9a-f]{12}$")  # what `beside` names, and the process that did
_YOUNG: Final = 60.0  # seconds; what is younger and not locked may be about to be

_HERE: Final = -100  # AT_FDCWD of renameat2
_EXCHANGE: Final = 2  # RENAME_EXCHANGE

_BUNDLE: Final = ("manifest.json", b'"edgevlo-bundle/')  # a file of every bundle, and what stands in it
_BUNDLE_BYTES: Final = 4 * 1024 * 1024

_LFS: Final = b"version https://git-lfs"
_LFS_BYTES: Final = 1024
LFS_NOTE: Final = "is the note of Git LFS in place of the file; fetch the file itself: git lfs pull, in its folder."


def is_lfs_note(path: Path) -> bool:
    """Whether a file is the note that Git LFS puts in a large file's place; False where it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(len(_LFS)) == _LFS and path.stat().st_size <= _LFS_BYTES
    except OSError:
        return False


def home(kept: str) -> Path:
    """Return the folder of something kept between runs, such as `engines`: in `$EDGEVLO_HOME`, or in `~/.edgevlo`.

    Raises `OutputError` for a user without a home folder.
    """
    given = os.environ.get("EDGEVLO_HOME")
    try:
        return Path(given or Path.home() / ".edgevlo") / kept
    except RuntimeError as error:
        raise OutputError(f"there is no home folder to keep {kept} in; set EDGEVLO_HOME to a folder.") from error


def place(path: Path) -> str:
    """Return the same for all names of one file: links are followed, and some disks take capitals for small letters."""
    return os.path.realpath(path).casefold()


def check_regular(path: Path) -> None:
    """Raise `OSError` unless a path leads to a regular file: a pipe may never say anything, and a device never end."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OSError(errno.EINVAL, "it is not a regular file", str(path))


def check_outside_bundles(path: Path) -> None:
    """Raise `OutputError` for a path within a bundle: one that holds anything else cannot be opened any more."""
    first = Path(os.path.realpath(path.absolute().parent))
    for folder in (first, *first.parents):
        name, start = _BUNDLE
        try:
            check_regular(folder / name)
            with (folder / name).open("rb") as file:
                is_bundle = start in file.read(_BUNDLE_BYTES)
        except OSError:
            continue
        if is_bundle:
            raise OutputError(
                f"{path} would lie in the bundle {folder}, which cannot be opened with other files in it. "
                "Choose another folder."
            )


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
        raise OutputError(f"{path} is not a regular file, and writing would replace it. Choose another name.")
    if not folder.is_dir():
        raise OutputError(f"{path} cannot be written: the folder {folder} does not exist. Make it first.")
    check_outside_bundles(path)
    if not os.access(folder, os.W_OK):
        raise OutputError(f"{path} cannot be written: no permission to write in {folder}. Choose another folder.")


def write_whole(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `path`, wait until it is on the disk, and rename it: it exists whole or not at all."""
    check_writable(path)
    temporary = beside(path)
    try:
        with written_to(path, "What was there before is untouched."):
            with temporary.open("xb") as file, claimed(temporary):
                write(file)
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
            sync(path.absolute().parent)
    finally:
        temporary.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file of this content, whole or not at all."""

    def write(file: IO[bytes]) -> None:
        file.write(content)

    write_whole(path, write)


@contextmanager
def written_to(path: Path, advice: str = "") -> Iterator[None]:
    """Turn the system's errors while files are written into an `OutputError` that names `path`."""
    try:
        yield
    except OSError as error:
        if isinstance(error, OutputError) or error.errno is None:
            raise
        reason = os.strerror(error.errno)
        if error.errno in (errno.EMFILE, errno.ENFILE):
            advice = f"{remedy(error, '')} {advice}"
        raise OutputError(f"{path} cannot be written ({reason}). {advice}".strip()) from error


def remove_folder(folder: Path) -> None:
    """Remove a folder if it exists, ignoring errors; after a Ctrl-C in the middle, finish and raise."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def beside(path: Path) -> Path:
    """Return an unused hidden name in the same folder, after removing there what dead processes left.

    The name is known before a file is made under it, so that Ctrl-C can never leave one behind.
    """
    folder = path.absolute().parent
    remove_leftovers(folder)
    return folder / f".{path.name[:40]}-{os.getpid()}-{secrets.token_hex(6)}"


@contextmanager
def scratch_folder(folder: Path | None, name: str) -> Iterator[Path]:
    """Give a folder that is removed at the end, in `folder` or among the system's temporary files.

    If this process is killed, the next one that makes such a folder there removes it. Raises `OSError` on a full disk.
    """
    made = beside((folder or Path(tempfile.gettempdir())) / name)
    try:
        made.mkdir(mode=0o700)
        with claimed(made):
            yield made
    finally:
        remove_folder(made)


@contextmanager
def claimed(path: Path) -> Iterator[None]:
    """Hold a lock on a file or folder while it is worked on; the system gives it back when the process ends."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        with suppress(OSError):  # file systems without locks; what a process that was killed left there stays
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


@cache
def remove_leftovers(folder: Path) -> None:
    """Remove what processes that were killed left under hidden names; done once for each folder."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        match = _HIDDEN.match(entry.name)
        if match is None or not (_dead(int(match[1])) or _old(entry)) or not _free(entry.path):
            continue
        if entry.is_dir(follow_symlinks=False):
            remove_folder(Path(entry.path))
        else:
            with suppress(OSError):
                Path(entry.path).unlink()


def _dead(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # somebody else's
        return False
    return False


def _old(entry: os.DirEntry[str]) -> bool:
    """Whether whoever made an entry has had the time to lock it.

    Then the lock decides: the number of a dead process may be another's by now, as 1 is in every container.
    """
    try:
        return time.time() - entry.stat(follow_symlinks=False).st_mtime > _YOUNG
    except OSError:
        return False


def _free(path: str) -> bool:
    """Whether nobody holds a lock: a process of another container has a number that means nothing here."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)  # a pipe would be waited for
    except OSError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def exchange(one: Path, other: Path) -> None:
    """Give two folders each other's name: at once where the system can, so that there is always one of each name."""
    with suppress(OSError, AttributeError):  # C libraries without it
        names = (_HERE, os.fsencode(one), _HERE, os.fsencode(other))
        if ctypes.CDLL(None).renameat2(*names, _EXCHANGE) == 0:
            return
    between = beside(other)
    other.rename(between)
    try:
        one.rename(other)
    except BaseException:
        between.rename(other)
        raise
    between.rename(one)


def sync(path: Path) -> None:
    """Ask the system to put a file, or a folder's entries, on the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
