"""Picture files become Pillow images within bounds that are checked before a pixel is decoded.

Every number here is checked against what the file's headers say: a file that would take more is refused in one line.
"""

import io
import os
import stat
from pathlib import Path
from typing import IO, Final

from PIL import Image

from ..errors import PictureError
from .formats import inspect
from .formats.contents import Contents, UnreadableError

MAX_SIDE: Final = 32_768
MAX_FILE: Final = 256_000_000  # bytes of a file
MAX_DECODED: Final = 192_000_000  # bytes that a picture takes at any moment until it has the size the model reads
MAX_WORK: Final = 2_400_000_000  # pixels that a decoder passes over, a second on a small CPU
HALVED_ABOVE: Final = 24_000_000  # pixels; a picture of more is halved until it has no more, a JPEG by its decoder

_PIXEL: Final = 4  # bytes of a decoded pixel


def read_file(path: str | Path) -> bytes:
    """Return a file's bytes; raise `PictureError` when it has more than a picture may have, `OSError` as `open`."""
    with Path(path).open("rb") as file:
        kept = os.fstat(file.fileno())
        content = b"" if stat.S_ISREG(kept.st_mode) and kept.st_size > MAX_FILE else file.read(MAX_FILE + 1)
    if (not content and kept.st_size) or len(content) > MAX_FILE:
        raise _too_long(str(path))
    return content


def read_stream(file: IO[bytes], name: str) -> bytes:
    """Return all of an open file; raise `PictureError` when it has more than a picture may have."""
    file.seek(0)
    content = file.read(MAX_FILE + 1)
    if len(content) > MAX_FILE:
        raise _too_long(name)
    return content


def _too_long(name: str) -> PictureError:
    return PictureError(f"{name} has more than the {MAX_FILE // 10**6} MB of a picture file that are read.")


def decode(content: bytes, name: str) -> tuple[Image.Image, Contents]:
    """Return the decoded picture as stored, and what its file says of it; raise `PictureError` when it is too much.

    Raises `UnreadableError` for bytes that hold no picture, and whatever Pillow raises for damaged ones.
    """
    contents = inspect(content)
    halvings = check_decoding(contents, name)
    image = Image.open(io.BytesIO(contents.pixels), formats=(contents.format,))
    if image.size != contents.size:
        raise UnreadableError("its headers disagree about its size")
    if halvings:
        image.draft(None, (image.width >> halvings, image.height >> halvings))
    _check_bytes(name, contents.size, image.width * image.height * (_PIXEL + _converted(image, contents)))
    image.load()
    return image, contents


def check_decoding(contents: Contents, name: str) -> int:
    """Return how often the decoder halves the picture; raise `PictureError` if it takes too much all the same."""
    width, height = contents.size
    _check_sides(width, height, name)
    if contents.work > MAX_WORK:
        raise PictureError(f"{name} would take its decoder far too long. Save it as PNG or as a plain JPEG first.")
    pixels, halvings = width * height, 0
    while contents.scales and halvings < 3 and pixels >> 2 * halvings > HALVED_ABOVE:
        halvings += 1
    _check_bytes(name, contents.size, (pixels >> 2 * halvings) * contents.decoding + contents.extra)
    return halvings


def check_size(size: tuple[int, int], name: str) -> None:
    """Raise `PictureError` for a picture in memory that has no pixels, or more than a file may have."""
    _check_sides(*size, name)
    _check_bytes(name, size, size[0] * size[1] * _PIXEL)


def _check_sides(width: int, height: int, name: str) -> None:
    if min(width, height) < 1 or max(width, height) > MAX_SIDE:
        raise PictureError(f"{name} is {width}x{height} pixels; sides from 1 to {MAX_SIDE} are read. Scale it first.")


def _check_bytes(name: str, size: tuple[int, int], needed: int) -> None:
    if needed > MAX_DECODED:
        raise PictureError(
            f"{name} is {size[0]}x{size[1]} pixels, which take {needed // 10**6} MB to decode; "
            f"{MAX_DECODED // 10**6} MB is the most. Scale it first, or save it as JPEG."
        )


def _converted(image: Image.Image, contents: Contents) -> int:
    """Return how many bytes a pixel takes beside its own while a picture is converted and turned."""
    return 0 if image.mode == "RGB" and contents.orientation == 1 and not image.has_transparency_data else _PIXEL
