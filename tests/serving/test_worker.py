"""What a worker does with tasks: the same pictures as the Python API, cancelled within one step, errors in words."""

import io
from itertools import accumulate

import c2pa
import numpy as np
import pytest
from PIL import Image
from serving_fixtures import png
from toy_reference import CELL

from edgevlo.runtime.engine import Engine
from edgevlo.runtime.fingerprints.log import read
from edgevlo.runtime.fingerprints.painted_here import PaintedHere
from edgevlo.runtime.generate.text import AnswerWarning
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.read_marks import marks_of
from edgevlo.serving.engine.messages import (
    Answer,
    Done,
    Event,
    Failed,
    Found,
    Note,
    Output,
    Partial,
    Picture,
    Row,
    Run,
    Started,
    Strip,
    Task,
)
from edgevlo.serving.worker.interrupt import Interrupts
from edgevlo.serving.worker.tasks import carry_out, partial_rows


def events_of(model: Model, task: Task) -> list[Event]:
    return list(carry_out(model, Run(job="job", task=task)))


def failure(model: Model, task: Task) -> Failed:
    *before, last = events_of(model, task)
    assert not [one for one in before if not isinstance(one, Started | Note)]
    assert isinstance(last, Failed)
    return last


def test_a_painting_is_told_row_by_row_and_is_the_picture_of_the_python_api(model: Model) -> None:
    events = events_of(model, Task(ability="paint", text="a red car", options={"seed": 7}, strips=True))

    *_, last = model.paint_rows("a red car", seed=7)
    started, *shown, picture, done = events
    assert started == Started(job="job", text_tokens=3, image_tokens=0)
    assert isinstance(done, Done)
    assert isinstance(picture, Picture)
    assert (picture.width, picture.height, picture.seed) == (*last.preview.size, 7)
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(picture.image))), np.asarray(last.preview))
    told = [one for one in shown if isinstance(one, Row)]
    assert [row.row for row in told] == [0, 1, 2, 3]
    assert b"".join(row.codes for row in told) == picture.codes == last.codes.astype("<i4").tobytes()
    strips = [one for one in shown if isinstance(one, Strip)]
    assert [strip.row for strip in strips] == [0, *accumulate(strip.count for strip in strips[:-1])]
    pixels = np.concatenate([np.asarray(Image.open(io.BytesIO(strip.image))) for strip in strips])
    assert len(pixels) < last.preview.height  # the last row comes with the picture
    assert np.array_equal(pixels, np.asarray(last.preview)[: len(pixels)])


def test_seeds_count_up(model: Model) -> None:
    task = Task(ability="paint", text="a red car", options={"seed": 2**32 - 1}, count=2)

    first, second = (one for one in events_of(model, task) if isinstance(one, Picture))

    assert (first.seed, second.seed) == (2**32 - 1, 0)
    *_, last = model.paint_rows("a red car", seed=0)
    assert second.codes == last.codes.astype("<i4").tobytes()


@pytest.mark.parametrize(("rows", "partials", "after"), [
    (8, 3, [2, 4, 6]), (8, 1, [4]), (8, 0, []), (4, 3, [1, 2, 3]), (2, 3, [1]), (1, 3, []), (24, 2, [8, 16]),
])  # fmt: skip
def test_partial_pictures_are_spread_evenly(rows: int, partials: int, after: list[int]) -> None:
    assert partial_rows(rows, partials) == after


