"""VP8L, the lossless stream of WebP: how much memory its Huffman tables ask for, read before it is decoded.

A small stream may name 65,536 groups of five codes, for which a decoder takes hundreds of megabytes. How many there are
stands behind the transforms, as the largest pixel of an image of its own (RFC 9649, 4 and 5):

    transforms, each with an image | colour cache | groups: an image of their numbers | the codes of each group | pixels
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from .contents import UnreadableError

_PREDICTOR, _CROSS_COLOUR, _SUBTRACT_GREEN, _INDEXING = range(4)  # kinds of transforms
_LITERALS, _LENGTHS, _DISTANCES = 256, 24, 40  # symbols of the codes
_ORDER: Final = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)  # of the lengths of lengths
_REPEATS: Final = {16: (2, 3), 17: (3, 3), 18: (7, 11)}  # bits of a count, and the least
_FIRST: Final = 8  # the length that a repeat at the beginning repeats
_LONGEST: Final = 15  # bits of a code

_GROUPS: Final = 65_536  # numbers have 16 bits
_LEAST_BITS: Final = 20  # of a group: five codes of one symbol
_READ: Final = 200_000  # pixels that are read here, in a quarter of a second; of images by libwebp an eighth at most
# Entries in the tables of libwebp for five codes, the largest that they need; the first by the bits of a colour cache.
_FIRST_TABLE: Final = (654, 656, 658, 662, 670, 686, 718, 782, 912, 1168, 1680, 2704)
_OTHER_TABLES: Final = 3 * 630 + 410
_ENTRY: Final = 4  # bytes
_GROUP: Final = 600  # bytes of a group beside its tables
_PASSED: Final = 32_000_000  # bytes of tables for which the stream is not read


class _TooLongError(Exception):
    """More pixels than are read here."""


def table_bytes(stream: bytes, size: tuple[int, int]) -> int:
    """Return how many bytes the tables of a stream of this size (width, height) take at most; it has no header.

    Raises `UnreadableError` for a stream that ends too early or holds codes that no decoder takes.
    """
    width, height = size
    most = min(_GROUPS, _tiles(width, 2) * _tiles(height, 2), 8 * len(stream) // _LEAST_BITS)
    if _bytes(most, 11) <= _PASSED:
        return _bytes(most, 11)
    try:
        return _bytes(*_groups(Bits(stream), width, height))
    except _TooLongError:
        return _bytes(most, 11)


def _bytes(groups: int, cache: int) -> int:
    return groups * (_GROUP + _ENTRY * (_FIRST_TABLE[min(cache, 11)] + _OTHER_TABLES))


def _groups(bits: "Bits", width: int, height: int) -> tuple[int, int]:
    """Return the number of groups, and the bits of the colour cache."""
    skip_transforms(bits, width, height)
    width = bits.width or width
    cache = bits.take(4) if bits.take(1) else 0
    if not bits.take(1):
        return 1, cache
    tile = bits.take(3) + 2
    return 1 + _largest_group(bits, _tiles(width, tile) * _tiles(height, tile)), cache


def skip_transforms(bits: "Bits", width: int, height: int) -> None:
    """Read past the transforms; indexed colours pack pixels, which leaves another width in `bits`."""
    while bits.take(1):
        kind = bits.take(2)
        if kind in (_PREDICTOR, _CROSS_COLOUR):
            tile = bits.take(3) + 2
            _largest_group(bits, _tiles(width, tile) * _tiles(height, tile))
        elif kind == _INDEXING:
            colours = bits.take(8) + 1
            _largest_group(bits, colours)
            packed = 3 if colours <= 2 else 2 if colours <= 4 else 1 if colours <= 16 else 0
            width = bits.width = _tiles(width, packed)


def _largest_group(bits: "Bits", pixels: int) -> int:
    """Read an image of so many pixels; return the largest number in red and green. Copies bring no new one."""
    cache = bits.take(4) if bits.take(1) else 0
    if cache > 11:
        raise UnreadableError("its colour cache is too large")
    green, red, blue, alpha, distance = (
        _code(bits, symbols)
        for symbols in (
            _LITERALS + _LENGTHS + (1 << cache if cache else 0), _LITERALS, _LITERALS, _LITERALS, _DISTANCES,
        )
    )  # fmt: skip
    largest = 0
    while pixels > 0:
        bits.read += 1
        if bits.read > _READ:
            raise _TooLongError
        symbol = bits.symbol(green)
        if symbol < _LITERALS:
            largest = max(largest, bits.symbol(red) << 8 | symbol)
            bits.symbol(blue)
            bits.symbol(alpha)
            pixels -= 1
        elif symbol < _LITERALS + _LENGTHS:
            pixels -= _prefixed(bits, symbol - _LITERALS)
            _prefixed(bits, bits.symbol(distance))
        else:
            pixels -= 1
    return largest


def _prefixed(bits: "Bits", prefix: int) -> int:
    """Return a length or distance, whose upper bits are its prefix."""
    if prefix < 4:
        return prefix + 1
    extra = (prefix - 2) >> 1
    return ((2 + (prefix & 1)) << extra) + bits.take(extra) + 1


def _tiles(side: int, bits: int) -> int:
    return -(-side >> bits)


@dataclass(frozen=True, slots=True)
class _Code:
    """A prefix code: for the next `bits` bits, the lowest first, what they begin with and how long that is."""

    bits: int
    symbols: list[int]
    lengths: bytes


def _code(bits: "Bits", symbols: int) -> _Code:
    if bits.take(1):
        return _simple_code(bits)
    lengths = [0] * 19
    for symbol in _ORDER[: bits.take(4) + 4]:
        lengths[symbol] = bits.take(3)
    return _canonical(_code_lengths(bits, _canonical(lengths), symbols))


def _simple_code(bits: "Bits") -> _Code:
    two = bits.take(1)
    first = bits.take(8 if bits.take(1) else 1)
    if not two:
        return _Code(0, [first], b"\0")
    return _Code(1, sorted((first, bits.take(8))), b"\1\1")


def _code_lengths(bits: "Bits", code: _Code, symbols: int) -> list[int]:
    """Read the lengths of a code's symbols, 0 for those that do not occur."""
    left = bits.take(2 + 2 * bits.take(3)) + 2 if bits.take(1) else symbols
    if left > symbols:
        raise UnreadableError("a code has too many symbols")
    lengths: list[int] = []
    before = _FIRST
    while left > 0 and len(lengths) < symbols:
        left -= 1
        length = bits.symbol(code)
        if length <= _LONGEST:
            lengths.append(length)
            before = length or before
        else:
            extra, least = _REPEATS[length]
            lengths += [before if length == 16 else 0] * (least + bits.take(extra))
    return lengths


