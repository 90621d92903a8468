"""Lossless WebP files written bit by bit: an image of one colour behind transforms and many groups of codes.

After RFC 9649. A code is written with one symbol, which takes no bits, or as one of many.
"""

import numpy as np

ORDER = (17, 18, 0, 1, 2, 3, 4, 5, 16, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15)
LITERALS, GREENS, DISTANCES = 256, 280, 40


class Writer:
    """Bits, the lowest of each byte first."""

    def __init__(self, bits: list[int] | None = None) -> None:
        self.bits = bits or []

    def put(self, value: int, count: int) -> None:
        self.bits += [value >> place & 1 for place in range(count)]

    def symbol(self, code: int, length: int) -> None:
        """Write a canonical code, whose first bit comes first."""
        self.bits += [code >> place & 1 for place in reversed(range(length))]

    def one(self, symbol: int = 0) -> None:
        """Write a code of one symbol below 256."""
        self.put(0b101, 3)  # simple, one symbol, of 8 bits
        self.put(symbol, 8)

    def bytes_of_8(self, symbols: int) -> None:
        """Write a code in which the first 256 symbols are their own eight bits."""
        self.put(0, 1)
        self.put(12 - 4, 4)
        for length in ORDER[:12]:
            self.put(length in (0, 8), 3)
        self.put(0, 1)
        for symbol in range(symbols):
            self.put(symbol < LITERALS, 1)

    def uneven(self) -> None:
        """Write a code of 16 symbols of 1 to 15 bits, for which a decoder takes tables of two levels."""
        self.put(0, 1)
        self.put(19 - 4, 4)
        for length in ORDER:
            self.put(4 if length < 16 else 0, 3)
        self.put(0b0011, 4)  # a number of symbols follows, in four bits
        self.put(16 - 2, 4)
        for length in (*range(1, 15), 15, 15):
            self.symbol(length, 4)

    def content(self) -> bytes:
        padded = np.array(self.bits + [0] * (-len(self.bits) % 8), np.uint8)
        return np.packbits(padded.reshape(-1, 8)[:, ::-1]).tobytes()


def header(width: int, height: int) -> Writer:
    writer = Writer()
    writer.put(width - 1, 14)
    writer.put(height - 1, 14)
    writer.put(0, 4)  # no transparency, version 0
    return writer


def put_groups(writer: Writer, tiles: int, groups: int, *, uneven: bool = False, cache: int = 0) -> None:
    """Write what follows the transforms: so many groups of codes over tiles of 4x4 pixels, and pixels of one colour."""
    writer.put(1 if cache else 0, 1)
    writer.put(cache, 4 if cache else 0)
    writer.put(1, 1)
    writer.put(0, 3)  # tiles of 4x4 pixels
    writer.put(0, 1)
    writer.bytes_of_8(GREENS)
    writer.bytes_of_8(LITERALS)
    for _ in range(3):
        writer.one()
    for tile in range(tiles):
        group = tile if tile < groups else 0
        writer.symbol(group & 255, 8)
        writer.symbol(group >> 8, 8)
    for _ in range(groups):
        for _ in range(5):
            writer.uneven() if uneven else writer.one()
    if uneven:
        writer.bits += [0] * (4 * 16 * tiles)  # the first symbol of every channel


def as_file(stream: bytes) -> bytes:
    """Return a WebP file of a stream."""
    data = b"\x2f" + stream
    chunk = b"VP8L" + len(data).to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
    return b"RIFF" + (4 + len(chunk)).to_bytes(4, "little") + b"WEBP" + chunk
