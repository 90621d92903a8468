"""The input embeddings of tokens, codes and features, by id. Knows tables, not what a token means."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import Array, Floats
from ..errors import BundleError
from ..manifest.graphs import Table as Described
from .integer_table import BITS, BlockTable, IntegerTable, row_bytes, scales_start

Table: TypeAlias = Floats | IntegerTable | BlockTable

_NO_ROWS: Final = np.zeros((0, 0), dtype=np.float32)


class Embeddings:
    """One row a token, over a table `(tokens, hidden_size)` and, where codes have their own, one that follows it.

    A negative id -1 - i stands for row i of the features that come with a prompt.
    """

    def __init__(self, tokens: Table, codes: Table | None = None) -> None:
        self._tokens = tokens
        self._codes = _NO_ROWS if codes is None else codes
        self._count = len(self._tokens)

    def row(self, token: int) -> Floats:
        """Return the embedding `(hidden_size,)` of a token or code."""
        row: Floats = self._tokens[token] if token < self._count else self._codes[token - self._count]
        return row

    def write(self, ids: Sequence[int], features: Floats | None, out: Floats) -> None:
        """Write the embeddings of ids into `out`, `(len(ids), hidden_size)`."""
        wanted = np.asarray(ids, dtype=np.int64)
        sources = [(self._tokens, wanted, (wanted >= 0) & (wanted < self._count))]
        sources.append((self._codes, wanted - self._count, wanted >= self._count))
        if features is not None:
            sources.append((features, -1 - wanted, wanted < 0))
        for rows, places, here in sources:
            if here.any():
                out[here] = rows[places[here]]


def map_table(folder: Path, table: Described) -> Table:
    """Return a table of the bundle in `folder`, mapped; raise `BundleError` when its file has another size."""
    path, (rows, columns) = folder / table.file, table.shape
    bits = BITS.get(table.dtype)
    if table.block is not None:
        blocks, start = -(-columns // table.block), scales_start(rows, columns, table.block)
        _check_size(path, table, start + rows * blocks * 4)
        numbers = _mapped(path, np.uint8, (rows, blocks * table.block))
        return BlockTable(numbers, _mapped(path, "<f4", (rows, blocks), start), columns)
    dtype = np.dtype(np.uint8) if bits else np.dtype(table.dtype).newbyteorder("<")
    width = row_bytes(columns, bits) if bits else columns
    _check_size(path, table, rows * width * dtype.itemsize)
    mapped = _mapped(path, dtype, (rows, width))
    return IntegerTable(mapped, columns, bits) if bits else mapped


def _check_size(path: Path, table: Described, size: int) -> None:
    if path.stat().st_size != size:
        rows, columns = table.shape
        raise BundleError(f"{path} is not the size of {rows} x {columns} {table.dtype} numbers. Export it again.")


def _mapped(path: Path, dtype: npt.DTypeLike, shape: tuple[int, int], start: int = 0) -> Array:
    # A plain view: indexing a memmap costs several times as much.
    return np.asarray(np.memmap(path, dtype=dtype, mode="r", shape=shape, offset=start))