def _canonical(lengths: Sequence[int]) -> _Code:
    """Return the code of these lengths; raise `UnreadableError` unless it is complete, as decoders do."""
    used = sorted((length, symbol) for symbol, length in enumerate(lengths) if length)
    if len(used) == 1:
        return _Code(0, [used[0][1]], b"\0")
    longest = used[-1][0] if used else 0
    if sum(1 << (longest - length) for length, _ in used) != 1 << longest or not used:
        raise UnreadableError("a code is not complete")
    found, taken = [0] * (1 << longest), bytearray(1 << longest)
    code = 0
    for (length, symbol), (next_length, _) in zip(used, [*used[1:], used[-1]], strict=True):
        low = int(f"{code:0{length}b}"[::-1], 2)  # the stream has the first bit lowest
        count = 1 << (longest - length)
        found[low :: 1 << length] = [symbol] * count
        taken[low :: 1 << length] = bytes([length]) * count
        code = (code + 1) << (next_length - length)
    return _Code(longest, found, bytes(taken))


class Bits:
    """A stream of bits, the lowest of each byte first. `read` counts pixels; `width` is set by packed ones."""

    def __init__(self, stream: bytes) -> None:
        self._stream, self.at, self.read, self.width = stream, 0, 0, 0
        self._end = 8 * len(stream)

    def take(self, count: int) -> int:
        """Return a number of so many bits."""
        found = self._ahead() & ((1 << count) - 1)
        self._move(count)
        return found

    def symbol(self, code: _Code) -> int:
        """Return the next symbol of a code."""
        if not code.bits:
            return code.symbols[0]
        ahead = self._ahead() & ((1 << code.bits) - 1)
        self._move(code.lengths[ahead])
        return code.symbols[ahead]

    def _ahead(self) -> int:
        start = self.at >> 3
        return int.from_bytes(self._stream[start : start + 4], "little") >> (self.at & 7)

    def _move(self, count: int) -> None:
        self.at += count
        if self.at > self._end:
            raise UnreadableError("the file ends in its headers")
