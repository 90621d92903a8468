"""The control groups around this process, of versions 1 and 2 of Linux's interface. Knows no limit's meaning.

Linux alone has them; elsewhere there are none. In a container the groups may have other paths than outside; whichever
of the path's folders are there count.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Literal, NamedTuple


class Group(NamedTuple):
    """A folder that may hold a controller's files, and the version of the interface that names them."""

    version: Literal[1, 2]
    folder: Path


def groups(controller: str, root: Path = Path("/")) -> Iterator[Group]:
    """Yield the groups of a controller (`memory`, `cpu`), the innermost first. `root` holds `proc` and `sys`."""
    for line in lines(root / "proc/self/cgroup"):
        hierarchy, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        version: Literal[1, 2]
        if hierarchy == "0":
            version, tops = 2, [root / "sys/fs/cgroup", root / "sys/fs/cgroup/unified"]
        elif controller in controllers.split(","):
            version, tops = 1, [root / "sys/fs/cgroup" / name for name in dict.fromkeys((controller, controllers))]
        else:
            continue
        parts = [part for part in path.split("/") if part not in ("", ".", "..")]
        for top in tops:
            for depth in range(len(parts), -1, -1):
                yield Group(version, top.joinpath(*parts[:depth]))


def lines(path: Path) -> list[str]:
    """Return a file's lines, none where it is missing or unreadable."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []


def number(text: str, unit: int = 1) -> int | None:
    """Return a whole number, None for anything else, such as the word max."""
    return int(text) * unit if text.strip().isdecimal() else None


def value(path: Path) -> int | None:
    """Return the whole number that is a file's first line, None if it is none or there is no such file."""
    return number("".join(lines(path)[:1]))
