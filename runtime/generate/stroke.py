"""A picture while it is painted, one finished row at a time. Knows no models."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from PIL import Image

from ..arrays import Codes

_UNPAINTED: Final = (236, 236, 236)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stroke:
    """The picture after another finished row: its codes so far, (rows_done, columns), out of `rows` rows."""

    codes: Codes
    rows: int
    _decode: Callable[[Codes], Image.Image]

    @property
    def rows_done(self) -> int:
        """How many rows are finished."""
        return int(self.codes.shape[0])

    @property
    def preview(self) -> Image.Image:
        """The picture so far in its full size; exact after the last row, approximate before."""
        done = self._decode(self.codes)
        if self.rows_done == self.rows:
            return done
        canvas = Image.new("RGB", (done.width, done.height * self.rows // self.rows_done), _UNPAINTED)
        canvas.paste(done)
        return canvas
