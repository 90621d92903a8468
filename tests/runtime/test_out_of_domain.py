import numpy as np
import pytest
from PIL import Image

from edgevlo.runtime.manifest.pictures import Domain
from edgevlo.runtime.pictures.out_of_domain import outside, share_outside

WORLD = Domain(name="a small world", cells="tiles", tolerance=10)


def grey(level: int, width: int = 6, height: int = 4) -> Image.Image:
    return Image.new("RGB", (width, height), (level, level, level))


@pytest.mark.parametrize(("difference", "share"), [(0, 0.0), (10, 0.0), (11, 1.0), (255, 1.0)])
def test_a_cell_is_outside_above_the_tolerance(difference: int, share: float) -> None:
    assert share_outside(grey(0), grey(difference), 2, 10) == share
    assert share_outside(grey(difference), grey(0), 2, 10) == share


def test_differences_are_root_mean_squares_of_a_cell() -> None:
    other = grey(100)
    other.putpixel((0, 0), (140, 100, 100))  # one channel of one pixel of four: 40 / sqrt(12) = 11.5

    assert share_outside(grey(100), other, 2, 11.5) == pytest.approx(1 / 6)
    assert share_outside(grey(100), other, 2, 11.6) == 0


def test_each_cell_counts_by_itself() -> None:
    levels = np.zeros((4, 6, 3), dtype=np.uint8)
    levels[2:, 4:] = 200  # the last cell of six
    levels[:2, 2:4] = 11

    assert share_outside(Image.fromarray(levels), grey(0), 2, 10) == pytest.approx(2 / 6)
    assert share_outside(Image.fromarray(levels), grey(0), 2, 20) == pytest.approx(1 / 6)


@pytest.mark.parametrize(
    ("share", "words"),
    [
        (1.0, "is not from a small world: all of it was read as the nearest tiles"),
        (0.999, "is not from a small world: 99 % of it was read as the nearest tiles"),
        (0.5, "is not from a small world: 50 % of it was read as the nearest tiles"),
        (0.25, "is only partly from a small world: 25 % of it was read as the nearest tiles"),
        (0.0001, "is only partly from a small world: 1 % of it was read as the nearest tiles"),
    ],
)
def test_the_share_is_said_without_making_all_or_nothing_of_it(share: float, words: str) -> None:
    assert outside(WORLD, share) == words


def test_where_to_read_more_is_said_if_the_manifest_says_it() -> None:
    assert outside(Domain(name="w", tolerance=1, see="docs/w.md"), 1).endswith("nearest cells (see docs/w.md)")
