"""The orientation in EXIF, the one thing of a picture's metadata that is used."""

from typing import Final

from .contents import UnreadableError
from .directory import Directory

_ORIENTATION: Final = 274
_PREFIX: Final = b"Exif\0\0"


def orientation(block: bytes) -> int:
    """Return 1 to 8; 1, upright, where the block says nothing or cannot be read."""
    block = block.removeprefix(_PREFIX)
    try:
        found = Directory(block).number(_ORIENTATION, 1)
    except UnreadableError:
        return 1
    return found if 1 <= found <= 8 else 1
