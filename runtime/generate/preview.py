"""The picture so far, of which every row is decoded once. Knows no models.

A decoder looks at the cells around a pixel, so new rows are decoded together with the rows above them, and the row that
was last before them is shown anew, now that what lies below it is known. Decoders that normalise or attend over the
whole picture give other pixels for a part of it: how far a preview is from the picture is in
benchmarks/results/previews.json. The finished picture is decoded whole, once.
"""

from collections.abc import Callable
from threading import Lock
from typing import Final, TypeAlias

from PIL import Image

from ..arrays import Codes
from ..pictures.write_marks import marked

Decode: TypeAlias = Callable[[Codes], Image.Image]

HALO: Final = 2  # rows above the new ones that are decoded with them
_REFRESHED: Final = 1  # of them so many, the lowest, are shown anew
_UNPAINTED: Final = (236, 236, 236)


class Preview:
    """Pictures of a code grid that grows row by row; may be asked by several threads."""

    def __init__(self, rows: int, decode: Decode) -> None:
        self._rows = rows
        self._decode = decode
        self._lock = Lock()
        self._canvas: Image.Image | None = None
        self._decoded = 0  # rows on the canvas
        self._picture: Image.Image | None = None

    def of(self, codes: Codes) -> Image.Image:
        """Return the picture of the first rows in its full size; of all rows it is exact and carries its `info`."""
        with self._lock:
            if len(codes) == self._rows:
                self._picture = self._picture or self._decode(codes)
                return self._picture.copy()
            return self._so_far(codes)

    def _so_far(self, codes: Codes) -> Image.Image:
        canvas = self._canvas
        if canvas is None or len(codes) > self._decoded:
            canvas = self._canvas = self._extended(canvas, codes)
            self._decoded = len(codes)
        shown, height = canvas.copy(), canvas.height // self._rows
        if len(codes) < self._decoded:  # an earlier moment
            shown.paste(_UNPAINTED, (0, len(codes) * height, shown.width, shown.height))
        return shown

    def _extended(self, canvas: Image.Image | None, codes: Codes) -> Image.Image:
        """Return the canvas with the rows that are not on it yet."""
        above = max(0, self._decoded - HALO)
        fresh = max(0, self._decoded - _REFRESHED)
        strip = self._decode(codes[above:])
        height = strip.height // (len(codes) - above)
        if canvas is None:
            canvas = marked(Image.new("RGB", (strip.width, height * self._rows), _UNPAINTED), strip.info)
        canvas.paste(strip.crop((0, (fresh - above) * height, strip.width, strip.height)), (0, fresh * height))
        return canvas
