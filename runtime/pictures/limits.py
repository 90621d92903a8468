"""What a picture file may ask for: sides, bytes and work, checked against its headers before a pixel is decoded.

A file that would take more, such as a decompression bomb, is refused in one line.
"""

from typing import Final

from ..errors import PictureError
from .formats.contents import Contents

MAX_SIDE: Final = 32_768
MAX_FILE: Final = 256_000_000  # bytes of a file
MAX_DECODED: Final = 192_000_000  # bytes that a picture takes at any moment until it has the size the model reads
MAX_WORK: Final = 2_400_000_000  # pixels that a decoder passes over, a second on a small CPU
HALVED_ABOVE: Final = 24_000_000  # pixels; a picture of more is halved until it has no more, a JPEG by its decoder

PIXEL_BYTES: Final = 4  # bytes of a decoded pixel


def check_decoding(contents: Contents, name: str) -> int:
    """Return how often the decoder halves the picture; raise `PictureError` if it takes too much all the same."""
    width, height = contents.size
    _check_sides(width, height, name)
    if contents.work > MAX_WORK:
        raise PictureError(f"{name} would take its decoder far too long. Save it as PNG or as a plain JPEG first.")
    pixels, halvings = width * height, 0
    while contents.scales and halvings < 3 and pixels >> 2 * halvings > HALVED_ABOVE:
        halvings += 1
    check_bytes(name, contents.size, (pixels >> 2 * halvings) * contents.decoding + contents.extra)
    return halvings


def check_size(size: tuple[int, int], name: str) -> None:
    """Raise `PictureError` for a picture in memory that has no pixels, or more than a file may have."""
    _check_sides(*size, name)
    check_bytes(name, size, size[0] * size[1] * PIXEL_BYTES)


def _check_sides(width: int, height: int, name: str) -> None:
    if min(width, height) < 1:
        raise PictureError(f"{name} is {width}x{height} pixels, which is no picture. Choose another.")
    if max(width, height) > MAX_SIDE:
        raise PictureError(f"{name} is {width}x{height} pixels; sides from 1 to {MAX_SIDE} are read. Scale it first.")


def check_bytes(name: str, size: tuple[int, int], needed: int) -> None:
    """Raise `PictureError` for a picture whose decoding takes so many bytes, if they are too many."""
    if needed > MAX_DECODED:
        raise PictureError(
            f"{name} is {size[0]}x{size[1]} pixels, which take {needed // 10**6} MB to decode; "
            f"{MAX_DECODED // 10**6} MB is the most. Scale it first, or save it as JPEG."
        )
