"""`--watch`: a picture's rows in the terminal, decoded and printed while the next ones are painted."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import click

from edgevlo.runtime.generate.stroke import Stroke

from .terminal import strip


def watched(strokes: Iterator[Stroke]) -> Stroke:
    """Print the rows of a painting as they come; return its last stroke."""
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
