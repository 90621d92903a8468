"""Requests carried out by an opened bundle whose sessions are observed. Knows no statistics."""

import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from edgevlo.runtime.arrays import Codes, Progress
from edgevlo.runtime.errors import RoomError
from edgevlo.runtime.model import Model

from .evaluation.cases import Case, strokes_of
from .observe import ANSWER, PROMPT, Observer
from .store import Grids

COUNT: Final = 16  # requests, unless told otherwise


class CalibrationWarning(UserWarning):
    """A calibration that is resumed, or made of few cases."""


def carry_out_all(
    model: Model, observer: Observer, listed: Sequence[Case], what: str, progress: Progress | None, *, ours: bool
) -> None:
    """Carry out one case after the other; `what`, if any, begins the line of progress."""
    grids = Grids()
    for number, case in enumerate(listed):
        for done, rows in carried_out(model, observer, case, number, grids, ours=ours):
            if progress is not None:
                progress(f"{what}{case.ability}, request {number + 1} of {len(listed)}", done, rows)


def carried_out(
    model: Model, observer: Observer, case: Case, number: int, grids: Grids, *, ours: bool
) -> Iterator[tuple[int, int]]:
    """Carry out a case; yield how many rows are painted and how many there will be, once for an answer.

    A painting's codes are kept in `grids` under its number, for the cases that show it. One of `ours` that the model
    has no room for yields nothing, with a warning; one of the user's raises `RoomError`.
    """
    try:
        for grid, rows in _carried_out(model, observer, case, grids):
            yield len(grid), rows
            if case.ability == "paint" and len(grid) == rows:
                grids[str(number)] = grid
    except RoomError as error:
        if not ours:
            raise
        warnings.warn(f"{case.caption[:60]!r} is left out: {error}", CalibrationWarning, stacklevel=2)


def _carried_out(model: Model, observer: Observer, case: Case, grids: Grids) -> Iterator[tuple[Codes, int]]:
    observer.place = PROMPT
    pictures = [_picture(model, one, grids) for one in case.pictures]
    output = model.manifest.abilities[case.ability].output
    if output != "image":
        observer.place = ANSWER
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of the answer's wording
            if case.ability == "detect":
                model.detect(pictures[0], case.labels)
            else:
                model.ask(pictures, case.text)
        yield np.zeros((1, 1), dtype=np.int32), 1
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fitted pictures
        strokes = strokes_of(model, case, pictures, codes_per_pass=1)  # no tensors of wrong guesses
    observer.at_row(0)
    for stroke in strokes:
        if stroke.rows_done == stroke.rows:
            _ = stroke.preview  # the decoder's turn
        observer.at_row(stroke.rows_done)
        yield stroke.codes, stroke.rows


def _picture(model: Model, picture: Path | int, grids: Grids) -> Path | Image.Image:
    if isinstance(picture, Path):
        return picture
    if str(picture) not in grids:
        raise RoomError("it shows a painting that was left out.")
    return model.decode(grids[str(picture)])
