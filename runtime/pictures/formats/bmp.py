"""BMP: its size, and how much of it Pillow unpacks run by run in Python."""

from typing import Final

from .contents import Contents, UnreadableError, number

_RUNS: Final = (1, 2)  # RLE8 and RLE4
_MAX_RUNS: Final = 1 << 20  # bytes of them: a second


def inspect(content: bytes) -> Contents:
    """Return the size of a BMP."""
    if number(content, 14, 4, "little") == 12:  # the header of OS/2
        return _plain(content, number(content, 18, 2, "little"), number(content, 20, 2, "little"))
    width, height = (_signed(number(content, at, 4, "little")) for at in (18, 22))
    if number(content, 30, 4, "little") in _RUNS and len(content) > _MAX_RUNS:
        raise UnreadableError(f"it has more than {_MAX_RUNS} bytes of runs")
    return _plain(content, width, abs(height))


def _plain(content: bytes, width: int, height: int) -> Contents:
    return Contents(format="BMP", size=(width, height), pixels=content)


def _signed(value: int) -> int:
    return value - (value >> 31 << 32)
