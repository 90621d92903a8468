"""The judge's cases: of what training never sees, and right by their own truth."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import pytest

from edgevlo.picturebook.exercises import tasks
from edgevlo.picturebook.judging import figures, judge, trials
from edgevlo.picturebook.judging.judge import RgbArray
from edgevlo.picturebook.judging.trials import Trial
from edgevlo.picturebook.language import phrases
from edgevlo.picturebook.language.forms import REQUESTS, both
from edgevlo.picturebook.language.words import COLUMN, LANGUAGES
from edgevlo.picturebook.model import card
from edgevlo.picturebook.world import atlas, scene, scene_to_codes


def some(row: str, count: int = 12) -> Iterator[Trial]:
    return (trials.draw(row, language, number) for language in LANGUAGES for number in range(count))


def truth(trial: Trial) -> list[RgbArray | str]:
    return [sample.answer or "" if sample.target is None else atlas.pixels(sample.target) for sample in trial.samples]


@pytest.mark.parametrize("row", trials.ROWS)
def test_the_truth_scores_one(row: str) -> None:
    for trial in some(row):
        scores = figures.judged(trial, truth(trial))
        assert scores.pop("extra", [0]) == [0]
        assert all(value == 1 for values in scores.values() for value in values), (trial.samples[-1], scores)


@pytest.mark.parametrize("row", trials.ROWS)
def test_the_truth_of_another_case_does_not(row: str) -> None:
    trial = trials.draw(row, "en", 0)
    others = (trials.draw(row, "en", number) for number in range(1, 50))
    shapes = [[getattr(sample.target, "shape", None) for sample in trial.samples]]
    alike = [one for one in others if [getattr(sample.target, "shape", None) for sample in one.samples] in shapes]
    wrong = [one for one in alike if one.samples[-1].scenes[-1].things != trial.samples[-1].scenes[-1].things]
    assert any(figures.judged(trial, truth(one))["all"][0] < 1 for one in wrong)


@pytest.mark.parametrize("row", trials.ROWS)
def test_scenes_are_held_out(row: str) -> None:
    for trial in some(row):
        first = trial.samples[0]
        sources = first.scenes if first.task == "paint" or not first.sources else first.scenes[:1]
        assert all(scene.is_held_out(one) for one in sources)


@pytest.mark.parametrize("row", trials.ROWS)
def test_a_case_is_the_same_whenever_it_is_drawn(row: str) -> None:
    for trial in some(row, 3):
        again = trials.draw(row, trial.language, trial.number)
        assert [(one.instruction, one.scenes, one.answer) for one in again.samples] == [
            (one.instruction, one.scenes, one.answer) for one in trial.samples
        ]
    assert trials.draw(row, "en", 1, seed=1).samples[0].scenes != trials.draw(row, "en", 1).samples[0].scenes


def test_trials_ask_in_no_sentence_of_the_training() -> None:
    rng = Random(0)
    mix = tasks.Mix(dict.fromkeys(("paint", "edit", "compound", "ask", "compare", "fetch"), 1.0), (0.0, 0.5, 0.3, 0.2))
    trained = {tasks.sample(rng, mix).instruction.lower().rstrip(".!") for _ in range(6000)}
    rows = [row for row in trials.ROWS if row not in ("detect", "boxes", "segmentation", "edges")]
    asked = [sample.instruction.lower().rstrip(".!") for row in rows for trial in some(row) for sample in trial.samples]
    assert not trained.intersection(asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_held_out_forms_are_out_of_reach_of_the_training(language: str) -> None:
    gap = " " if language == "en" else ""
    starts = ["", *(words + gap for words in phrases.BEFORE[language])]
    ends = ["", *(words if words[0] in ",，" else gap + words for words in phrases.AFTER[language])]
    for request in REQUESTS.values():
        forms = set(request.forms(language))
        for form in request.held_out[language]:
            inner = [form.removeprefix(start) for start in starts if form.startswith(start)]
            assert not any(one.removesuffix(end) in forms for one in inner for end in ends if one.endswith(end)), form


def _said_around(form: str) -> list[str]:
    """What a held-out form of a prompt says whatever the scene: the text around its gaps and brackets."""
    outside = re.sub(r"\[[^\]]*\]", "{}", form)
    return [piece.strip() for piece in re.split(r"{\w*}", outside) if len(piece.strip()) > 1]


def test_painting_is_asked_for_in_held_out_sentences() -> None:
    for row in ("paint1", "paint2", "paint3", "sign", "sizes", "new-sizes"):
        for trial in some(row):
            text = trial.samples[0].instruction.lower().replace(",", "，" if trial.language == "zh" else ",")
            forms = [_said_around(form.lower()) for form in both("held_out", "paint")[trial.language]]
            assert any(all(piece in text for piece in pieces) for pieces in forms if pieces), text


def names_a_column(trial: Trial) -> bool:
    words = trial.samples[0].instruction.lower()
    return any(name.lower() in words for names in COLUMN[trial.language].values() for name in names)


def test_rows_hold_what_their_names_say() -> None:
    for things in (1, 2, 3):
        assert {len(trial.samples[0].scenes[0].things) for trial in some(f"paint{things}")} == {things}
    for things in (2, 3):
        trials_without = some(f"paint{things}-anywhere")
        assert {len(trial.samples[0].scenes[0].things) for trial in trials_without} == {things}
        assert not any(names_a_column(trial) for trial in trials_without)
        assert all(names_a_column(trial) for trial in some(f"paint{things}"))
    assert all(f'"{trial.samples[0].scenes[0].sign}"' in trial.samples[0].instruction for trial in some("sign"))
    assert all(len(trial.samples) == 3 for trial in some("turns"))
    assert {trial.part for trial in some("describe")} == {"describe"}
    assert "describe" not in {trial.part for trial in some("ask", 40)}
    assert {trial.part for trial in some("compound", 30)} == {"2", "3", "4"}


def test_turns_go_on_from_the_true_scene() -> None:
    for trial in some("turns"):
        for before, after in zip(trial.samples, trial.samples[1:], strict=False):
            assert before.scenes[1] == after.scenes[0]
        own = scene_to_codes.paint(scene.Scene())
        assert trials.turn(trial, 1, own).sources[0] is own
        assert trials.turn(trial, 0, None) is trial.samples[0]


def test_sizes_are_trained_or_new_and_all_are_painted() -> None:
    trained = {*scene.GRIDS, *scene.DENSE_GRIDS}
    assert {one.samples[0].scenes[0].grid for one in some("sizes", 40)} <= trained - {scene.DEFAULT_GRID}
    assert {one.samples[0].scenes[0].grid for one in some("new-sizes", 40)} == set(trials.NEW_GRIDS)
    assert not trained & set(trials.NEW_GRIDS)
    for rows, columns in trials.NEW_GRIDS:
        assert card.ROWS[0] <= rows <= card.ROWS[1]
        assert card.COLUMNS[0] <= columns <= card.COLUMNS[1]
        assert card.CELLS[0] <= rows * columns <= card.CELLS[1]
        assert max(rows / columns, columns / rows) <= card.RATIO


def test_maps_are_of_the_same_scenes() -> None:
    for number in range(5):
        same = [trials.draw(row, "en", number).samples[0].scenes for row in ("segmentation", "edges", "boxes")]
        assert same[0] == same[1] == same[2]


def test_truths_of_detection_are_boxes_of_the_scene() -> None:
    for trial in some("detect", 30):
        told = judge.told_boxes(trial.samples[0].answer or "")
        assert set(told) <= set(judge.true_boxes(trial.samples[0].scenes[0]))
