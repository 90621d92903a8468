"""The raster loop: left to right, top to bottom. Knows no prompts, files or pixels."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from ..arrays import Codes

Draw: TypeAlias = Callable[[float], int]
Step: TypeAlias = Callable[[Sequence[int]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class RasterPlan:
    """One image: its grid, one uniform number per cell, and how codes become tokens."""

    rows: int
    columns: int
    uniforms: tuple[float, ...]
    first_token: int
    row_suffix: tuple[int, ...] = ()

    @property
    def cells(self) -> int:
        """How many codes the image has."""
        return self.rows * self.columns

    def tokens(self, cell: int, code: int) -> tuple[int, ...]:
        """Return what is read for a cell: its code, and after the last one of a row what the grid forces there."""
        token = self.first_token + code
        return (token, *self.row_suffix) if (cell + 1) % self.columns == 0 else (token,)


def paint(draw: Draw, step: Step, plan: RasterPlan) -> Iterator[int]:
    """Yield the codes of one image in raster order; the prompts, opener included, have been read.

    What the grid forces after a row rides along with the row's last code, and nothing is read after the last cell:
    structural tokens cost no step of their own.
    """
    for cell, uniform in enumerate(plan.uniforms):
        code = draw(uniform)
        yield code
        if cell < plan.cells - 1:  # else nothing is left to predict
            step(plan.tokens(cell, code))


def after(painted: Sequence[int], draw: Draw) -> Draw:
    """Return a draw that gives the codes painted before, in order, and then goes on with `draw`.

    Reading them step by step, as they were read before, leaves the backbone with the same numbers, bit for bit; reading
    them at once would not: kernels sum in another order there.
    """
    known = iter(painted)

    def known_or_drawn(uniform: float) -> int:
        code = next(known, None)
        return draw(uniform) if code is None else code

    return known_or_drawn if painted else draw


def finished_rows(codes: Iterator[int], columns: int) -> Iterator[Codes]:
    """Gather codes into the grid so far, (rows_done, columns), yielded whenever a row is finished."""
    grid: list[int] = []
    for code in codes:
        grid.append(code)
        if len(grid) % columns == 0:
            yield np.array(grid, dtype=np.int32).reshape(-1, columns)


def uniforms(seed: int, cells: int) -> tuple[float, ...]:
    """Return the numbers that decide a picture's draws: the same seed gives the same numbers everywhere."""
    return tuple(np.random.default_rng(seed).random(cells, dtype=np.float32).tolist())
