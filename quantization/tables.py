"""The tables of a bundle in half precision, a slice at a time: a table may be larger than memory."""

from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest import Manifest
from edgevlo.runtime.manifest_graphs import Table

_ROWS: Final = 4096  # at a time


def half_tables(bundle: Path, folder: Path, manifest: Manifest) -> Manifest:
    """Write the tables of `manifest` into `folder` as float16 and return the manifest that says so.

    Raises `BundleError` when a number does not fit float16.
    """
    changes = {}
    for name in ("token_embedding", "code_embedding"):
        table: Table | None = getattr(manifest, name)
        if table is not None and table.dtype == "float32":
            _halve(bundle / table.file, folder / table.file, table)
            changes[name] = msgspec.structs.replace(table, dtype="float16")
    return msgspec.structs.replace(manifest, **changes)


def _halve(source: Path, target: Path, table: Table) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    rows = np.memmap(source, np.float32, "r", shape=table.shape)
    with target.open("wb") as file:
        for start in range(0, len(rows), _ROWS):
            with np.errstate(over="ignore"):
                half = rows[start : start + _ROWS].astype(np.float16)
            if not np.isfinite(half).all():
                raise BundleError(f"{source}: a number of the table does not fit float16; keep the tables in fp32.")
            file.write(half.tobytes())
