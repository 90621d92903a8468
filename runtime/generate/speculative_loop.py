"""The raster loop with several codes a pass: guesses are read after the last code, and those that are right are kept.

    read    c g1 g2 g3      the last code, not read yet, and three guesses: one pass of the backbone
    drawn   a  b  c  d      the cells after each of them, each with its own uniform
    kept    a  b            if g1 = a but g2 is not b: b follows a right code, c and d follow a wrong one

A cell is drawn after the same codes, from the same distribution and with the same uniform as by the loop that reads one
code at a time (raster_loop.py): the picture is the same code for code, greedy or sampled, under any guidance, whatever
is guessed and however much is read, as far as the graph computes the same numbers for a token that is read alone and
with others. In float32 it does up to 1e-6. Kernels that round activations to int8 turn such a difference into one of
that rounding's size: a code whose draw lies within it may be another one, and so may what follows.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeAlias

from .draft_predictors import Drafts
from .raster_loop import Draw, RasterPlan

# Takes guesses with their chances, and at most how many of them fit; returns those that are worth reading.
Choose: TypeAlias = Callable[[Iterator[tuple[int, float]], int], list[int]]


class Window(Protocol):
    """A backbone and an image head that read groups of tokens, one a cell, and forget the wrong ones."""

    def read(self, groups: Sequence[Sequence[int]], uniforms: Sequence[float]) -> list[int]:
        """Read the groups in one pass; return the codes drawn after each of them."""

    def keep(self, groups: int) -> None:
        """Forget what was read after the first so many groups."""


def paint(draw: Draw, window: Window, plan: RasterPlan, drafts: Drafts, choose: Choose) -> Iterator[int]:
    """Yield the codes of one image in raster order, as `raster_loop.paint` does; the prompts have been read."""
    codes: list[int] = []
    drawn = [draw(plan.uniforms[0])]
    while True:
        for code in drawn:
            codes.append(code)
            drafts.learn(codes)
            yield code
        if (left := plan.cells - len(codes)) == 0:
            return
        guesses = choose(drafts.guesses(codes), left - 1)
        cells = range(len(codes) - 1, len(codes) + len(guesses))  # those that are read
        groups = [plan.tokens(cell, code) for cell, code in zip(cells, [code, *guesses], strict=True)]
        drawn = window.read(groups, plan.uniforms[cells.start + 1 : cells.stop + 1])
        right = 1 + _agreeing(drawn, guesses)
        window.keep(right)
        drafts.redrawn(len(codes) + right, drawn[right:])
        drawn = drawn[:right]


def first_guesses(count: int) -> Choose:
    """Return a choice of always so many guesses."""
    return lambda guesses, most: [code for code, _ in itertools.islice(guesses, min(count, most))]


def _agreeing(drawn: Sequence[int], guesses: Sequence[int]) -> int:
    """Return how many guesses were right before the first wrong one."""
    return next((at for at, guess in enumerate(guesses) if drawn[at] != guess), len(guesses))
