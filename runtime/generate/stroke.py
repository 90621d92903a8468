"""A picture while it is painted, one finished row at a time. Knows no models."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from PIL import Image

from ..arrays import Codes
from ..pictures.write_marks import png_bytes
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


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Strokes(Iterator[Stroke]):
    """A picture of `rows` x `columns` codes that is painted while it is iterated."""

    rows: int
    columns: int
    seed: int
    _digest: Callable[[], str]
    _strokes: Iterator[Stroke]
    _after: "Callable[[Codes], Strokes]"

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the picture, apart from the bundle."""
        return self._digest()

    def __next__(self) -> Stroke:
        """Paint another row."""
        return next(self._strokes)

    def after(self, codes: Codes) -> "Strokes":
        """Return the same picture, begun anew, with its first rows (rows_done, columns) known and not drawn again.

        It is the same bit for bit. Raises `RequestError` for codes that are no such rows.
        """
        return self._after(codes)


def last_of(strokes: Iterator[Stroke]) -> Stroke:
    """Return the last stroke of a picture, the only one that a finished picture needs."""
    *_, last = strokes
    return last
