"""Progress on the terminal: bars, or the picture itself. Silent where the error stream is not a terminal."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Protocol

import click
from tqdm import tqdm

from edgevlo.runtime.generate.stroke import Stroke

from .terminal import strip


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
    return _watched(strokes) if watch else _counted(strokes)


def _counted(strokes: Iterator[Stroke]) -> Stroke:
    bar: Any = None
    for stroke in strokes:
        bar = bar or tqdm(total=stroke.rows, unit="row", leave=False, disable=None)
        bar.update()
        last = stroke
    if bar is not None:
        bar.close()
    return last


def _watched(strokes: Iterator[Stroke]) -> Stroke:
    with Watching() as watching:
        for stroke in strokes:
            watching.show(stroke)
            last = stroke
    return last


class Watching:
    """Prints rows while the next ones are painted: a thread decodes and prints the newest that there are.

    ONNX Runtime computes without Python's lock, so painting goes on. Where decoding is the slower of the two, several
    rows are decoded and printed together.
    """

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1)
        self._newest: Stroke | None = None
        self._printed = 0
        self._printing: Future[None] | None = None

    def __enter__(self) -> "Watching":
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        self._thread.shutdown(wait=True, cancel_futures=kind is not None)
        if kind is None and self._printing is not None:
            self._printing.result()
            self._print()  # a row that came just when the thread found none

    def show(self, stroke: Stroke) -> None:
        """Have the rows up to this stroke printed; raise what the thread could not do."""
        self._newest = stroke
        if self._printing is None or self._printing.done():
            if self._printing is not None:
                self._printing.result()
            self._printing = self._thread.submit(self._print)

    def _print(self) -> None:
        """Print rows until none is newer."""
        while (stroke := self._newest) is not None and stroke.rows_done > self._printed:
            preview = stroke.preview
            height = preview.height // stroke.rows
            click.echo(strip(preview, self._printed * height, stroke.rows_done * height))
            self._printed = stroke.rows_done
