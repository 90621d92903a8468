"""Strips: small pictures of finished rows, made between the rows of a painting and never at its expense.

The first row is shown at once. After that a strip waits until it takes a twentieth of the time since the last one at
most, and until a screen would show it: what a client sees of a picture makes it five percent slower at most, and on a
fast machine several rows become one strip. A thread beside the painting was tried and cost more: with small models it
fights with the painting over Python's lock, with large ones over the cores.
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
        self._due = 0.0  # when the next one may be made

    def strip(self, stroke: Stroke) -> Strip | None:
        """Return a strip of the rows that none shows yet; None before it is due, and when the picture comes next."""
        began = self._clock()
        if began < self._due or stroke.rows_done == stroke.rows:
            return None
        made = self._made(stroke)
        now = self._clock()
        self._shown, self._due = stroke.rows_done, now + max(_EVERY_S, (now - began) / _SHARE)
        return made

    def _made(self, stroke: Stroke) -> Strip:
        first, count = self._shown, stroke.rows_done - self._shown
        above = min(_ABOVE, first)
        decoded = self._decode(stroke.codes[first - above :])
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
