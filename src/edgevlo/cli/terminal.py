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
    """Return one line of characters: each shows a pixel of the row `top` above one of the row below it."""
    pixels = picture.convert("RGB").tobytes()
    across = 3 * picture.width
    upper, lower = pixels[top * across : (top + 1) * across], pixels[(top + 1) * across : (top + 2) * across]
    colours = zip(upper[::3], upper[1::3], upper[2::3], lower[::3], lower[1::3], lower[2::3], strict=True)
    cells = (f"\x1b[38;2;{r};{g};{b}m\x1b[48;2;{u};{v};{w}m{_UPPER_HALF}" for r, g, b, u, v, w in colours)
    return "".join(cells) + _RESET
