"""Picture files become Pillow images, within the bounds of limits.py, which are checked before a pixel is decoded."""

import contextlib
import ctypes
import functools
import io
import os
import stat
from pathlib import Path
from typing import IO

from PIL import Image, _imaging

from ..errors import PictureError
from .formats import inspect
from .formats.contents import Contents, UnreadableError
from .limits import MAX_FILE, PIXEL_BYTES, check_bytes, check_decoding


def read_file(path: str | Path) -> bytes:
    """Return a file's bytes; raise `PictureError` when it has more than a picture may have, `OSError` as `open`."""
    with Path(path).open("rb") as file:
        kept = os.fstat(file.fileno())
        content = b"" if stat.S_ISREG(kept.st_mode) and kept.st_size > MAX_FILE else file.read(MAX_FILE + 1)
    if (not content and kept.st_size) or len(content) > MAX_FILE:
        raise _too_long(str(path))
    return content


def read_stream(file: IO[bytes], name: str) -> bytes:
    """Return all of an open file, of a pipe or a download what is left; raise `PictureError` when it is too long."""
    parts, left = list[bytes](), MAX_FILE + 1
    try:
        if not hasattr(file, "seekable") or file.seekable():
            file.seek(0)
        while left > 0 and (part := file.read(left)):
            if not isinstance(part, bytes):
                raise TypeError
            parts.append(part)
            left -= len(part)
    except (TypeError, ValueError) as error:  # it is closed, open for writing alone, or a text file
        raise PictureError(f"{name} is not open for reading bytes. Open it with open(..., 'rb').") from error
    if left <= 0:
        raise _too_long(name)
    return b"".join(parts)


def _too_long(name: str) -> PictureError:
    return PictureError(f"{name} has more than the {MAX_FILE // 10**6} MB of a picture file that are read.")


def decode(content: bytes, name: str) -> tuple[Image.Image, Contents]:
    """Return the decoded picture as stored, and what its file says of it; raise `PictureError` when it is too much.

    Raises `UnreadableError` for bytes that hold no picture, and whatever Pillow raises for damaged ones.
    """
    contents = inspect(content)
    halvings = check_decoding(contents, name)
    if contents.format == "TIFF":
        _silence_libtiff()
    image = Image.open(io.BytesIO(contents.pixels), formats=(contents.format,))
    if image.size != contents.size:
        raise UnreadableError("its headers disagree about its size")
    if halvings:
        image.draft(None, (image.width >> halvings, image.height >> halvings))
    check_bytes(name, contents.size, image.width * image.height * (PIXEL_BYTES + _converted(image, contents)))
    image.load()
    return image, contents


@functools.cache
def _silence_libtiff() -> None:
    """Keep libtiff from printing what is wrong with a file: our own line says it. Where it is linked in, it prints."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(_imaging.__file__).TIFFSetErrorHandler(None)


def _converted(image: Image.Image, contents: Contents) -> int:
    """Return how many bytes a pixel takes beside its own while a picture is converted and turned."""
    return 0 if image.mode == "RGB" and contents.orientation == 1 and not image.has_transparency_data else PIXEL_BYTES
