"""How much memory this process may still take: what the system has, and what its control group leaves.

Linux alone tells; elsewhere nothing is known and nothing is said. Pages of files that the system may take back at any
time count as available, in control groups as in `MemAvailable`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

_ROOT: Final = Path("/")


def available_bytes(root: Path = _ROOT) -> int | None:
    """Return the bytes that can still be taken, None where the system does not say. `root` holds `proc` and `sys`."""
    known = [size for size in (_system(root), *_groups(root)) if size is not None]
    return max(0, min(known)) if known else None


def _system(root: Path) -> int | None:
    for line in _lines(root / "proc/meminfo"):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return _number(value.split()[0] if value.split() else "", 1024)
    return None


def _groups(root: Path) -> Iterator[int | None]:
    """Yield what each control group around this process leaves, of version 1 and version 2 of the system's interface.

    In a container the groups may have other paths than outside; whichever of the path's folders are there count.
    """
    for line in _lines(root / "proc/self/cgroup"):
        number, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if number == "0":
            files = ("memory.max", "memory.current", "")
            tops = [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        elif "memory" in controllers.split(","):
            files = ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
            tops = [root / "sys/fs/cgroup/memory"]
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for top in tops:
            for depth in range(len(parts), -1, -1):
                yield _left(top.joinpath(*parts[:depth]), *files)


def _left(group: Path, limit_file: str, usage_file: str, prefix: str) -> int | None:
    """Return what a group leaves: limit less usage, without the pages of files in it; None for a group without limit.

    A group of version 1 without one says a number beyond any memory, which decides nothing.
    """
    limit, usage = (_number("".join(_lines(group / name)[:1])) for name in (limit_file, usage_file))
    if limit is None or usage is None:
        return None
    cached = {f"{prefix}inactive_file", f"{prefix}active_file"}
    pairs = (line.split() for line in _lines(group / "memory.stat"))
    files = sum(_number(pair[1]) or 0 for pair in pairs if len(pair) == 2 and pair[0] in cached)
    return limit - max(0, usage - files)


def _lines(path: Path) -> list[str]:
    """Return a file's lines, none where it is not there or not ours to read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def _number(text: str, unit: int = 1) -> int | None:
    """Return a whole number, None for anything else, such as the word max."""
    return int(text) * unit if text.strip().isdecimal() else None
