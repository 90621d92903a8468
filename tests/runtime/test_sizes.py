import math
import random

import pytest

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.pictures import Grid
from edgevlo.runtime.pictures.sizes import GridRule, Shape, read_size

RULE = GridRule(
    grid=Grid(rows=(4, 24), columns=(4, 24), cells=(64, 256), default=(16, 16), max_ratio=3.0),
    cell=8,
)


def random_rules(count: int) -> list[GridRule]:
    rng = random.Random(11)
    rules: list[GridRule] = []
    while len(rules) < count:
        rows, columns = (sorted(rng.choices(range(1, 30), k=2)) for _ in range(2))
        cells = sorted(rng.choices(range(1, 500), k=2))
        grid = Grid(
            rows=(rows[0], rows[1]),
            columns=(columns[0], columns[1]),
            cells=(cells[0], cells[1]),
            default=(1, 1),
            max_ratio=rng.choice([1.0, 1.5, 3.0, 1000.0]),
        )
        rule = GridRule(grid=grid, cell=rng.choice([1, 4, 8, 16]))
        if allowed(rule):
            rules.append(rule)
    return rules


def allowed(rule: GridRule) -> list[Shape]:
    """Return every grid that the bounds admit, found by trying all."""
    grid = rule.grid
    return [
        Shape(rows, columns)
        for rows in range(grid.rows[0], grid.rows[1] + 1)
        for columns in range(grid.columns[0], grid.columns[1] + 1)
        if grid.cells[0] <= rows * columns <= grid.cells[1]
        and max(rows, columns) / min(rows, columns) <= grid.max_ratio + 1e-9
    ]


@pytest.mark.parametrize("rule", random_rules(40))
def test_a_grid_is_allowed_exactly_when_every_bound_admits_it(rule: GridRule) -> None:
    found = [Shape(r, c) for r in range(32) for c in range(32) if rule.allows(Shape(r, c))]

    assert found == allowed(rule)


@pytest.mark.parametrize("rule", random_rules(40))
def test_the_nearest_size_is_allowed_and_none_is_nearer(rule: GridRule) -> None:
    rng = random.Random(3)
    choices = allowed(rule)
    for _ in range(20):
        width, height = rng.uniform(1, 40 * rule.cell), rng.uniform(1, 40 * rule.cell)

        near = rule.nearest(width, height)

        def away(shape: Shape, width: float = width, height: float = height) -> float:
            across, down = rule.size(shape)
            return math.hypot(math.log(across / width), math.log(down / height))

        assert near in choices
        assert away(near) == pytest.approx(min(map(away, choices)))


@pytest.mark.parametrize("rule", random_rules(40))
def test_an_allowed_size_is_its_own_nearest(rule: GridRule) -> None:
    for shape in allowed(rule):
        width, height = rule.size(shape)
        assert rule.nearest(width, height) == shape
        assert rule.shape((width, height)) == shape


@pytest.mark.parametrize(
    ("size", "nearest"),
    [
        ((129, 128), "128x128"),
        ((128, 129), "128x128"),
        ((0, 0), "64x64"),
        ((128, 0), "120x40"),
        ((-128, -128), "64x64"),
        ((8, 8), "64x64"),
        ((512, 512), "128x128"),
        ((999_999, 8), "192x64"),
    ],
)
def test_a_size_the_model_lacks_is_refused_with_the_nearest_it_has(size: tuple[int, int], nearest: str) -> None:
    with pytest.raises(RequestError, match=rf"^size {size[0]}x{size[1]} is not one .* nearest is {nearest} \(.*8 pix"):
        RULE.shape(size)
    width, height = map(int, nearest.split("x"))
    assert RULE.allows(RULE.shape((width, height)))


@pytest.mark.parametrize("text", ["128x96", "128X96", "128×96"])
def test_a_size_reads_width_first(text: str) -> None:
    assert read_size(text, RULE) == (128, 96)


@pytest.mark.parametrize(
    ("text", "size"), [("1:1", (128, 128)), ("3:1", (192, 72)), ("1:3", (72, 192)), ("16:9", (168, 96))]
)
def test_a_ratio_becomes_the_nearest_size_of_the_default_area(text: str, size: tuple[int, int]) -> None:
    assert read_size(text, RULE) == size


@pytest.mark.parametrize(("wide", "high"), [(1, 3), (9, 16), (2, 3), (1, 1), (3, 2), (16, 9), (3, 1)])
def test_every_ratio_up_to_three_gives_an_allowed_size_that_way_round(wide: int, high: int) -> None:
    width, height = read_size(f"{wide}:{high}", RULE)

    assert RULE.allows(RULE.shape((width, height)))
    assert abs(width * height - 128 * 128) <= 0.26 * 128 * 128
    assert (width > height) == (wide > high)
    assert read_size(f"{high}:{wide}", RULE) == (height, width)


@pytest.mark.parametrize(
    "text", ["", "128", "128x", "x128", "-8x8", "8x8x8", "1e3x8", "0:1", "1:0", "a", "1" * 7 + "x8"]
)
def test_text_that_is_no_size_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(RequestError, match="neither WIDTHxHEIGHT in pixels, like 128x128, nor a ratio, like 16:9"):
        read_size(text, RULE)


def test_a_fixed_grid_says_the_one_size_it_paints() -> None:
    grid = Grid(kind="fixed", rows=(24, 24), columns=(24, 24), cells=(576, 576), default=(24, 24))
    rule = GridRule(grid=grid, cell=16)

    assert rule.shape((384, 384)) == Shape(24, 24)
    assert read_size("1:1", rule) == (384, 384)
    with pytest.raises(RequestError, match="size 256x384 is not what this model paints: 384x384 only"):
        rule.shape((256, 384))