def test_a_partial_picture_shows_what_is_painted_and_grey_below(model: Model) -> None:
    events = events_of(model, Task(ability="paint", text="a red car", options={"seed": 7}, partials=1))

    (partial,) = (one for one in events if isinstance(one, Partial))
    pixels = np.asarray(Image.open(io.BytesIO(partial.image)))
    whole = np.asarray(model.paint("a red car", seed=7))
    assert partial.index == 0
    assert np.array_equal(pixels[: 2 * CELL], whole[: 2 * CELL])
    assert len(np.unique(pixels[2 * CELL :])) == 1


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_pictures_of_every_format_carry_the_mark_and_no_prompt(model: Model, kind: str) -> None:
    output = Output(format=kind, quality=90)  # type: ignore[arg-type]
    events = events_of(model, Task(ability="paint", text="a red car", partials=1, output=output))

    for one in events:
        if isinstance(one, Partial | Picture):
            assert Image.open(io.BytesIO(one.image)).format == kind.upper()
            assert b"trainedAlgorithmicMedia" in one.image
            assert b"red car" not in one.image


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_an_edited_photograph_is_a_composite_and_an_edited_painting_is_not(model: Model, kind: str) -> None:
    (painting,) = (one for one in events_of(model, Task(ability="paint", text="a car")) if isinstance(one, Picture))
    output = Output(format=kind, quality=90)  # type: ignore[arg-type]
    for source, expected in (
        (png(), "compositeWithTrainedAlgorithmicMedia"),
        (painting.image, "trainedAlgorithmicMedia"),
    ):
        events = events_of(model, Task(ability="edit", text="blue", pictures=(source,), partials=1, output=output))
        told = [marks_of(one.image, "") for one in events if isinstance(one, Partial | Picture)]
        assert [marks.source_type for marks in told] == [expected] * 2


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
def test_finished_pictures_are_signed_where_that_is_asked_for(model: Model, kind: str) -> None:
    output = Output(format=kind, quality=90, c2pa=True)  # type: ignore[arg-type]
    task = Task(ability="edit", text="blue", pictures=(png(),), partials=1, output=output)

    events = events_of(model, task)

    (picture,) = (one for one in events if isinstance(one, Picture))
    with c2pa.Reader(f"image/{kind}", io.BytesIO(picture.image)) as reader:
        assert reader.get_validation_state() == "Valid"
        manifest = reader.get_active_manifest()
    assert manifest is not None
    assert [one["relationship"] for one in manifest["ingredients"]] == ["parentOf"]
    assert marks_of(picture.image, "").source_type == "compositeWithTrainedAlgorithmicMedia"
    assert [marks_of(one.image, "").c2pa for one in events if isinstance(one, Partial)] == [False]


def test_finished_pictures_are_noted_where_that_is_asked_for(model: Model) -> None:
    log = PaintedHere(model)
    output = Output(fingerprint=True)
    before = read(log.path)

    events_of(model, Task(ability="edit", text="blue", pictures=(png(),), output=output))
    events_of(model, Task(ability="paint", text="a car"))

    assert [one.is_painted for one in read(log.path)[len(before) :]] == [False, True]


def test_a_prompt_is_embedded_where_that_is_asked_for(model: Model) -> None:
    task = Task(ability="paint", text="a red car", output=Output(embed_prompt=True))

    (picture,) = (one for one in events_of(model, task) if isinstance(one, Picture))

    assert Image.open(io.BytesIO(picture.image)).info["parameters"].startswith("a red car\n")


def test_edits_read_the_uploaded_picture(model: Model) -> None:
    task = Task(ability="edit", text="blue", pictures=(png(),), options={"seed": 3})

    events = events_of(model, task)

    *_, last = model.edit_rows(Image.open(io.BytesIO(png())), "blue", seed=3)
    (picture,) = (one for one in events if isinstance(one, Picture))
    assert picture.codes == last.codes.astype("<i4").tobytes()
    assert Started(job="job", text_tokens=1, image_tokens=12) in events


def test_answers_and_boxes(model: Model) -> None:
    image = Image.open(io.BytesIO(png()))

    asked = events_of(model, Task(ability="ask", text="where is it", pictures=(png(),)))
    (answer,) = (one for one in asked if isinstance(one, Answer))
    assert answer.text == model.ask(image, "where is it")
    found = events_of(model, Task(ability="detect", pictures=(png(),), objects=("car",)))
    (boxes,) = (one for one in found if isinstance(one, Answer))
    with pytest.warns(AnswerWarning) as warned:  # random weights find nothing that is a box, which is a note
        expected = model.detect(image, ["car"])
    assert boxes.found == tuple(Found(label=one.label, box=one.box) for one in expected)
    assert [one.text for one in found if isinstance(one, Note)] == [str(one.message) for one in warned]


