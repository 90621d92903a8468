"""What is shown of a picture while it is painted, made beside the painting by a thread of its own.

ONNX Runtime computes without Python's lock, so the next row is painted while a finished one is decoded and encoded.
Rows that come faster than a screen shows them, or than the thread makes strips of them, become one strip.
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeAlias

from PIL import Image

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.stroke import Stroke

from ..engine.messages import Event, Partial, Strip
from .encode import encode_strip

_EVERY_S: Final = 1 / 30
_ABOVE: Final = 1  # rows above a strip that are decoded with it: what the decoder's convolutions look at

Decode: TypeAlias = Callable[[Codes], Image.Image]
Encode: TypeAlias = Callable[[Image.Image], bytes]
Tell: TypeAlias = Callable[[Event], None]


class Showing:
    """The strips and partial pictures of one picture, told in order as they are made."""

    def __init__(self, job: str, picture: int, decode: Decode, tell: Tell) -> None:
        self._job = job
        self._picture = picture
        self._decode = decode
        self._tell = tell
        self._thread = ThreadPoolExecutor(1)
        self._made: list[Future[None]] = []
        self._newest: Stroke | None = None
        self._shown = 0  # rows that stand on a strip
        self._due = 0.0  # when the next strip may be made
        self._at_once = threading.Event()

    def __enter__(self) -> "Showing":
        return self

    def __exit__(self, *_: object) -> None:
        # Nobody waits for what is being decoded for a picture that was cancelled: it is told to a job that is over.
        self._at_once.set()
        self._thread.shutdown(wait=False, cancel_futures=True)

    def strip(self, stroke: Stroke) -> None:
        """Have the rows up to this stroke shown."""
        self._newest = stroke
        self._made.append(self._thread.submit(self._make_strip))

    def partial(self, index: int, stroke: Stroke, encode: Encode) -> None:
        """Have the whole picture so far shown."""
        self._made.append(self._thread.submit(self._make_partial, index, stroke, encode))

    def finish(self) -> None:
        """Wait until everything was told; raise what the thread could not do."""
        self._at_once.set()
        for one in self._made:
            one.result()

    def _make_strip(self) -> None:
        self._at_once.wait(max(0.0, self._due - time.monotonic()))
        stroke = self._newest
        assert stroke is not None
        first, count = self._shown, stroke.rows_done - self._shown
        if count == 0:  # shown together with the row before
            return
        above = min(_ABOVE, first)
        decoded = self._decode(stroke.codes[first - above :])
        cell = decoded.height // (above + count)
        strip = decoded.crop((0, above * cell, decoded.width, decoded.height))
        self._shown, self._due = stroke.rows_done, time.monotonic() + _EVERY_S
        image = encode_strip(strip)
        self._tell(
            Strip(
                job=self._job,
                picture=self._picture,
                row=first,
                count=count,
                rows=stroke.rows,
                image=image,
                width=strip.width,
                height=strip.height,
            )
        )

    def _make_partial(self, index: int, stroke: Stroke, encode: Encode) -> None:
        picture = stroke.preview
        width, height = picture.size
        image = encode(picture)
        self._tell(Partial(job=self._job, picture=self._picture, index=index, image=image, width=width, height=height))
