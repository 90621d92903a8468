"""Whether the numbers of a bundle's weights and tables are numbers. Knows no operators.

An infinity alone in a tensor is a constant, such as the mask of what may not be drawn; anything else that is not finite
would spread through whatever is computed of it.
"""

import mmap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from ..arrays import Array
from ..errors import BundleError
from .embeddings import Table
from .onnx_fields import (
    INITIALIZER,
    TENSOR_DIMENSIONS,
    TENSOR_FLOATS,
    TENSOR_NAME,
    TENSOR_OUTSIDE,
    TENSOR_RAW,
    TENSOR_TYPE,
    fields,
    graph_fields,
    read_mapped,
    varint,
)

# Types of TensorProto: unsigned integers of the same size, and the bits that are all set only where one is not finite.
_BITS: Final = {
    1: ("<u4", 0x7F80_0000),  # float32
    10: ("<u2", 0x7C00),  # float16
    11: ("<u8", 0x7FF0_0000_0000_0000),  # float64
    16: ("<u2", 0x7F80),  # bfloat16
    17: ("<u1", 0x7F),  # float8 e4m3fn
    19: ("<u1", 0x7C),  # float8 e5m2
}
_BLOCK: Final = 1 << 22  # numbers looked at together


def check_graph(path: Path) -> None:
    """Raise `BundleError` for a weight of a graph that has NaN or infinities, by its name."""
    for name in read_mapped(path, lambda mapped: list(_not_finite(path, mapped))):
        raise BundleError(
            f"{path}: tensor {name} has numbers that are not finite. Export or download the bundle again."
        )


def check_table(path: Path, rows: Table) -> None:
    """Raise `BundleError` for a table of embeddings with NaN or infinities."""
    step = max(1, _BLOCK // max(1, len(rows[0]) if len(rows) else 1))
    for start in range(0, len(rows), step):
        if not np.isfinite(rows[start : start + step]).all():
            raise BundleError(f"{path} has numbers that are not finite. Export or download the bundle again.")


def _not_finite(path: Path, mapped: mmap.mmap) -> Iterator[str]:
    for start, end in graph_fields(mapped, (INITIALIZER,)):
        found = {number: (begin, stop) for number, begin, stop in fields(mapped, start, end)}
        kind = varint(mapped, found[TENSOR_TYPE][0])[0] if TENSOR_TYPE in found else 0
        if kind in _BITS and _has_other(_stored(path, mapped, (start, end), kind), _BITS[kind][1]):
            begin, stop = found.get(TENSOR_NAME, (0, 0))
            yield mapped[begin:stop].decode(errors="replace")


def _has_other(numbers: Array, bits: int) -> bool:
    """Whether there is NaN among numbers that are given by their bits, or an infinity beside others."""
    for start in range(0, len(numbers), _BLOCK):
        block = numbers[start : start + _BLOCK]
        if ((block & bits) == bits).any():
            return len(numbers) > 1 or bool(numbers[0] & (bits & -bits) - 1)
    return False


def _stored(path: Path, mapped: mmap.mmap, tensor: tuple[int, int], kind: int) -> Array:
    """Return the numbers of a tensor as integers, from where it has them: here, or in a file beside it."""
    dtype = np.dtype(_BITS[kind][0])
    count, outside, here = 1, dict[str, str](), (0, 0)
    for number, begin, stop in fields(mapped, *tensor):
        if number == TENSOR_DIMENSIONS:
            while begin < stop:
                dimension, begin = varint(mapped, begin)
                count *= dimension
        elif number == TENSOR_OUTSIDE:
            key, value = (mapped[a:b].decode() for _, a, b in fields(mapped, begin, stop))
            outside[key] = value
        elif number in (TENSOR_RAW, TENSOR_FLOATS):
            here = (begin, stop)
    if outside:
        location = Path(outside.get("location", ".."))
        if location.is_absolute() or ".." in location.parts:
            raise ValueError("weights outside the bundle")
        beside, offset = path.parent / location, int(outside.get("offset", 0))
        if not 0 <= offset <= offset + count * dtype.itemsize <= beside.stat().st_size:
            raise ValueError(f"{count} numbers at byte {offset} of {location}, which does not have them")
        return np.memmap(beside, dtype, mode="r", offset=offset, shape=(count,)) if count else np.zeros(0, dtype)
    return np.frombuffer(mapped[here[0] : here[1]], dtype, count=(here[1] - here[0]) // dtype.itemsize)
