"""What a picture file says of how it was made: every mark that this package writes, and those of others it knows.

Reads the file's metadata and no pixel. That nothing is found proves nothing: whoever re-encodes a picture removes it.
"""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from ..errors import PictureError, remedy
from .formats import inspect
from .formats.contents import UnreadableError
from .formats.png import text_of
from .origin import Origin, origin_of, xmp_of
from .picture_file import read_file
from .write_marks import PARAMETERS

_AVIF_C2PA: Final = bytes.fromhex("d8fec3d61b0e483c92975828877ec481")  # the user type of its box
_FORMATS: Final = ("PNG", "JPEG", "WEBP")
_NO_PICTURE: Final = "{} is not a PNG, JPEG, WebP or AVIF file that can be read. Choose another."


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks(Origin):
    """The marks of one file; None and empty where it has none."""

    format: str
    size: tuple[int, int]
    parameters: str | None  # A1111's text chunk
    c2pa: bool  # a signed manifest is there; it was not verified


def read_marks(path: Path) -> Marks:
    """Return the marks of a PNG, JPEG, WebP or AVIF; raise `PictureError` for another file."""
    try:
        content = read_file(path)
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}). {remedy(error, 'Choose another')}") from error
    return marks_of(content, str(path))


def marks_of(content: bytes, name: str) -> Marks:
    """Return the marks of a file in memory; `name` is what an error calls it."""
    try:
        contents = inspect(content)
    except UnreadableError:
        return _marks_of_avif(content, name)
    if contents.format not in _FORMATS:
        raise PictureError(_NO_PICTURE.format(name))
    parameters = text_of(content, PARAMETERS) if contents.format == "PNG" else None
    return _marks(contents.format, contents.size, contents.xmp, contents.manifest, parameters)


def _marks_of_avif(content: bytes, name: str) -> Marks:
    try:
        with Image.open(io.BytesIO(content), formats=("AVIF",)) as image:
            xmp, size = xmp_of(image.info), image.size
    except Exception as error:  # on damaged files Pillow raises errors of every kind; before 11.3 it knows no AVIF
        raise PictureError(_NO_PICTURE.format(name)) from error
    return _marks("AVIF", size, xmp, content[at:] if (at := content.find(_AVIF_C2PA)) >= 0 else b"", None)


def _marks(kind: str, size: tuple[int, int], xmp: str, manifest: bytes, parameters: str | None) -> Marks:
    origin = origin_of(xmp, manifest)
    return Marks(
        format=kind,
        size=size,
        source_type=origin.source_type,
        label=origin.label,
        parameters=parameters,
        c2pa=bool(manifest),
    )


def origin_of_file(content: bytes) -> tuple[Origin, str]:
    """Return what a picture file that models read says of its origin, and its format; nothing of another file."""
    try:
        contents = inspect(content)
    except UnreadableError:
        return Origin(), ""
    return origin_of(contents.xmp, contents.manifest), contents.format
