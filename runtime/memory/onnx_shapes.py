"""What an ONNX file says about memory, read without `onnx`: shapes of values, types of weights. Of operators: Cast.

An ONNX file is a protocol buffer: fields of a number and a value, messages within messages. Only the few that lead to
shapes are looked into; weights are stepped over.
"""

import math
import mmap
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias, TypeVar

from ..errors import BundleError, remedy

_ADVICE: Final = "Export or download the bundle again."

T = TypeVar("T")

Dimension: TypeAlias = int | str  # a number, or an expression such as "8*h"

# Field numbers of onnx.proto: ModelProto, GraphProto, ValueInfoProto, TypeProto and what is within it.
_GRAPH: Final = 7
_NODE, _OUTPUT, _VALUE_INFO, _INITIALIZER = 1, 12, 13, 5
_INPUT, _OPERATOR = 1, 4
_TENSOR_DIMENSIONS, _TENSOR_TYPE_NUMBER, _TENSOR_NAME = 1, 2, 8
_NAME, _TYPE, _TENSOR_TYPE = 1, 2, 1
_ELEMENT, _SHAPE, _DIMENSION, _NUMBER, _EXPRESSION = 1, 2, 1, 1, 2

_UINT8, _INT16, _FLOAT16, _BFLOAT16 = 2, 5, 10, 16  # types of TensorProto

_BLOCKED: Final = 3  # dimensions of a matrix in blocks

# Bytes of the types of TensorProto that values of our graphs have; others are taken for float32.
_BYTES: Final = {1: 4, 2: 1, 3: 1, 6: 4, 7: 8, 9: 1, 10: 2, 11: 8, 16: 2}


class Value(NamedTuple):
    """What a graph computes on the way: bytes of a number, and its shape."""

    bytes: int
    shape: tuple[Dimension, ...]


class Weights(NamedTuple):
    """How many bytes of a graph's weights are of a kind that is not kept as it is stored.

    `half` is float16, bfloat16, and int16 that a Cast reads; a table of int16 whose rows are looked up is not widened.
    `blocks` is what MatMulNBits multiplies: uint8 (outputs, blocks, bytes of a block); each block has a scale of
    float32 in a tensor of its own, `scales`.
    """

    half: int = 0
    blocks: int = 0
    scales: int = 0


def read_values(path: Path) -> tuple[Value, ...]:
    """Return the values of a graph, outputs included, weights excluded; it need not name the shape of any.

    Raises `BundleError` when the file cannot be read or is not a protocol buffer.
    """
    return _read(path, _values)


def read_weights(path: Path) -> Weights:
    """Return the sizes of a graph's weights by kind; raise `BundleError` as `read_values` does."""
    return _read(path, lambda mapped: Weights(*map(sum, zip(*_initializers(mapped).values(), strict=True))))


def _read(path: Path, what: Callable[[mmap.mmap], T]) -> T:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
            return what(mapped)
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}). {remedy(error, _ADVICE)}") from error
    except (ValueError, IndexError) as error:
        raise BundleError(f"{path} is not an ONNX file ({error}). {_ADVICE}") from error


def largest(values: Iterable[Value], sizes: Mapping[str, int]) -> int:
    """Return the bytes of the largest value whose shape is given by numbers and products of the named sizes; or 0."""
    return max((size for value in values if (size := _bytes(value, sizes)) is not None), default=0)


def _bytes(value: Value, sizes: Mapping[str, int]) -> int | None:
    total = value.bytes
    for dimension in value.shape:
        for factor in str(dimension).split("*"):
            word = factor.strip()
            if word.isdecimal():
                total *= int(word)
            elif word in sizes:
                total *= sizes[word]
            else:
                return None
    return total


def _values(mapped: mmap.mmap) -> tuple[Value, ...]:
    weights = _initializers(mapped).keys()
    fields = _graph_fields(mapped, (_OUTPUT, _VALUE_INFO))
    found = (_named_value(mapped, start, end) for start, end in fields)
    return tuple(value for name, value in found if name not in weights and value.shape)


