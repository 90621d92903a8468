"""Guesses of the codes to come, by predictors that need no second model. Knows no graphs.

Pictures repeat themselves: flat areas go on, an edit leaves most cells alone, a map gives the same code to the same
thing. Each predictor is scored by the latest codes, and the best one that has a guess guesses. A wrong guess costs
time, never another picture (speculative_loop.py).
"""

from collections.abc import Iterator, Sequence
from typing import Final, Protocol

from ..arrays import Codes

_MEMORY: Final = 0.9  # what a score keeps at the next code: about ten codes count
_PROMISING: Final = 0.6  # a score before the first code: with a source guesses are worth trying at once,
_DOUBTFUL: Final = 0.3  # without one the first codes have to show it


class Predictor(Protocol):
    """One way to guess a cell. `codes` are those of all cells before it; the last ones may be guesses themselves."""

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Return the guess; None where there is none."""

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn the cell's code, `codes[cell]`."""


class Neighbour:
    """The code so many cells earlier: 1 for the one to the left, the number of columns for the one above."""

    def __init__(self, distance: int) -> None:
        self._distance = distance

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Guess the neighbour's code."""
        return codes[cell - self._distance] if cell >= self._distance else None

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn nothing."""


class SamePlace:
    """The source's code at the same place: an edit leaves it alone."""

    def __init__(self, source: Sequence[int]) -> None:
        self._source = source

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Guess the source's code."""
        return self._source[cell]

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn nothing."""


class Unchanged:
    """The source's code at the same place, where the cells beside and above it were left alone."""

    def __init__(self, columns: int, source: Sequence[int]) -> None:
        self._columns, self._source = columns, source

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Guess that this one is left alone, too."""
        before = [cell - 1] * (cell % self._columns > 0) + [cell - self._columns] * (cell >= self._columns)
        return self._source[cell] if all(codes[one] == self._source[one] for one in before) else None

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn nothing."""


class Counterpart:
    """What the source's code last became: another colour, a segment, an edge."""

    def __init__(self, source: Sequence[int]) -> None:
        self._source = source
        self._became: dict[int, int] = {}

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Guess that it becomes the same again."""
        return self._became.get(self._source[cell])

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn what it became."""
        self._became[self._source[cell]] = codes[cell]


class Repetition:
    """What stood the last time between the same neighbours, and over the same code of the source."""

    def __init__(self, columns: int, source: Sequence[int] | None) -> None:
        self._columns, self._source = columns, source
        self._seen: dict[tuple[int, int, int], int] = {}

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Guess the same code again."""
        return self._seen.get(self._context(cell, codes))

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn the code of this context."""
        self._seen[self._context(cell, codes)] = codes[cell]

    def _context(self, cell: int, codes: Sequence[int]) -> tuple[int, int, int]:
        left = codes[cell - 1] if cell % self._columns else -1
        above = codes[cell - self._columns] if cell >= self._columns else -1
        return left, above, -1 if self._source is None else self._source[cell]


class Redraw:
    """What was drawn after a wrong guess, with the cell's own uniform: coupled speculative Jacobi decoding."""

    def __init__(self) -> None:
        self.drawn: dict[int, int] = {}

    def guess(self, cell: int, codes: Sequence[int]) -> int | None:
        """Guess that other codes before it change nothing."""
        return self.drawn.get(cell)

    def learn(self, cell: int, codes: Sequence[int]) -> None:
        """Learn nothing."""


class Drafts:
    """Guesses for one picture; `source` is the grid of the picture that the prompt shows, if it has the same shape."""

    def __init__(self, columns: int, source: Codes | None = None) -> None:
        shown = None if source is None else source.ravel().tolist()
        self._redraw = Redraw()
        predictors: list[Predictor] = [self._redraw, Repetition(columns, shown), Neighbour(columns), Neighbour(1)]
        if shown is not None:
            predictors += [Unchanged(columns, shown), Counterpart(shown), SamePlace(shown)]
        self._scores = dict.fromkeys(predictors, _DOUBTFUL if shown is None else _PROMISING)

    def guesses(self, codes: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Yield guesses of the codes after those that are known, each with its chance to be right after right ones."""
        guessed = list(codes)
        while True:
            code, chance = next(self._ranked(len(guessed), guessed), (0, 0.0))
            yield code, chance
            guessed.append(code)

    def learn(self, codes: Sequence[int]) -> None:
        """Score all predictors by the last code, which is now known."""
        cell = len(codes) - 1
        for predictor, score in self._scores.items():
            if (guess := predictor.guess(cell, codes)) is not None:
                self._scores[predictor] = _MEMORY * score + (1 - _MEMORY) * (guess == codes[cell])
            predictor.learn(cell, codes)

    def redrawn(self, cell: int, codes: Sequence[int]) -> None:
        """Keep what was drawn for `cell` and those that follow it, after a code that was wrong."""
        self._redraw.drawn = dict(enumerate(codes, start=cell))

    def _ranked(self, cell: int, codes: Sequence[int]) -> Iterator[tuple[int, float]]:
        """Yield the guesses for a cell with their scores, the best predictor's first."""
        for predictor, score in sorted(self._scores.items(), key=lambda scored: scored[1], reverse=True):
            if (guess := predictor.guess(cell, codes)) is not None:
                yield guess, score
