"""Strips of a picture while it is painted: the first row at once, then no more of them than painting can pay."""

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.preview import Preview
from edgevlo.runtime.generate.stroke import Stroke
from edgevlo.serving.engine.messages import Strip
from edgevlo.serving.worker.strips import Showing

ROWS = 40


def picture_of(codes: Codes) -> Image.Image:
    """Return a picture in which every cell of 4x4 pixels has the grey of its code."""
    return Image.fromarray(np.kron(codes.astype(np.uint8), np.ones((4, 4), np.uint8))).convert("RGB")


def strokes() -> Iterator[Stroke]:
    preview = Preview(ROWS, picture_of)
    for done in range(1, ROWS + 1):
        yield Stroke(codes=np.arange(done * 2, dtype=np.int32).reshape(done, 2), rows=ROWS, _preview=preview)


def shown(row_s: float, strip_s: float) -> tuple[list[tuple[int, Strip]], float]:
    """Paint on a clock on which a row takes so long, and to decode one; return strips by rows done, and their share."""
    now, spent = 100.0, 0.0
    strips: list[tuple[int, Strip]] = []

    def decode(codes: Codes) -> Image.Image:
        nonlocal now, spent
        now += strip_s * len(codes)
        spent += strip_s * len(codes)
        return picture_of(codes)

    showing = Showing("job", 0, decode, lambda: now)
    for stroke in strokes():
        now += row_s
        if (strip := showing.strip(stroke)) is not None:
            strips.append((stroke.rows_done, strip))
    return strips, spent / (now - 100)


def test_the_first_row_is_shown_at_once() -> None:
    for row_s in (0.001, 0.1, 3.0):
        strips, _ = shown(row_s, strip_s=row_s / 2)
        assert (strips[0][0], strips[0][1].row, strips[0][1].count) == (1, 0, 1)


def test_a_slow_painting_shows_every_row_but_the_last_which_comes_with_the_picture() -> None:
    strips, _ = shown(row_s=1.0, strip_s=0.02)

    assert [done for done, _ in strips] == list(range(1, ROWS))


def test_rows_faster_than_a_screen_share_strips() -> None:
    strips, _ = shown(row_s=0.010, strip_s=0.0001)

    assert [done for done, _ in strips] == list(range(1, ROWS, 4))  # every 40 ms, the first after 1/30 s


@pytest.mark.parametrize("strip_s", [0.001, 0.01, 0.04])
def test_strips_take_a_twentieth_of_the_time_apart_from_the_first(strip_s: float) -> None:
    strips, share = shown(row_s=0.2, strip_s=strip_s)

    assert share - strip_s / (0.2 * ROWS) <= 0.05
    assert len(strips) > 1


def test_strips_hold_each_row_once_and_in_order() -> None:
    strips, _ = shown(row_s=0.012, strip_s=0.001)

    pixels = np.concatenate([_pixels(strip) for _, strip in strips])
    *_, whole = strokes()
    assert np.array_equal(pixels, np.asarray(picture_of(whole.codes))[: len(pixels)])
    assert [strip.row for _, strip in strips[1:]] == [strip.row + strip.count for _, strip in strips[:-1]]
    assert all((strip.width, strip.height, strip.rows) == (8, 4 * strip.count, ROWS) for _, strip in strips)


def _pixels(strip: Strip) -> npt.NDArray[np.uint8]:
    return np.asarray(Image.open(io.BytesIO(strip.image)))
