"""What a picture file is before it is decoded: its size, what decoding costs, and the part of it that holds pixels.

Metadata never decides about pixels: text, colour profiles, previews and further pictures of a file are left out of what
Pillow is given, and only the orientation is read from EXIF. Knows containers, not pixels.
"""

from collections.abc import Callable
from typing import Final

from . import bmp, gif, jpeg, png, ppm, tiff, webp
from .contents import Contents, UnreadableError

_STARTS: Final[tuple[tuple[bytes, Callable[[bytes], Contents]], ...]] = (
    (b"\x89PNG\r\n\x1a\n", png.inspect),
    (b"\xff\xd8\xff", jpeg.inspect),
    (b"GIF87a", gif.inspect),
    (b"GIF89a", gif.inspect),
    (b"RIFF", webp.inspect),
    (b"BM", bmp.inspect),
    (b"II*\0", tiff.inspect),
    (b"MM\0*", tiff.inspect),
    (b"II+\0", tiff.inspect),
    (b"MM\0+", tiff.inspect),
    *((b"P%d" % number, ppm.inspect) for number in range(1, 7)),
)

# Bytes near the beginning of files that people take for pictures, and what these files are.
_OTHERS: Final = {
    b"version https://git-lfs": "it is the note of Git LFS in place of the file, which `git lfs pull` fetches",
    b"ftyphei": "it is a HEIC file; save it as JPEG",
    b"ftypmif1": "it is a HEIC file; save it as JPEG",
    b"ftypavif": "it is an AVIF file; save it as JPEG",
    b"%PDF": "it is a PDF file; save the page as PNG",
    b"<svg": "it is an SVG file; save it as PNG",
    b"<!DOCTYPE html": "it is a page of the web; save the picture itself",
}


def inspect(content: bytes) -> Contents:
    """Return what a picture file holds; raise `UnreadableError` when it is of no format that is read.

    No others than these formats: Pillow would run Ghostscript for an EPS file.
    """
    for start, reader in _STARTS:
        if content.startswith(start):
            try:
                return reader(content)
            except (IndexError, ValueError) as error:  # the headers end too early
                raise UnreadableError(str(error)) from error
    raise UnreadableError(next((what for start, what in _OTHERS.items() if start in content[:40]), "no known format"))
