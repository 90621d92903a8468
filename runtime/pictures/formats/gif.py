"""GIF: screen, colours and the first image, without comments and the frames after it."""

from typing import Final

from .contents import ANIMATED, Contents, UnreadableError, check_parts, number

_EXTENSION, _IMAGE, _CONTROL = 0x21, 0x2C, 0xF9
_END: Final = b"\x3b"


def inspect(content: bytes) -> Contents:
    """Return size and pixels of a GIF's first image."""
    at = 13 + _colours(content[10])
    kept, control, image, parts, data = [content[:at]], b"", (0, 0), 0, b""
    while at < len(content):
        kind = content[at]
        if kind == _EXTENSION:
            end, parts = _blocks(content, at + 2, parts)
            if content[at + 1] == _CONTROL and not data:
                control = content[at:end]
        elif kind == _IMAGE and not data:
            first = at + 10 + _colours(content[at + 9]) + 1
            end, parts = _blocks(content, first, parts)
            data = content[at:end]
            left, top, width, height = (number(content, at + 1 + 2 * i, 2, "little") for i in range(4))
            image = (left + width, top + height)
        else:
            break
        at = end
    if not data:
        raise UnreadableError("it has no image")
    screen = number(content, 6, 2, "little"), number(content, 8, 2, "little")
    animated = at < len(content) and content[at] == _IMAGE
    return Contents(
        format="GIF",
        size=(max(screen[0], image[0]), max(screen[1], image[1])),
        pixels=b"".join([*kept, control, data, _END]),
        change=ANIMATED if animated else None,
    )


def _colours(flags: int) -> int:
    """Return the bytes of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _blocks(content: bytes, at: int, parts: int) -> tuple[int, int]:
    """Return where a row of blocks ends, and how many parts that makes."""
    while at < len(content) and content[at]:
        at += content[at] + 1
        parts += 1
    check_parts(parts)
    return at + 1, parts
