"""Pictures side by side: reference, candidate, and how they differ, with the request beneath. Knows no models."""

import functools
import textwrap
from collections.abc import Sequence
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from .cases import Case
from .compare import Pair

AMPLIFIED: Final = 4  # times that a difference of levels is shown
MOST: Final = 24  # pairs on a sheet
_COLUMNS: Final = 2
_SIDES: Final = (128, 320)  # px: smaller pictures are enlarged in whole steps, larger ones scaled down
_GAP: Final = 6  # px
_FONT_SIZE: Final = 12
_LINE: Final = 16
_INK: Final = "black"

# Files that hold Chinese characters as well; Pillow looks for them where the system keeps its fonts.
_FONTS: Final = (
    "NotoSansCJK-Regular.ttc", "NotoSansSC-Regular.otf", "SourceHanSansSC-Regular.otf", "wqy-microhei.ttc",
    "wqy-zenhei.ttc", "DroidSansFallback.ttf", "msyh.ttc", "simsun.ttc", "PingFang.ttc", "Hiragino Sans GB.ttc",
)  # fmt: skip


def sheet(pairs: Sequence[Pair], title: str) -> Image.Image:
    """Return one picture of the first `MOST` pairs: reference, candidate, difference, and a caption under each."""
    panels = [_panel(pair) for pair in pairs[:MOST]]
    width = max(panel.width for panel in panels)
    rows = [panels[at : at + _COLUMNS] for at in range(0, len(panels), _COLUMNS)]
    heights = [max(panel.height for panel in row) + _GAP for row in rows]
    columns = min(_COLUMNS, len(panels))
    heading = _text(title, columns * (width + 2 * _GAP), _INK)
    canvas = Image.new("RGB", (columns * (width + 2 * _GAP), heading.height + sum(heights) + 2 * _GAP), "white")
    canvas.paste(heading, (_GAP, _GAP))
    top = heading.height + 2 * _GAP
    for row, height in zip(rows, heights, strict=True):
        for column, panel in enumerate(row):
            canvas.paste(panel, (_GAP + column * (width + 2 * _GAP), top))
        top += height
    return canvas


def difference(reference: Image.Image, candidate: Image.Image) -> Image.Image:
    """Return how far two pictures are apart in each channel, `AMPLIFIED` times; black is no difference."""
    ours, theirs = (np.asarray(image.convert("RGB"), dtype=np.int32) for image in (reference, candidate))
    return Image.fromarray(np.minimum(np.abs(ours - theirs) * AMPLIFIED, 255).astype(np.uint8))


def _panel(pair: Pair) -> Image.Image:
    pictures = [_sized(one) for one in (pair.reference, pair.candidate, difference(pair.reference, pair.candidate))]
    width = sum(one.width for one in pictures) + _GAP * (len(pictures) - 1)
    figures = f"codes {100 * pair.agreement:.1f} %, colour {pair.colour:.1f}"
    caption = _text(f"{pair.case.number + 1}. {_printable(pair.case)}  ({figures})", width, _INK)
    canvas = Image.new("RGB", (width, pictures[0].height + 2 + caption.height), "white")
    left = 0
    for one in pictures:
        canvas.paste(one, (left, 0))
        left += one.width + _GAP
    canvas.paste(caption, (0, pictures[0].height + 2))
    return canvas


def _sized(picture: Image.Image) -> Image.Image:
    smallest, largest = _SIDES
    longer = max(picture.size)
    if longer > largest:
        factor = largest / longer
        return picture.resize((round(picture.width * factor), round(picture.height * factor)))
    steps = max(1, smallest // longer)
    return picture.resize((picture.width * steps, picture.height * steps), Image.Resampling.NEAREST)


def _text(text: str, width: int, ink: str) -> Image.Image:
    """Return text in lines of at most so many pixels."""
    font, lines = _font(), []
    for paragraph in text.splitlines():
        wide = max(1, round(len(paragraph) * width / max(font.getlength(paragraph), 1)))
        lines += textwrap.wrap(paragraph, wide) or [""]
    canvas = Image.new("RGB", (width, _LINE * len(lines)), "white")
    for number, line in enumerate(lines):
        ImageDraw.Draw(canvas).text((0, number * _LINE), line, fill=ink, font=font)
    return canvas


@functools.cache
def _font() -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    for name in _FONTS:
        try:
            return ImageFont.truetype(name, _FONT_SIZE)
        except OSError:
            continue
    return ImageFont.load_default(_FONT_SIZE)


def _printable(case: Case) -> str:
    """Return a request as it stands, or in English where the font lacks its characters."""
    font = _font()
    if case.caption.isascii() or (isinstance(font, ImageFont.FreeTypeFont) and str(font.path).endswith(_FONTS)):
        return case.caption
    return case.english or f"{case.ability}: no font here has these characters, see the figures' file"
