"""Token and code embeddings in half precision or integers, a slice at a time: a table may be larger than memory.

Of embeddings that are tied to a head, `tied_embeddings.py` writes what both have.
"""

from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import numpy as np
import numpy.typing as npt

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.graphs.integer_table import BITS, packed_rows
from edgevlo.runtime.manifest.graphs import Table
from edgevlo.runtime.manifest.schema import Manifest

from ..check_finite import check_finite
from ..precision_recipes import Blocks, Float32, Half, TargetHalf, Weights
from .tied_embeddings import block_of_head, write_blocks

_ROWS: Final = 4096  # at a time


def write_tables(bundle: Path, folder: Path, manifest: Manifest, weights: Weights) -> Manifest:
    """Write the embeddings of a manifest into `folder` in this precision; return the manifest with their new types.

    The heads' graphs are in `folder` already. Raises `BundleError` for NaN, infinity, or a number that overflows. In
    float32 nothing is written.
    """
    if isinstance(weights, Float32):
        return manifest
    dtype = _dtype(weights)
    changes = {}
    for name in ("token_embedding", "code_embedding"):
        table: Table | None = getattr(manifest, name)
        if table is None or table.dtype != "float32":
            continue
        rows = np.memmap(bundle / table.file, np.float32, "r", shape=table.shape)
        can_share = name == "token_embedding" and dtype == "int8" and manifest.target == "cpu"
        block = block_of_head(rows, folder, manifest) if can_share else None
        if block is None:
            _write(bundle / table.file, folder / table.file, rows, dtype)
        else:
            write_blocks(rows, folder / table.file, block)
        changes[name] = msgspec.structs.replace(table, dtype=dtype, block=block)
    return msgspec.structs.replace(manifest, **changes)


def _dtype(weights: Weights) -> Literal["float16", "int8", "int4"]:
    match weights:
        case Half(precision="fp16") | TargetHalf():
            return "float16"
        case Blocks(bits=8):
            return "int8"
        case Blocks(bits=4):
            return "int4"
        case _:
            raise AssertionError("check_tables refuses the others")


def _write(source: Path, target: Path, rows: Floats, dtype: str) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("wb") as file:
        for start in range(0, len(rows), _ROWS):
            part = rows[start : start + _ROWS]
            check_finite(source, part)
            file.write((_in_float16(source, part) if dtype == "float16" else packed_rows(part, BITS[dtype])).tobytes())


def _in_float16(source: Path, rows: npt.NDArray[Any]) -> npt.NDArray[np.float16]:
    with np.errstate(over="ignore"):
        half = rows.astype(np.float16)
    if not np.isfinite(half).all():
        raise BundleError(f"{source} overflows float16; keep the embeddings in fp32 with `overrides='tables=fp32'`.")
    return half
