"""A picture while it is painted, one finished row at a time. Knows no models."""

from dataclasses import dataclass

from PIL import Image

from ..arrays import Codes
from .preview import Preview


@dataclass(frozen=True, slots=True, kw_only=True)
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
