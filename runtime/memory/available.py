"""How much memory this process may still take: what the system has, and what its control group leaves.

Only Linux says so; elsewhere nothing is known. Pages of files that the system may take back at any
time count as available, in control groups as in `MemAvailable`.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ..control_groups import groups, lines, number, value

_ROOT: Final = Path("/")


def available_bytes(root: Path = _ROOT) -> int | None:
    """Return the bytes that can still be taken, None where it is unknown. `root` holds `proc` and `sys`."""
    known = [size for size in (_system(root), *_groups(root)) if size is not None]
    return max(0, min(known)) if known else None


def _system(root: Path) -> int | None:
    for line in lines(root / "proc/meminfo"):
        name, _, amount = line.partition(":")
        if name == "MemAvailable":
            return number(amount.split()[0] if amount.split() else "", 1024)
    return None


def _groups(root: Path) -> Iterator[int | None]:
    """Yield what each control group around this process leaves."""
    for version, folder in groups("memory", root):
        if version == 2:
            yield _left(folder, "memory.max", "memory.current", "")
        else:
            yield _left(folder, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_")


def _left(group: Path, limit_file: str, usage_file: str, prefix: str) -> int | None:
    """Return what a group leaves: limit less usage, without the pages of files in it; None without a limit.

    A group of version 1 without one says a number beyond any memory, which decides nothing.
    """
    limit, usage = value(group / limit_file), value(group / usage_file)
    if limit is None or usage is None:
        return None
    cached = {f"{prefix}inactive_file", f"{prefix}active_file"}
    pairs = (line.split() for line in lines(group / "memory.stat"))
    files = sum(number(pair[1]) or 0 for pair in pairs if len(pair) == 2 and pair[0] in cached)
    return limit - max(0, usage - files)
