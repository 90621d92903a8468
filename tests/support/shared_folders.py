"""Folders that are costly to make: made once in a run, by the process that comes first, and read by all of them.

Under pytest-xdist every worker is a process with fixtures of its own; a lock in the folder that the workers share lets
one of them make what the others wait for.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol


class Factory(Protocol):
    """What is taken of pytest's `TempPathFactory`."""

    def getbasetemp(self) -> Path:
        """Return the folder that this process may fill."""


def shared_folder(factory: Factory, name: str, make: Callable[[Path], object]) -> Path:
    """Return a folder that `make` has filled, in this process or in another one of the run."""
    base = factory.getbasetemp()
    root = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "shared"
    root.mkdir(exist_ok=True)
    folder, done = root / name, root / f"{name}.done"
    with (root / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # half of it, if making it failed before
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def contents(folder: Path) -> Mapping[str, tuple[int, int]]:
    """Return size and time of every file."""
    stats = {path.relative_to(folder).as_posix(): path.stat() for path in folder.rglob("*") if path.is_file()}
    return {name: (stat.st_size, stat.st_mtime_ns) for name, stat in stats.items()}


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Fail where anything in the folder is another when the block ends."""
    before = contents(folder)
    yield
    assert contents(folder) == before, f"a test wrote into {folder}, which all tests share"
