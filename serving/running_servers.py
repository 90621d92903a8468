"""Which servers run on this machine: a small file for each, for `edgevlo ps` and `edgevlo stop`."""

import contextlib
import http.client
import json
import os
import signal
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.files import home, write_whole

_ASK_S = 3.0
_LONGEST = 2**20  # bytes of an answer
_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # $http_proxy leads away from this machine


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """A running server, as it wrote itself down."""

    instance: str
    host: str
    port: int
    pid: int = field(default_factory=os.getpid)
    started: float = field(default_factory=time.time)

    @property
    def url(self) -> str:
        """Where it is asked from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host)
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"


@contextmanager
def noted(note: Note) -> Iterator[None]:
    """Keep a note of a server while it runs; a user without a home goes without."""
    try:
        folder = home("servers")
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{note.instance}.json"
        content = json.dumps(asdict(note)).encode()
        write_whole(path, lambda file: file.writelines([content]))
    except (OSError, OutputError):
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def notes() -> Iterator[Note]:
    """Yield the servers that answer under their own name; notes of others are removed."""
    try:
        paths = sorted(home("servers").glob("*.json"))
    except OutputError:
        return
    for path in paths:
        with contextlib.suppress(OSError, ValueError, TypeError, RecursionError, OverflowError):
            note = Note(**json.loads(path.read_bytes()))
            if ask(note, "/health").get("instance") == note.instance:
                yield note
            elif not _runs(note.pid):
                path.unlink(missing_ok=True)


def ask(note: Note, path: str, key: str | None = None) -> dict[str, Any]:
    """Return what a server answers, nothing if it does not; another program may have its port by now."""
    request = urllib.request.Request(note.url + path)
    if key is not None:
        request.add_header("Authorization", f"Bearer {key}")
    try:
        with _DIRECT.open(request, timeout=_ASK_S) as answer:
            said = json.loads(answer.read(_LONGEST))
    except (OSError, ValueError, RecursionError, http.client.HTTPException):
        return {}
    return said if isinstance(said, dict) else {}


def stop(note: Note, wait_s: float) -> bool:
    """Ask a server to stop and wait for it; return whether it has."""
    os.kill(note.pid, signal.SIGTERM)
    until = time.monotonic() + wait_s
    while _runs(note.pid) and time.monotonic() < until:
        time.sleep(0.05)
    return not _runs(note.pid)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    stat = Path(f"/proc/{pid}/stat")
    return not (
        stat.exists() and stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0] == "Z"
    )
