"""Unfinished downloads in the Hub's cache, left by processes that were killed.

The hub's client (2.0 and later) gives each download a name of its own and never takes one up again.
"""

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

_OLD: Final = 86_400.0  # seconds; decides only where locks do not work
_WAITING: Final = 0.05  # seconds for a lock


def remove_unfinished(name: str) -> None:
    """Remove the unfinished downloads of a model that no process is writing.

    Who writes one holds the client's lock for that file. A cache that cannot be written stays as it is.
    """
    from filelock import Timeout
    from huggingface_hub import constants
    from huggingface_hub.file_download import repo_folder_name
    from huggingface_hub.utils import WeakFileLock  # type: ignore[attr-defined]  # lazily exported

    cache = Path(constants.HF_HUB_CACHE)
    repository = repo_folder_name(repo_id=name, repo_type="model")
    locks = cache / ".locks" / repository
    for path in (cache / repository / "blobs").glob("*.incomplete"):
        lock = locks / f"{path.name.split('.')[0]}.lock"
        with suppress(OSError, Timeout):
            locks.mkdir(parents=True, exist_ok=True)
            with WeakFileLock(lock, timeout=_WAITING):
                if _is_locked(lock) or time.time() - path.stat().st_mtime > _OLD:
                    path.unlink()


def _is_locked(lock: Path) -> bool:
    """Whether a lock that this process holds keeps others out: some file systems give it to everybody."""
    descriptor = os.open(lock, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False
