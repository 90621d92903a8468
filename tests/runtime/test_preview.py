"""Previews: every row is decoded once with the rows above it, the finished picture whole and once."""

import numpy as np
from PIL import Image

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.generate.preview import HALO, Preview

CELL = 2
GREY = (236, 236, 236)


class Decoder:
    """Cells of one colour each: red the code, green the code below it, 99 where none is known."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def __call__(self, codes: Codes) -> Image.Image:
        self.rows.append(len(codes))
        below = np.vstack([codes[1:], np.full_like(codes[:1], 99)])
        pixels = np.stack([codes, below, np.zeros_like(codes)], -1).astype(np.uint8)
        return Image.fromarray(pixels.repeat(CELL, 0).repeat(CELL, 1))


CODES = np.arange(18, dtype=np.int32).reshape(6, 3)


def pixel(picture: Image.Image, row: int) -> object:
    return picture.getpixel((0, row * CELL))


def test_each_preview_decodes_its_new_rows_and_those_above_them() -> None:
    decode = Decoder()
    preview = Preview(6, decode)

    for done in (1, 2, 3, 5):
        preview.of(CODES[:done])
    preview.of(CODES[:5])

    assert decode.rows == [1, 2, 3, 2 + HALO]


def test_a_preview_shows_finished_rows_over_blank_ones_and_the_last_row_anew() -> None:
    preview = Preview(6, Decoder())

    first, second = preview.of(CODES[:1]), preview.of(CODES[:2])

    assert first.size == second.size == (3 * CELL, 6 * CELL)
    assert [pixel(first, row) for row in (0, 1, 5)] == [(0, 99, 0), GREY, GREY]
    assert [pixel(second, row) for row in (0, 1, 2)] == [(0, 3, 0), (3, 99, 0), GREY]


def test_an_earlier_moment_is_shown_from_what_was_decoded_later() -> None:
    decode = Decoder()
    preview = Preview(6, decode)
    preview.of(CODES[:4])

    earlier = preview.of(CODES[:2])

    assert decode.rows == [4]
    assert [pixel(earlier, row) for row in (0, 1, 2)] == [(0, 3, 0), (3, 6, 0), GREY]


def test_the_finished_picture_is_decoded_whole_and_once() -> None:
    decode = Decoder()
    preview = Preview(6, decode)
    preview.of(CODES[:5])

    pictures = [preview.of(CODES) for _ in range(3)]

    assert decode.rows == [5, 6]
    assert all(picture.tobytes() == Decoder()(CODES).tobytes() for picture in pictures)
    pictures[0].paste((1, 2, 3), (0, 0, 2, 2))
    assert preview.of(CODES).tobytes() == pictures[1].tobytes()  # nobody's changes come back
