"""A picture while it is painted, one finished row at a time. Knows no models."""

from dataclasses import dataclass

from PIL import Image

from ..arrays import Codes
from ..pictures.marks import png_bytes
from .preview import Preview


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Stroke:
    """The picture after another finished row: its codes so far, (rows_done, columns), out of `rows` rows."""

    codes: Codes
    rows: int
    _preview: Preview

    @property
    def rows_done(self) -> int:
        """How many rows are finished."""
        return int(self.codes.shape[0])

    @property
    def preview(self) -> Image.Image:
        """The picture so far in its full size; exact after the last row, approximate before.

        Only rows that no earlier preview of this picture showed are decoded.
        """
        return self._preview.of(self.codes)

    def __repr__(self) -> str:
        return f"<Stroke: {self.rows_done} of {self.rows} rows, {self.codes.shape[1]} columns>"

    def _repr_png_(self) -> bytes:
        """The picture so far, as notebooks show it."""
        return png_bytes(self.preview)
