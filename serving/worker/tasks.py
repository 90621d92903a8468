"""Carrying out one task with an opened model, told message by message. Knows no pipes and no queue."""

import time
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.fingerprints.painted_here import PaintedHere
from edgevlo.runtime.generate.options import MAX_SEED
from edgevlo.runtime.generate.stroke import Stroke, Strokes
from edgevlo.runtime.generate.text_sampling import TextOptions
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import Loaded, load_bytes
from edgevlo.runtime.pictures.resize import fitted

from ..engine.messages import Answer, Done, Event, Failed, Found, Note, Partial, Picture, Row, Run, Started, Task
from .encode import encode, signed
from .interrupt import CancelledError
from .strips import Showing


def carry_out(model: Model, run: Run) -> Iterator[Event]:
    """Yield what happens until a task is done or has failed; no error gets out but that of a closed generator."""
    job, began = run.job, time.perf_counter()
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            for event in _events(model, run):
                yield from _notes(job, caught)
                yield event
            yield from _notes(job, caught)
        yield Done(job=job, seconds=time.perf_counter() - began)
    except CancelledError:
        yield Failed(job=job, kind="Cancelled", text="the request was cancelled")
    except EdgevloError as error:
        yield Failed(job=job, kind=type(error).__name__, text=str(error))
    except MemoryError:
        yield Failed(job=job, kind="MemoryShortError", text="there is not enough memory for this; ask for less.")


def _notes(job: str, caught: list[warnings.WarningMessage]) -> Iterator[Note]:
    """Yield what was warned of since, once."""
    for warning in caught:
        yield Note(job=job, text=str(warning.message), unknown=getattr(warning.message, "unknown", ()))
    caught.clear()


def _events(model: Model, run: Run) -> Iterator[Event]:
    job, task = run.job, run.task
    pictures = [load_bytes(content, f"picture {number}") for number, content in enumerate(task.pictures, start=1)]
    started = Started(job=job, text_tokens=model.count_tokens(task.text), image_tokens=_codes_in(model, pictures))
    if task.ability == "ask":
        yield started
        options: Any = task.options
        answered = model.answer(pictures, task.text, TextOptions(**options))
        yield Answer(job=job, text=answered.text, tokens=answered.tokens, is_whole=answered.is_whole)
    elif task.ability == "detect":
        yield started
        found = tuple(Found(label=one.label, box=one.box) for one in model.detect(pictures[0], task.objects))
        yield Answer(job=job, found=found)
    else:
        for number in range(task.count):
            strokes = _strokes(model, task, pictures, number)  # every check is made here
            if number < len(run.painted) and run.painted[number]:
                strokes = strokes.after(_grid(run.painted[number], strokes.columns))
            if number == 0:
                yield started
            yield from _painted(model, job, task, strokes, number, pictures)


def _codes_in(model: Model, pictures: Sequence[Loaded]) -> int:
    """Return how many codes stand for pictures in a prompt."""
    cell = model.grid.cell
    sizes = (fitted(picture.image, model.manifest.preprocess, model.grid).size for picture in pictures)
    return sum((width // cell) * (height // cell) for width, height in sizes)


def _strokes(model: Model, task: Task, pictures: Sequence[Loaded], number: int) -> Strokes:
    options: Any = dict(task.options)
    if "seed" in options:
        options["seed"] = (options["seed"] + number) % (MAX_SEED + 1)
    if task.ability == "paint":
        return model.paint_rows(task.text, size=task.size, **options)
    if task.ability == "edit":
        return model.edit_rows(pictures, task.text, size=task.size, **options)
    perceived: Any = task.ability
    return model.perceive_rows(perceived, pictures[0], task.objects, **options)


def _painted(
    model: Model, job: str, task: Task, strokes: Iterator[Stroke], number: int, sources: Sequence[Loaded]
) -> Iterator[Event]:
    """Yield the rows of one picture as far as they were asked for, and the picture."""
    showing = Showing(job, number, model.decode)
    for stroke in strokes:
        done, rows = stroke.rows_done, stroke.rows
        yield Row(job=job, picture=number, row=done - 1, rows=rows, codes=_bytes(stroke.codes[-1]))
        if task.strips and (strip := showing.strip(stroke)) is not None:
            yield strip
        wanted = partial_rows(rows, task.partials)
        if done in wanted:
            preview = stroke.preview
            yield Partial(
                job=job, picture=number, index=wanted.index(done), image=encode(preview, task.output, in_haste=True),
                width=preview.width, height=preview.height,
            )  # fmt: skip
        last = stroke
    picture = last.preview
    image = signed(encode(picture, task.output), task)
    if task.output.fingerprint:
        PaintedHere(model).note(picture, sources if task.ability == "edit" else ())
    seed = task.options.get("seed")
    yield Picture(
        job=job, picture=number, image=image, width=picture.width, height=picture.height,
        rows=last.rows, columns=last.codes.shape[1], codes=_bytes(last.codes),
        seed=None if seed is None else (int(seed) + number) % (MAX_SEED + 1),
    )  # fmt: skip


def partial_rows(rows: int, partials: int) -> list[int]:
    """Return after how many rows the pictures on the way are sent: evenly spread, fewer where there are few rows."""
    return sorted({rows * step // (partials + 1) for step in range(1, partials + 1)} - {0, rows})


def _bytes(codes: Codes) -> bytes:
    return codes.astype("<i4").tobytes()


def _grid(codes: bytes, columns: int) -> Codes:
    return np.frombuffer(codes, dtype="<i4").astype(np.int32).reshape(-1, columns)
