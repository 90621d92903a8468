import itertools
from collections.abc import Iterator, Sequence

import numpy as np

from edgevlo.runtime.generate.raster_loop import RasterPlan, after, finished_rows, paint, uniforms


class Counter:
    """Draws the number after the last one and remembers the steps it was asked for."""

    def __init__(self, first: int) -> None:
        self.next = first
        self.steps: list[tuple[int, ...]] = []
        self.seen: list[float] = []

    def draw(self, uniform: float) -> int:
        self.seen.append(uniform)
        self.next += 1
        return self.next - 1

    def step(self, tokens: Sequence[int]) -> None:
        self.steps.append(tuple(tokens))


def plan(rows: int, columns: int, suffix: tuple[int, ...] = ()) -> RasterPlan:
    numbers = tuple(cell / 100 for cell in range(rows * columns))
    return RasterPlan(rows=rows, columns=columns, uniforms=numbers, first_token=1000, row_suffix=suffix)


def test_rows_end_with_their_suffix_and_the_last_code_costs_no_step() -> None:
    model = Counter(7)

    codes = list(paint(model.draw, model.step, plan(2, 3, suffix=(60, 61))))

    assert codes == [7, 8, 9, 10, 11, 12]
    assert model.steps == [(1007,), (1008,), (1009, 60, 61), (1010,), (1011,)]


def test_a_single_cell_takes_no_step() -> None:
    model = Counter(3)

    assert list(paint(model.draw, model.step, plan(1, 1, suffix=(60,)))) == [3]
    assert model.steps == []


def test_a_code_is_shown_before_the_next_one_is_computed() -> None:
    model = Counter(7)

    codes = paint(model.draw, model.step, plan(2, 2))

    assert list(itertools.islice(codes, 2)) == [7, 8]
    assert model.steps == [(1007,)]


def test_every_cell_is_drawn_with_its_own_uniform_in_raster_order() -> None:
    model = Counter(0)

    list(paint(model.draw, model.step, plan(2, 2)))

    assert model.seen == [0.0, 0.01, 0.02, 0.03]


def test_codes_that_are_known_are_read_as_ever_and_not_drawn() -> None:
    model = Counter(7)

    codes = list(paint(after([3, 4, 5], model.draw), model.step, plan(2, 2)))

    assert codes == [3, 4, 5, 7]
    assert model.steps == [(1003,), (1004,), (1005,)]
    assert model.seen == [0.03]  # each cell has its own number, also after known ones


def test_finished_rows_grow_from_the_top_and_do_not_share_memory() -> None:
    grids = list(finished_rows(iter(range(6)), columns=2))

    assert [grid.tolist() for grid in grids] == [[[0, 1]], [[0, 1], [2, 3]], [[0, 1], [2, 3], [4, 5]]]
    assert all(grid.dtype == np.int32 for grid in grids)
    grids[0][:] = 9
    assert grids[1].tolist() == [[0, 1], [2, 3]]


def test_a_row_is_shown_as_soon_as_its_last_code_is_known() -> None:
    taken = []

    def codes() -> Iterator[int]:
        for code in range(6):
            taken.append(code)
            yield code

    next(finished_rows(codes(), columns=3))

    assert taken == [0, 1, 2]


def test_uniforms_are_the_seeds_alone_and_fit_a_draw() -> None:
    numbers = uniforms(7, 1000)

    assert numbers == uniforms(7, 1000)
    assert numbers[:10] == uniforms(7, 10)
    assert numbers != uniforms(8, 1000)
    assert all(0 <= number < 1 and number == np.float32(number) for number in numbers)


def test_the_uniforms_of_a_seed_never_change_between_versions() -> None:
    assert uniforms(0, 3) == (0.8506242036819458, 0.6369616389274597, 0.5111364722251892)
