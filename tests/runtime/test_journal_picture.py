"""Pictures that go on where they were interrupted: the same bit for bit, of the same request and bundle only."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pytest
from toy_bundle import rewritten
from toy_reference import flat_picture

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.generate.stroke import Strokes
from edgevlo.runtime.journal.picture import resumed
from edgevlo.runtime.model import Model

ROWS = 4
Start: TypeAlias = Callable[[int | None], Strokes]


class PowerCutError(Exception):
    """What ends a painting in the middle."""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "out.png.journal"


def begin(model: Model, seed: int | None = None, **options: Any) -> Strokes:
    return model.paint_rows("a red car", seed=9 if seed is None else seed, **options)


def interrupt(journal: Path, model: Model, after: int, start: Start | None = None) -> None:
    """Paint until `after` rows are finished, and leave the journal."""
    with suppress(PowerCutError), resumed(journal, model.bundle, start or (lambda seed: begin(model, seed))) as rows:
        for stroke in rows:
            if stroke.rows_done == after:
                raise PowerCutError


@pytest.mark.parametrize("after", range(1, ROWS + 1))
def test_an_interrupted_picture_goes_on_and_is_the_same(journal: Path, model: Model, after: int) -> None:
    interrupt(journal, model, after)

    with resumed(journal, model.bundle, lambda seed: begin(model, seed)) as rows:
        assert rows.rows_known == after
        *_, last = rows

    *_, whole = begin(model)
    assert np.array_equal(last.codes, whole.codes)
    assert last.preview.tobytes() == whole.preview.tobytes()
    assert not journal.exists()


def test_a_picture_may_be_interrupted_again_and_again(journal: Path, model: Model) -> None:
    for after in (1, 2, 2, 3):
        interrupt(journal, model, after)

    with resumed(journal, model.bundle, lambda seed: begin(model, seed)) as rows:
        assert rows.rows_known == 3
        *_, last = rows
    assert np.array_equal(last.codes, [*begin(model)][-1].codes)


def test_without_a_seed_that_of_the_journal_is_taken(journal: Path, model: Model) -> None:
    drawn: list[int] = []

    def at_random(known: int | None) -> Strokes:
        strokes = model.paint_rows("a red car", seed=known)
        drawn.append(strokes.seed)
        return strokes

    interrupt(journal, model, 1, at_random)
    with resumed(journal, model.bundle, at_random) as rows:
        *_, last = rows

    assert drawn[0] == drawn[1]
    assert np.array_equal(last.codes, [*model.paint_rows("a red car", seed=drawn[0])][-1].codes)


def test_an_edit_goes_on_too(journal: Path, model: Model) -> None:
    def edit(_: int | None) -> Strokes:
        return model.edit_rows(flat_picture(np.full((3, 4), 5)), "blue", seed=3)

    interrupt(journal, model, 1, edit)
    with resumed(journal, model.bundle, edit) as rows:
        *_, last = rows

    assert np.array_equal(last.codes, [*edit(None)][-1].codes)


def test_rows_that_are_known_are_not_drawn_again(model: Model) -> None:
    *_, whole = begin(model)
    other = (whole.codes[:2] + 1) % model.manifest.codes.count

    *_, last = begin(model).after(other)

    assert np.array_equal(last.codes[:2], other)
    assert not np.array_equal(last.codes[2:], whole.codes[2:])  # which follow from others


@pytest.mark.parametrize("options", [{"seed": 8}, {"temperature": 0.5}, {"size": (20, 8)}, {"negative_prompt": "big"}])
def test_another_request_is_refused(journal: Path, model: Model, options: dict[str, Any]) -> None:
    interrupt(journal, model, 2)

    other = {"seed": 9, **options}
    with (
        pytest.raises(RequestError, match="was begun by another request"),
        resumed(journal, model.bundle, lambda _: model.paint_rows("a red car", **other)),
    ):
        pass
    assert journal.exists()


def test_another_picture_is_another_request(model: Model) -> None:
    one, other = (model.edit_rows(flat_picture(np.full((3, 4), code)), "blue", seed=3).digest for code in (5, 6))

    assert one != other


def test_another_bundle_is_refused(journal: Path, model: Model, toy: Path, tmp_path: Path) -> None:
    interrupt(journal, model, 2)
    changed = Model.open(rewritten(toy, tmp_path / "changed", lambda tree: tree.update(name="other")))

    with (
        pytest.raises(RequestError, match=r"was begun with another bundle \(toy, .*delete the file"),
        resumed(journal, changed.bundle, lambda seed: begin(changed, seed)),
    ):
        pass


def test_a_request_that_is_refused_leaves_no_journal(journal: Path, model: Model) -> None:
    with (
        pytest.raises(RequestError, match="size"),
        resumed(journal, model.bundle, lambda seed: begin(model, seed, size=(3, 3))),
    ):
        pass
    assert not journal.exists()


@pytest.mark.parametrize(("codes", "message"), [
    (np.zeros((1, 3), np.int32), "1x3 codes are no rows of a picture of 4x5 codes"),
    (np.zeros((5, 5), np.int32), "5x5 codes are no rows"), (np.full((1, 5), 10**6, np.int32), "codes run from 0"),
])  # fmt: skip
def test_what_are_no_rows_of_the_picture_is_refused(model: Model, codes: Any, message: str) -> None:
    with pytest.raises(RequestError, match=message):
        begin(model).after(codes)


def test_a_picture_of_several_codes_a_pass_does_not_go_on(model: Model) -> None:
    *_, whole = begin(model)

    with pytest.raises(RequestError, match="one code a pass"):
        begin(model, codes_per_pass=2).after(whole.codes[:1])