def _initializers(mapped: mmap.mmap) -> dict[bytes, Weights]:
    """Return the bytes of every weight by kind."""
    widened = {name for node in _graph_fields(mapped, (_NODE,)) for name in _cast(mapped, *node)}
    return dict(_weight(mapped, start, end, widened) for start, end in _graph_fields(mapped, (_INITIALIZER,)))


def _cast(mapped: mmap.mmap, start: int, end: int) -> list[bytes]:
    """Return what a node reads if it is a Cast."""
    fields = [(number, mapped[begin:stop]) for number, begin, stop in _fields(mapped, start, end)
              if number in (_INPUT, _OPERATOR)]  # fmt: skip
    return [name for number, name in fields if number == _INPUT] if (_OPERATOR, b"Cast") in fields else []


def _graph_fields(mapped: mmap.mmap, wanted: Collection[int]) -> Iterator[tuple[int, int]]:
    """Yield where the graph's fields of some numbers begin and end."""
    for graph in _messages(mapped, 0, len(mapped), _GRAPH):
        yield from ((start, end) for number, start, end in _fields(mapped, *graph) if number in wanted)


def _weight(mapped: mmap.mmap, start: int, end: int, widened: Collection[bytes]) -> tuple[bytes, Weights]:
    """Return the name of a weight, and its bytes by kind."""
    name, kind, shape = b"", 0, list[int]()
    for number, begin, stop in _fields(mapped, start, end):
        if number == _TENSOR_NAME:
            name = mapped[begin:stop]
        elif number == _TENSOR_TYPE_NUMBER:
            kind = _varint(mapped, begin)[0]
        elif number == _TENSOR_DIMENSIONS:
            while begin < stop:  # one number, or all of them packed
                dimension, begin = _varint(mapped, begin)
                shape.append(dimension)
    if kind in (_FLOAT16, _BFLOAT16) or (kind == _INT16 and name in widened):
        return name, Weights(half=2 * math.prod(shape))
    if kind == _UINT8 and len(shape) == _BLOCKED:
        return name, Weights(blocks=math.prod(shape), scales=4 * shape[0] * shape[1])
    return name, Weights()


def _named_value(mapped: mmap.mmap, start: int, end: int) -> tuple[bytes, Value]:
    name, size, shape = b"", 4, list[Dimension]()
    for number, begin, stop in _fields(mapped, start, end):
        if number == _NAME:
            name = mapped[begin:stop]
        elif number == _TYPE:
            for tensor in _messages(mapped, begin, stop, _TENSOR_TYPE):
                for part, at, until in _fields(mapped, *tensor):
                    if part == _ELEMENT:
                        size = _BYTES.get(_varint(mapped, at)[0], 4)
                    elif part == _SHAPE:
                        shape += [_dimension(mapped, *one) for one in _messages(mapped, at, until, _DIMENSION)]
    return name, Value(size, tuple(shape))


def _dimension(mapped: mmap.mmap, start: int, end: int) -> Dimension:
    for number, begin, stop in _fields(mapped, start, end):
        if number == _NUMBER:
            return _varint(mapped, begin)[0]
        if number == _EXPRESSION:
            return mapped[begin:stop].decode(errors="replace")
    return "?"


def _messages(mapped: mmap.mmap, start: int, end: int, wanted: int) -> Iterator[tuple[int, int]]:
    """Yield where the fields of one number begin and end."""
    return ((begin, stop) for number, begin, stop in _fields(mapped, start, end) if number == wanted)


def _fields(mapped: mmap.mmap, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield number, begin and end of the value of every field between two places of the file."""
    at = start
    while at < end:
        key, at = _varint(mapped, at)
        kind, size = key & 7, 0
        if kind == 0:
            size = _varint(mapped, at)[1] - at
        elif kind == 2:
            size, at = _varint(mapped, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise ValueError(f"a field of kind {kind} at byte {at}")
        if at + size > end:
            raise ValueError(f"a field that ends after its message, at byte {at}")
        yield key >> 3, at, at + size
        at += size


def _varint(mapped: mmap.mmap, at: int) -> tuple[int, int]:
    """Return a number of seven bits a byte, the lowest first, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        byte = mapped[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
    raise ValueError(f"a number without an end at byte {at}")
