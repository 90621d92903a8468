"""Which way is up: the orientation in EXIF, or in XMP where EXIF names none, the one thing of both that is used."""

import re
from typing import Final

from .contents import UnreadableError
from .directory import Directory

_ORIENTATION: Final = 274
_PREFIX: Final = b"Exif\0\0"
_IN_XMP: Final = re.compile(r'tiff:Orientation(?:="|>)([1-8])\b')


def orientation(block: bytes) -> int | None:
    """Return 1 to 8, 1 upright; None where the block names none or cannot be read."""
    block = block.removeprefix(_PREFIX)
    try:
        found = Directory(block).number(_ORIENTATION, 0)
    except UnreadableError:
        return None
    return found if 1 <= found <= 8 else None


def orientation_in_xmp(xmp: str) -> int | None:
    """Return the same of XMP, into which some programs write it alone, such as the preview of macOS in a PNG."""
    found = _IN_XMP.search(xmp)
    return int(found[1]) if found else None
