"""Code grids in files: int32 [rows, columns] in NumPy's format. Opens no models."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

import click
import numpy as np

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.errors import RequestError, remedy
from edgevlo.runtime.files import place, write_whole

MaybePath = TypeVar("MaybePath", Path, Path | None)


def read_codes(path: Path) -> Codes:
    """Read a code grid; raise `RequestError` when the file holds none. Pickled arrays are refused."""
    try:
        with path.open("rb") as file:
            grid = np.lib.format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it is not a plain NumPy array"
        advice = remedy(error, "`edgevlo paint --codes FILE.npy` writes them")
        raise RequestError(f"{path} cannot be read as codes: {reason}. {advice}") from error
    if grid.dtype.kind not in "iu":
        raise RequestError(f"{path} is not a grid of whole numbers. `edgevlo paint --codes FILE.npy` writes one.")
    return np.asarray(grid)


def write_codes(codes: Codes, path: Path) -> None:
    """Write a code grid as int32 [rows, columns]."""
    write_whole(path, lambda file: np.save(file, codes.astype(np.int32)))


def numbered(path: MaybePath, count: int) -> list[MaybePath]:
    """Return `count` names: the path itself, or `name-1.png`, `name-2.png` and so on."""
    if path is None or count == 1:
        return [path] * count
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, count + 1)]


def check_apart(paths: Sequence[Path]) -> None:
    """Raise a usage error when two results would be written to one file, by whatever ways it is named."""
    seen: set[str] = set()
    for path in paths:
        if place(path) in seen:
            raise click.UsageError(f"{path} cannot hold both the picture and its codes; name another file.")
        seen.add(place(path))
