"""What every format tells about a file, and numbers read out of bytes."""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

Format: TypeAlias = Literal["PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM"]
ByteOrder: TypeAlias = Literal["little", "big"]

ANIMATED: Final = "is animated, so its first frame is used"
SEVERAL: Final = "holds several pictures, of which the first is used"
PREVIEW: Final = "begins with a preview, as cameras' raw files do, which is used in place of the picture"
OF_16_BITS, OF_32_BITS, UNSIGNED_32_BITS = 16, 31, 32  # bits of the largest number of a channel
MAX_XMP: Final = 2**20  # bytes of XMP that are read, when they are unpacked
MAX_PARTS: Final = 200_000  # chunks, segments or blocks of a file; of honest files a tenth


class UnreadableError(ValueError):
    """The bytes are not a picture of this format."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Contents:
    """A picture file: the bytes that hold pixels, how large they become, and what decoding them takes."""

    format: Format
    size: tuple[int, int]  # width, height as stored
    pixels: bytes  # a file of the format with pixels alone
    orientation: int = 1  # of EXIF, 1 to 8
    change: str | None = None  # what is to be said of the file, a verb first
    bits: int = OF_16_BITS  # of integers wider than 8 bits
    is_negative: bool = False  # whether such an integer of 0 is white
    decoding: int = 4  # bytes for each pixel while the picture is decoded, its own four included
    extra: int = 0  # bytes beside them
    work: int = 0  # pixels that the decoder passes over; 0: each once
    scales: bool = False  # whether the decoder can halve the picture
    xmp: str = ""  # as it stands in the file; looked for in PNG, JPEG and WebP
    manifest: bytes = b""  # of C2PA, unverified; looked for in the same


def number(content: bytes, start: int, length: int, order: ByteOrder) -> int:
    """Return the number in `length` bytes at `start`; raise `UnreadableError` where the bytes end before."""
    taken = content[start : start + length]
    if start < 0 or len(taken) < length:
        raise UnreadableError("the file ends in its headers")
    return int.from_bytes(taken, order)


def check_parts(parts: int) -> None:
    """Raise `UnreadableError` for a file in more parts than reading them one by one is worth."""
    if parts > MAX_PARTS:
        raise UnreadableError(f"it is cut into more than {MAX_PARTS} parts")
