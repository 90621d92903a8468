"""What is shown of a picture beside its painting: in order, never more than a strip behind, and no more than asked."""

import threading
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import Image

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.preview import Preview
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.serving.engine.messages import Event, Strip
from edgevlo.serving.worker.showing import Showing

ROWS = 6


def strokes() -> Iterator[Stroke]:
    preview = Preview(ROWS, picture_of)
    for done in range(1, ROWS + 1):
        yield Stroke(codes=np.arange(done * 2, dtype=np.int32).reshape(done, 2), rows=ROWS, _preview=preview)


def picture_of(codes: Codes) -> Image.Image:
    return Image.new("RGB", (8, 4 * len(codes)))


def test_rows_that_wait_for_the_thread_become_one_strip() -> None:
    told: list[Event] = []
    decoded: list[int] = []
    begun, may_go_on = threading.Event(), threading.Event()

    def decode(codes: Codes) -> Image.Image:
        decoded.append(len(codes))
        begun.set()
        assert may_go_on.wait(10)
        return picture_of(codes)

    with Showing("job", 0, decode, told.append) as showing:
        for stroke in strokes():
            showing.strip(stroke)
            assert begun.wait(10)  # the first row is being decoded while all the others are painted
        assert told == []
        may_go_on.set()
        showing.finish()

    assert decoded == [1, 1 + 5]  # with the row above
    assert [(one.row, one.count, one.height) for one in told if isinstance(one, Strip)] == [(0, 1, 4), (1, 5, 20)]


def test_what_the_thread_could_not_do_is_raised_at_the_end() -> None:
    def broken(_: Codes) -> Image.Image:
        raise MemoryError

    with Showing("job", 0, broken, print) as showing:
        showing.strip(next(strokes()))
        with pytest.raises(MemoryError):
            showing.finish()


def test_nobody_waits_for_strips_of_a_picture_that_was_given_up() -> None:
    begun, may_go_on = threading.Event(), threading.Event()

    def decode(codes: Codes) -> Image.Image:
        begun.set()
        may_go_on.wait(5)
        return picture_of(codes)

    told: list[Event] = []
    with Showing("job", 0, decode, told.append) as showing:
        for stroke in strokes():
            showing.strip(stroke)
        assert begun.wait(10)

    assert told == []
    may_go_on.set()
