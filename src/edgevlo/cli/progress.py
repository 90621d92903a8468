"""Progress on the terminal: bars, silent where the error stream is not a terminal; or the picture (watching.py)."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Protocol

from tqdm import tqdm

from edgevlo.runtime.generate.stroke import Stroke

from .watching import watched


class Progress(Protocol):
    """Called with the current step, the steps done and the steps in all."""

    def __call__(self, what: str, done: int, total: int, /) -> None:
        """Show it."""


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Give a bar for the toolchain's long steps."""
    bar: Any = tqdm(total=1, leave=False, disable=None)

    def tell(what: str, done: int, total: int, /) -> None:
        bar.total = total
        bar.set_description(what)
        bar.update(done - bar.n)

    try:
        yield tell
    finally:
        bar.close()


def one_picture(first: Stroke, more: Iterator[Stroke | str]) -> Iterator[Stroke]:
    """Yield the strokes of the picture that begins with `first` and take no more than those from what follows."""
    stroke: Stroke | str = first
    while isinstance(stroke, Stroke):
        yield stroke
        if stroke.rows_done == stroke.rows:
            return
        stroke = next(more)


def follow(strokes: Iterator[Stroke], *, watch: bool) -> Stroke:
    """Run a painting to its end, with a bar or, to `watch`, with the rows themselves; return the last stroke."""
    return watched(strokes) if watch else _counted(strokes)


def _counted(strokes: Iterator[Stroke]) -> Stroke:
    bar: Any = None
    for stroke in strokes:
        bar = bar or tqdm(total=stroke.rows, unit="row", leave=False, disable=None)
        bar.update()
        last = stroke
    if bar is not None:
        bar.close()
    return last
