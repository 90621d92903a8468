"""TIFF: the first picture with the tags that decoding needs, without profiles, layers and further pages."""

from typing import Final

from .contents import OF_16_BITS, OF_32_BITS, PREVIEW, SEVERAL, UNSIGNED_32_BITS, Contents, UnreadableError
from .directory import Directory

_KIND, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _WHITE, _SAMPLES, _ROWS = 254, 256, 257, 258, 259, 262, 277, 278
_TILE_WIDTH, _TILE_HEIGHT, _ORIENTATION, _FORMAT = 322, 323, 274, 339
_KEPT: Final = frozenset((
    _KIND, 255, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _WHITE, 266, 273, _SAMPLES, _ROWS, 279, 284, 292, 293, 317, 320,
    _TILE_WIDTH, _TILE_HEIGHT, 324, 325, 332, 338, _FORMAT, 347, 512, 513, 514, 529, 530, 531, 532,
))  # fmt: skip
_SIGNED: Final = 2
_REDUCED: Final = 1  # the bit of a picture's kind for a smaller version of another
_SCANNED: Final = (6, 7)  # JPEG inside, perhaps progressive
_WEBP: Final = 50_001  # whose tables of codes are not looked through here, see vp8l.py


def inspect(content: bytes) -> Contents:
    """Return size and pixels of a TIFF's first page."""
    directory = Directory(content)
    width, height = directory.number(_WIDTH, 0), directory.number(_HEIGHT, 0)
    tall = min(directory.number(_ROWS, height), height)
    across, down = directory.number(_TILE_WIDTH, width), directory.number(_TILE_HEIGHT, tall)
    bits = directory.numbers(_BITS, 16) or [1]
    samples = directory.number(_SAMPLES, 1)
    if samples > 16 or max(bits) > 64 or not across or not down:
        raise UnreadableError("its samples are of a kind that is not read")
    if directory.number(_COMPRESSION, 1) == _WEBP:
        raise UnreadableError("its pixels are WebP files; save it with LZW or Deflate")
    scans = content.count(b"\xff\xda") if directory.number(_COMPRESSION, 1) in _SCANNED else 1
    orientation = directory.number(_ORIENTATION, 1)
    return Contents(
        format="TIFF",
        size=(width, height),
        pixels=directory.with_only(_KEPT),
        orientation=orientation if 1 <= orientation <= 8 else 1,
        change=PREVIEW if directory.number(_KIND, 0) & _REDUCED else SEVERAL if directory.more else None,
        bits=_largest(max(bits), signed=directory.number(_FORMAT, 1) == _SIGNED),
        is_negative=directory.number(_WHITE, 1) == 0,
        extra=across * down * max(4, samples * max(bits) // 8),  # one strip or tile
        work=max(width * height, scans * across * down),
    )


def _largest(bits: int, *, signed: bool) -> int:
    """Return the bits of the largest number that integers of so many bits hold."""
    if bits <= OF_16_BITS:
        return OF_16_BITS
    return OF_32_BITS if signed else UNSIGNED_32_BITS
