"""Requests in people's words: lines demand what they say, filled anew too; nothing of the judge's is trained on."""

from contextlib import suppress
from random import Random

import pytest

from edgevlo.picturebook.exercises import reading
from edgevlo.picturebook.judging import people as judged_people
from edgevlo.picturebook.language import plain
from edgevlo.picturebook.language.lexicon import check, lexicon
from edgevlo.picturebook.language.words import LANGUAGES
from edgevlo.picturebook.requests import people
from edgevlo.picturebook.requests.lines import SETTINGS, bare, parsed, read
from edgevlo.picturebook.requests.people import VALUES
from edgevlo.picturebook.requests.results import edit_of, result_of, scene_of
from edgevlo.picturebook.training.curriculum import STAGES
from edgevlo.picturebook.world.scene import DEFAULT_GRID


def test_no_line_of_the_judge_is_trained_on() -> None:
    for language in LANGUAGES:
        trained = {bare(line.text) for line in read("people", language)}
        judged = {bare(line.text) for one in judged_people.SETS for line in judged_people.lines(language, one)}
        assert len(judged) > 300
        assert not trained & judged
    rng = Random(1)
    drawn = {bare(reading.exercise(rng, STAGES[-1].mix).instruction) for _ in range(1500)}
    assert not drawn & reading._judged()


@pytest.mark.parametrize("language", LANGUAGES)
def test_nearly_every_line_can_be_read(language: str) -> None:
    rng, asked, told = Random(0), 0, 0
    for line in read("people", language):
        if line.task == "ask":
            continue
        asked += 1
        with suppress(ValueError):
            told += (
                bool(plain.picture(line.result)) if line.source is None else edit_of(line, rng, language) is not None
            )
    assert asked > 1000
    assert told / asked > 0.99


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("chosen", judged_people.SETS)
def test_every_line_of_the_judge_can_be_done(chosen: str, language: str) -> None:
    """What a line gives can be drawn; what it demands can be painted, and the judge accepts it."""
    from edgevlo.picturebook.world.atlas import pixels
    from edgevlo.picturebook.world.scene_to_codes import paint

    for line in judged_people.lines(language, chosen):
        if line.source is None:
            assert plain.picture(line.result), line.text
            continue
        old = scene_of(line.source, DEFAULT_GRID)
        assert old, line.text
        if line.task == "ask":
            answer = reading._answer(line, old, language)
            assert answer is None or judged_people.answered(line, answer, language), (line.text, answer)
        else:
            made = result_of(line, old)
            assert made, line.text
            assert not judged_people.wrong(line, pixels(paint(made[0]))), line.text


def test_parsed() -> None:
    line = parsed(
        "paint | relation,hat | a pup in a cap left of a hut | dog +hat=any; house blue @right; 0<1; !rain; time=night"
    )
    dog, house = line.result.things
    assert (dog.kind, dog.hat, house.colour, house.column) == ("dog", "any", "blue", "right")
    assert line.result.relations == ((0, "<", 1),)
    assert line.forbidden == ("rain",)
    assert line.result.time == "night"
    with pytest.raises(ValueError, match="no kind"):
        parsed("paint | bare | a sword | sword")


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_filled_anew_demands_what_it_says(language: str) -> None:
    """What a text names and its line demands, or does not demand, are the same things before and after, renamed."""
    rng, words = Random(3), lexicon(language)
    for written in people.lines(language)["paint"]:
        values = people.drawn_map(rng, written, 0.0)
        result = people.mapped(written.line.result, values)
        for name in VALUES:
            said = {gap.name.value for gap in written.gaps if gap.name.attribute == name}
            wanted = people._said(written.line.result)[name]
            table = values[name]
            assert {table.get(value, value) for value in wanted} == people._said(result)[name]
            assert all(table.get(value, value) == value for value in wanted - said)
            assert len({table.get(value, value) for value in wanted}) == len(wanted)
    line = people.anew(rng, people.prepared(parsed("paint | bare | a hut | house"), "en"), "en", 0.0)
    assert words.spans(line.text) or line.text


def test_articles_and_measure_words_follow() -> None:
    assert (
        people.filled("a dog and an owl", [(2, 5, "owl", "bird"), (13, 16, "dog", "dog")], "en", Random(0))
        == "an owl and a dog"
    )
    assert people.filled("一只狗", [(2, 3, "汽车", "car")], "zh", Random(1)) in ("一辆汽车", "一台汽车", "一个汽车")


def test_traps_are_no_names() -> None:
    def kinds(text: str, language: str) -> list[str]:
        return [span.name.value for span in lexicon(language).spans(text) if span.name.attribute == "kind"]

    check()
    assert kinds("a hot dog and a catfish on a carpet", "en") == ["hot dog"]
    assert kinds("一只猫头鹰和一只花猫", "zh") == ["owl", "cat"]
    assert kinds("熊猫坐火车，加班狗花钱", "zh") == ["panda", "train"]
    assert kinds("Two puppies, 🐱", "en") == ["dog", "cat"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_true_pictures_and_answers_are_right(language: str) -> None:
    """The judge accepts the picture that a line tells of and the answer that training gives."""
    from edgevlo.picturebook.world.atlas import pixels
    from edgevlo.picturebook.world.scene_to_codes import paint

    for line in read("people", language)[:400]:
        if line.task == "ask":
            scene = scene_of(line.source or line.result, (8, 8))
            answer = reading._answer(line, scene, language) if scene else None
            assert answer is None or judged_people.answered(line, answer, language), (line.text, answer)
        elif line.task == "edit":
            made = edit_of(line, Random(0), language)
            if made and made[1].columns >= 6:
                assert not set(judged_people.wrong(line, pixels(paint(made[1])))) - {"number"}, line.text
    assert set(SETTINGS) < set(VALUES)
