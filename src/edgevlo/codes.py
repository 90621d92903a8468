"""Code grids in files: int32 [rows, columns] in NumPy's format. Opens no models."""

from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.files import write_whole

MaybePath = TypeVar("MaybePath", Path, Path | None)


def read_codes(path: Path) -> npt.NDArray[np.int64]:
    """Read a code grid; raise `RequestError` when the file holds none. Pickled arrays are refused."""
    try:
        grid = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "it holds no plain NumPy array"
        raise RequestError(
            f"{path} cannot be read as codes: {reason}. `edgevlo paint --codes FILE.npy` writes them."
        ) from error
    if not isinstance(grid, np.ndarray) or grid.dtype.kind not in "iu":
        raise RequestError(f"{path} holds no grid of whole numbers. `edgevlo paint --codes FILE.npy` writes one.")
    return grid.astype(np.int64)


def write_codes(codes: npt.NDArray[np.int32], path: Path) -> None:
    """Write a code grid as int32 [rows, columns]."""
    write_whole(path, lambda file: np.save(file, codes.astype(np.int32)))


def numbered(path: MaybePath, count: int) -> list[MaybePath]:
    """Return `count` names: the path itself, or `name-1.png`, `name-2.png` and so on."""
    if path is None or count == 1:
        return [path] * count
    return [path.with_name(f"{path.stem}-{number}{path.suffix}") for number in range(1, count + 1)]
