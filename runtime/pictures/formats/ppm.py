"""PPM, PGM and PBM: the size, and how many numbers Pillow reads one by one in Python."""

import re
from typing import Final

from .contents import Contents, UnreadableError

_SPACE: Final = rb"(?:[ \t\r\n\v\f]|#[^\r\n]*[\r\n])+"
_HEADER: Final = re.compile(
    rb"P([1-6])" + _SPACE + rb"(\d{1,9})" + _SPACE + rb"(\d{1,9})(?:" + _SPACE + rb"(\d{1,9}))?"
)
_LONGEST_HEADER: Final = 4096
_MAX_NUMBERS: Final = 1 << 20  # a second


def inspect(content: bytes) -> Contents:
    """Return the size of a PPM; raise `UnreadableError` for one of too many numbers in words."""
    match = _HEADER.match(content[:_LONGEST_HEADER])
    if match is None:
        raise UnreadableError("its header is not that of a PPM")
    kind, width, height, most = (int(group or 255) for group in match.groups())
    slow = kind <= 3 or (kind != 4 and most not in (255, 65535)) or (kind == 6 and most != 255)
    if slow and width * height * (3 if kind in (3, 6) else 1) > _MAX_NUMBERS:
        raise UnreadableError(f"it holds more than {_MAX_NUMBERS} numbers that are not bytes")
    return Contents(format="PPM", size=(width, height), pixels=content)
