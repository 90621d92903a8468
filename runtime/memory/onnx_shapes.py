"""What an ONNX file says about memory, read without `onnx`: shapes of values, types of weights. Of operators: Cast.

Only the few fields that lead to shapes are looked into; weights are stepped over.
"""

import math
import mmap
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias

from ..graphs.onnx_fields import (
    INITIALIZER,
    TENSOR_DIMENSIONS,
    TENSOR_NAME,
    TENSOR_TYPE,
    fields,
    graph_fields,
    messages,
    read_mapped,
    varint,
)

Dimension: TypeAlias = int | str  # a number, or an expression such as "8*h"

# Field numbers of onnx.proto: GraphProto, ValueInfoProto, TypeProto, NodeProto and what is within it.
_NODE, _OUTPUT, _VALUE_INFO = 1, 12, 13
_INPUT, _OPERATOR = 1, 4
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
    return read_mapped(path, _values)


def read_weights(path: Path) -> Weights:
    """Return the sizes of a graph's weights by kind; raise `BundleError` as `read_values` does."""
    return read_mapped(path, lambda mapped: Weights(*map(sum, zip(*_initializers(mapped).values(), strict=True))))


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
    found = (_named_value(mapped, start, end) for start, end in graph_fields(mapped, (_OUTPUT, _VALUE_INFO)))
    return tuple(value for name, value in found if name not in weights and value.shape)


def _initializers(mapped: mmap.mmap) -> dict[bytes, Weights]:
    """Return the bytes of every weight by kind."""
    widened = {name for node in graph_fields(mapped, (_NODE,)) for name in _cast(mapped, *node)}
    return dict(_weight(mapped, start, end, widened) for start, end in graph_fields(mapped, (INITIALIZER,)))


def _cast(mapped: mmap.mmap, start: int, end: int) -> list[bytes]:
    """Return what a node reads if it is a Cast."""
    found = [(number, mapped[begin:stop]) for number, begin, stop in fields(mapped, start, end)
             if number in (_INPUT, _OPERATOR)]  # fmt: skip
    return [name for number, name in found if number == _INPUT] if (_OPERATOR, b"Cast") in found else []


def _weight(mapped: mmap.mmap, start: int, end: int, widened: Collection[bytes]) -> tuple[bytes, Weights]:
    """Return the name of a weight, and its bytes by kind."""
    name, kind, shape = b"", 0, list[int]()
    for number, begin, stop in fields(mapped, start, end):
        if number == TENSOR_NAME:
            name = mapped[begin:stop]
        elif number == TENSOR_TYPE:
            kind = varint(mapped, begin)[0]
        elif number == TENSOR_DIMENSIONS:
            while begin < stop:  # one number, or all of them packed
                dimension, begin = varint(mapped, begin)
                shape.append(dimension)
    if kind in (_FLOAT16, _BFLOAT16) or (kind == _INT16 and name in widened):
        return name, Weights(half=2 * math.prod(shape))
    if kind == _UINT8 and len(shape) == _BLOCKED:
        return name, Weights(blocks=math.prod(shape), scales=4 * shape[0] * shape[1])
    return name, Weights()


def _named_value(mapped: mmap.mmap, start: int, end: int) -> tuple[bytes, Value]:
    name, size, shape = b"", 4, list[Dimension]()
    for number, begin, stop in fields(mapped, start, end):
        if number == _NAME:
            name = mapped[begin:stop]
        elif number == _TYPE:
            for tensor in messages(mapped, begin, stop, _TENSOR_TYPE):
                for part, at, until in fields(mapped, *tensor):
                    if part == _ELEMENT:
                        size = _BYTES.get(varint(mapped, at)[0], 4)
                    elif part == _SHAPE:
                        shape += [_dimension(mapped, *one) for one in messages(mapped, at, until, _DIMENSION)]
    return name, Value(size, tuple(shape))


def _dimension(mapped: mmap.mmap, start: int, end: int) -> Dimension:
    for number, begin, stop in fields(mapped, start, end):
        if number == _NUMBER:
            return varint(mapped, begin)[0]
        if number == _EXPRESSION:
            return mapped[begin:stop].decode(errors="replace")
    return "?"
