"""An ONNX file read without `onnx`: where its fields lie. Knows no operators.

An ONNX file is a protocol buffer: fields of a number and a value, messages within messages.
"""

import mmap
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Final, TypeVar

from ..errors import BundleError, remedy
from ..files import check_regular

INITIALIZER: Final = 5  # of GraphProto
# Field numbers of TensorProto.
TENSOR_DIMENSIONS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW, TENSOR_FLOATS, TENSOR_OUTSIDE = 1, 2, 8, 9, 4, 13

_ADVICE: Final = "Export or download the bundle again."
_GRAPH: Final = 7  # of ModelProto

T = TypeVar("T")


def read_mapped(path: Path, what: Callable[[mmap.mmap], T]) -> T:
    """Return what a function finds in a file; raise `BundleError` if it cannot be read or is not an ONNX file."""
    try:
        check_regular(path)
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return what(mapped)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}). {remedy(error, _ADVICE)}") from error
    except (ValueError, IndexError) as error:
        raise BundleError(f"{path} is not an ONNX file ({error}). {_ADVICE}") from error


def graph_fields(mapped: mmap.mmap, wanted: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield where the graph's fields of some numbers begin and end."""
    for graph in messages(mapped, 0, len(mapped), _GRAPH):
        yield from ((start, end) for number, start, end in fields(mapped, *graph) if number in wanted)


def messages(mapped: mmap.mmap, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Yield where the fields of one number begin and end."""
    return ((begin, stop) for number, begin, stop in fields(mapped, start, end) if number == wanted)


def fields(mapped: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, begin and end of the value of every field between two places of the file."""
    at = start
    while at < end:
        key, at = varint(mapped, at)
        kind, size = key & 7, 0
        if kind == 0:
            size = varint(mapped, at)[1] - at
        elif kind == 2:
            size, at = varint(mapped, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind} at byte {at}")
        if at + size > end:
            raise ValueError(f"a field that ends after its message, at byte {at}")
        yield key >> 3, at, at + size
        at += size


def varint(mapped: mmap.mmap, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = mapped[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError(f"a number without an end at byte {at}")
