"""Strips: small pictures of finished rows, made between the rows of a painting and never at its expense.

The first row is shown at once. After that a strip holds as many of the oldest rows that none shows yet as may be
decoded in a twentieth of the time since the last one, by what a row took then, and waits until a screen would show it.
So strips make a painting five percent slower at most; on a fast machine several rows become one strip, and where
decoding is slow they lag behind. A thread beside the painting was tried and cost more: with small models it fights with
the painting over Python's lock, with large ones over the cores.
"""

import time
from collections.abc import Callable
from typing import Final, TypeAlias

from PIL import Image

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.stroke import Stroke

from ..engine.messages import Strip
from .encode import encode_fast

_EVERY_S: Final = 1 / 30
_SHARE: Final = 0.05  # of the painting's time
_MOST: Final = 1000  # rows a strip, where decoding takes no time
_ABOVE: Final = 1  # rows above a strip that are decoded with it: what the decoder's convolutions look at

Decode: TypeAlias = Callable[[Codes], Image.Image]


class Showing:
    """The strips of one picture."""

    def __init__(self, job: str, picture: int, decode: Decode, clock: Callable[[], float] = time.perf_counter) -> None:
        self._job = job
        self._picture = picture
        self._decode = decode
        self._clock = clock
        self._shown = 0  # rows that stand on a strip
        self._last = 0.0  # when the last one was finished
        self._row_s = 0.0  # what a row of it took

    def strip(self, stroke: Stroke) -> Strip | None:
        """Return a strip of the rows that none shows yet; None before it is due, and when the picture comes next."""
        began = self._clock()
        count = min(stroke.rows_done - self._shown, self._affordable(began - self._last))
        if count < 1 or stroke.rows_done == stroke.rows:
            return None
        made = self._made(stroke, count)
        self._last = self._clock()
        self._row_s = (self._last - began) / (count + min(_ABOVE, self._shown))
        self._shown += count
        return made

    def _affordable(self, waited: float) -> int:
        """Return how many rows a strip may hold after so many seconds without one."""
        if not self._shown:
            return 1
        if waited < _EVERY_S:
            return 0
        return int(_SHARE * waited / max(self._row_s, _EVERY_S * _SHARE / _MOST)) - _ABOVE

    def _made(self, stroke: Stroke, count: int) -> Strip:
        first = self._shown
        above = min(_ABOVE, first)
        decoded = self._decode(stroke.codes[first - above : first + count])
        cell = decoded.height // (above + count)
        rows = decoded.crop((0, above * cell, decoded.width, decoded.height))
        return Strip(
            job=self._job,
            picture=self._picture,
            row=first,
            count=count,
            rows=stroke.rows,
            image=encode_fast(rows),
            width=rows.width,
            height=rows.height,
        )
