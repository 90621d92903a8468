"""What a picture file is before it is decoded: its size, what decoding costs, and the part of it that holds pixels.

Metadata never decides about pixels: text, colour profiles, previews and further pictures of a file are left out of what
Pillow is given, and only the orientation is read from EXIF. Knows containers, not pixels.
"""

import re
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

# How files begin that people take for pictures, and what these files are; in this order.
_OTHERS: Final = (
    (rb"\Z", "it is empty"),
    (rb"version https://git-lfs", "it is the note of Git LFS in place of the file, which `git lfs pull` fetches"),
    (rb".{4}ftyp.{0,40}avi[fs]", "it is an AVIF file; save it as JPEG"),
    (rb".{4}ftyp(?:hei|hev|mif1|msf1)", "it is a HEIC file; save it as JPEG"),
    (rb".{4}ftypcrx|fujifilmccd-raw|IIR[OS]|IIU\0", "it is a camera's raw file; save it as JPEG"),
    (rb".{4}ftyp", "it is a video; save one of its pictures as PNG"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "it is a JPEG 2000 file; save it as JPEG"),
    (rb"\0\0\0\x0cJXL |\xff\x0a", "it is a JPEG XL file; save it as JPEG"),
    (rb"8BPS", "it is a Photoshop file; export it as PNG"),
    (rb"gimp xcf", "it is a GIMP file; export it as PNG"),
    (rb"\0\0\x01\0", "it is an icon; save it as PNG"),
    (rb"v/1\x01|#\?radiance|P[Ff]\s", "its colours are floating-point numbers; save it as PNG"),
    (rb".{0,1000}%PDF-", "it is a PDF file; save the page as PNG"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "it is a PostScript file; save it as PNG"),
    (rb".{0,1000}<(?:!doctype )?html", "it is a page of the web; save the picture itself"),
    (rb".{0,1000}<svg", "it is an SVG file; save it as PNG"),
    (rb"PK\x03\x04", "it is an archive; unpack it"),
)  # fmt: skip


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
    head = content[:1100]
    found = (what for start, what in _OTHERS if re.match(start, head, re.DOTALL | re.IGNORECASE))
    raise UnreadableError(next(found, "no known format"))