def test_what_was_changed_in_a_picture_is_a_note(model: Model) -> None:
    task = Task(ability="edit", text="blue", pictures=(png(101, 50),), options={"seed": 3})

    notes = [one.text for one in events_of(model, task) if isinstance(one, Note)]

    assert any("resized from 101x50" in note for note in notes)


@pytest.mark.parametrize(("task", "kind", "start"), [
    (Task(ability="paint", text="a", size="3x3"), "RequestError", "size 3x3"),
    (Task(ability="paint", text=" "), "RequestError", "the prompt is empty"),
    (Task(ability="paint", text="a", options={"top_p": float("nan")}), "RequestError", "top-p nan"),
    (Task(ability="edit", text="a", pictures=(b"\x89PNG\r\n\x1a\nnothing",)), "PictureError", "picture 1 is not"),
    (Task(ability="edit", text="a", pictures=(png(), png()[:40])), "PictureError", "picture 2 "),
    (Task(ability="edit", text="a", pictures=(png(),) * 3), "RequestError", "edit takes 1 to 2"),
    (Task(ability="pose", pictures=(png(),)), "AbilityError", "toy"),
])  # fmt: skip
def test_what_cannot_be_done_is_said_before_anything_is_painted(
    model: Model, task: Task, kind: str, start: str
) -> None:
    failed = failure(model, task)

    assert (failed.kind, failed.text[: len(start)]) == (kind, start)


def test_cancelling_stops_before_the_next_graph_runs(model: Model) -> None:
    interrupts = Interrupts()
    interruptible = Model(model.bundle, Engine(model.bundle, interrupts.open))
    interrupts.accept("job")
    interrupts.begin("job")
    task = Task(ability="paint", text="a red car", options={"seed": 7})
    events = carry_out(interruptible, Run(job="job", task=task))
    told = [next(events), next(events)]

    interrupts.cancel("job")
    before = interrupts.runs
    told += events
    interrupts.end()

    assert [type(one) for one in told] == [Started, Row, Failed]
    assert told[-1] == Failed(job="job", kind="Cancelled", text="the request was cancelled")
    assert interrupts.runs - before == 1  # the one that was refused


def test_a_worker_forgets_jobs_that_are_over_and_takes_no_cancelling_of_others() -> None:
    interrupts = Interrupts()
    for job, cancel in (("a", True), ("b", False)):
        interrupts.accept(job)
        interrupts.begin(job)
        if cancel:
            interrupts.cancel(job)
        interrupts.end()
    interrupts.cancel("a")
    interrupts.cancel("never asked for")

    assert not interrupts._accepted | interrupts._stop


def test_after_a_cancelled_job_the_next_one_paints_what_it_should(model: Model) -> None:
    interrupts = Interrupts()
    interruptible = Model(model.bundle, Engine(model.bundle, interrupts.open))
    for job in ("one", "two"):
        interrupts.accept(job)
    interrupts.begin("one")
    one, two = (Task(ability="paint", text=text, options={"seed": 7}) for text in ("a blue tree", "a red car"))
    events = carry_out(interruptible, Run(job="one", task=one))
    next(events)
    next(events)
    interrupts.cancel("one")
    list(events)
    interrupts.end()
    interrupts.cancel("one")  # too late: it is over

    interrupts.begin("two")
    painted = list(carry_out(interruptible, Run(job="two", task=two)))

    *_, last = model.paint_rows("a red car", seed=7)
    (picture,) = (one for one in painted if isinstance(one, Picture))
    assert picture.codes == last.codes.astype("<i4").tobytes()
