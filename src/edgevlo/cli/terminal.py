"""Pictures in the terminal: two pixels a character, in 24-bit colour. Knows no models."""

import shutil
from typing import Final

from PIL import Image

_UPPER_HALF: Final = "\u2580"
_RESET: Final = "\x1b[0m"


def strip(picture: Image.Image, top: int, bottom: int) -> str:
    """Return the lines that show the picture between two heights in pixels, scaled to fit the terminal."""
    columns = min(shutil.get_terminal_size().columns, picture.width // 2)
    lines = max(1, round((bottom - top) * columns / picture.width / 2))
    scaled = picture.crop((0, top, picture.width, bottom)).resize((columns, lines * 2), Image.Resampling.BOX)
    return "\n".join(_line(scaled, 2 * line) for line in range(lines))


def _line(picture: Image.Image, top: int) -> str:
    cells = []
    for column in range(picture.width):
        upper, lower = picture.getpixel((column, top)), picture.getpixel((column, top + 1))
        cells.append(f"\x1b[38;2;{_rgb(upper)}m\x1b[48;2;{_rgb(lower)}m{_UPPER_HALF}")
    return "".join(cells) + _RESET


def _rgb(colour: object) -> str:
    assert isinstance(colour, tuple)
    return ";".join(map(str, colour))
