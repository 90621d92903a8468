"""The language: requests, captions and names say what they must, in both tongues and in no other's words."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import combinations, product
from random import Random

import pytest

from edgevlo.picturebook.exercises import questions, tasks
from edgevlo.picturebook.language import forms, naming, phrases, words
from edgevlo.picturebook.language.forms import REQUESTS, expanded
from edgevlo.picturebook.language.prompts.prompt import prompt
from edgevlo.picturebook.language.voice import Voice
from edgevlo.picturebook.model import card
from edgevlo.picturebook.world import scene
from edgevlo.picturebook.world.scene import (
    Scene,
    Thing,
    default_slot,
)


def _normalised(form: str) -> str:
    """A form with its gaps filled alike, without capitals, punctuation and double spaces."""
    filled = re.sub(r"{\w+}", " x ", form.lower()).replace("color", "colour")
    return " ".join(re.sub(r"[^\w\s]", " ", filled).split())


@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_sentence_forms_for_judging_are_no_training_forms(tongue: str) -> None:
    assert len(REQUESTS) == 32
    for name, asked in REQUESTS.items():
        trained = asked.forms(tongue)
        assert len(set(trained)) == len(trained) >= 45, name
        assert len(set(asked.held_out[tongue])) == len(asked.held_out[tongue]) >= 3, name
        assert not set(map(_normalised, trained)) & set(map(_normalised, asked.held_out[tongue])), name


GAPS = {
    "recolour": ["name word"], "add": ["thing where", "thing in_where"], "remove": ["name"], "hat_off": ["name"],
    "hat_colour": ["name word", "name a_word"], "hat_on": ["name a_word", "name word"],
    "move": ["name where", "name spot"], "place": ["noun", "a_noun", "spot"], "time": ["word", "spot"],
    "place_and_time": ["time noun", "time a_noun", "time spot"],
    "style": ["word"], "sign_word": ["word"], "sign_on": ["word"],
    "count": ["noun"], "where": ["noun"], "there": ["spot"], "colour": ["noun"], "yes_no": ["name"],
    "detect": ["names"], "fetch": ["name source into"],
}  # fmt: skip
GAPS_ZH = {"hat_on": ["name word"], "hat_colour": ["name word"],
           "count": ["noun", "noun measure"], "place": ["noun", "spot"],
           "place_and_time": ["time noun", "time spot"]}  # fmt: skip


@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_every_form_says_all_that_its_request_must_say(tongue: str) -> None:
    gaps = GAPS | GAPS_ZH if tongue == "zh" else GAPS
    for name, asked in REQUESTS.items():
        for form in (*asked.forms(tongue), *asked.held_out[tongue]):
            found = set(re.findall(r"{(\w+)}", form))
            if name == "weather":  # in one word or several
                assert found
                assert found <= ({"word", "spot"} if tongue == "zh" else {"word", "state", "noun", "do", "spot"}), form
            else:
                assert found in [set(one.split()) for one in gaps.get(name, [""])], (name, form)
            assert "sign_" not in name or "{word}" not in form or '"{word}"' in form


def test_a_voice_asks_in_the_forms_of_its_side() -> None:
    trained, judged = Voice(Random(0), "en"), Voice(Random(0), "en", held_out=True)
    assert {trained.pick("move") for _ in range(20_000)} == set(REQUESTS["move"].forms("en"))
    assert {judged.pick("move") for _ in range(300)} == set(REQUESTS["move"].held_out["en"])


def test_every_request_has_one_section_in_each_language() -> None:
    for tongue in words.LANGUAGES:
        headers = [
            line[3:]
            for subject in forms.SUBJECTS
            for line in (forms.FOLDER / f"{subject}.{tongue}.txt").read_text(encoding="utf-8").splitlines()
            if line.startswith("== ")
        ]
        assert sorted(headers) == sorted(REQUESTS)
        assert forms.sections("held_out", tongue).keys() == {*REQUESTS, "paint"}


def test_a_form_stands_for_its_alternatives() -> None:
    assert expanded("[make|paint] {name} [|all ]{word}") == (
        "make {name} {word}",
        "make {name} all {word}",
        "paint {name} {word}",
        "paint {name} all {word}",
    )


def test_training_asks_word_for_word_what_tools_send() -> None:
    abilities = card.task_card()["abilities"]
    sent = {name: abilities[name]["request"]["text"] for name in ("detect", "edges", "boxes")}
    sent["segmentation"] = abilities["segment"]["request"]["text"]
    assert {name: text.replace("{names}", "{objects}") for name, text in phrases.USUAL.items()} == sent
    rng = Random(0)
    for name, text in phrases.USUAL.items():
        mix = tasks.Mix({name: 1.0}, seen=(0.0, 1.0))
        asked = [tasks.TASKS[name](Voice(rng, "en"), mix).instruction for _ in range(300)]
        assert sum(one.startswith(text.partition("{")[0]) for one in asked) > 20, name


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_a_prompt_says_what_the_scene_shows(tongue: str, held: bool) -> None:
    rng = Random(9)
    spoken = {
        "en": ("sun", "dusk", "evening", "twilight"),
        "zh": ("日落", "黄昏", "傍晚", "夕阳", "落日", "太阳", "落下"),
    }
    for _ in range(300):
        drawn = replace(scene.sample_scene(rng, 2, sign=0.5, distinct_kinds=1.0), time="sunset")
        text = prompt(drawn, tongue, rng, naming.Said(), held_out=held).lower()
        assert not set("[]{}") & set(text)
        assert any(word in text for word in spoken[tongue]), text
        assert drawn.sign is None or f'"{drawn.sign}"' in text
        for thing in drawn.things:
            assert any(name in text for name in words.KIND[tongue][thing.kind]), text
            colours = [name.removesuffix("色") for name in words.COLOUR[tongue][thing.colour]]
            assert any(name in text for name in colours), text
            assert any(name in text for name in words.COLUMN[tongue][scene.column_name(drawn, thing)]), text


def test_names_in_a_detection_may_be_of_the_other_language() -> None:
    shown = Scene((Thing("car", "red", 0, 1),))
    for tongue, other in (("en", "汽车"), ("zh", "car")):
        asked = [questions.detect(Voice(Random(seed), tongue), shown) for seed in range(400)]
        foreign = [answer for text, answer in asked if other in text]
        assert foreign
        assert set(foreign) == {questions.detection(shown, tongue)}


@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_what_is_left_unsaid_has_one_meaning(tongue: str) -> None:
    rng = Random(8)
    said = naming.Said(depth=False)
    for _ in range(200):
        drawn = scene.sample_scene(rng, 2, distinct_kinds=1.0)
        for thing in drawn.things:
            back = scene.depth_name(drawn, thing) == "back"
            spoken = naming.position(drawn, thing, tongue, said, rng)
            assert back == any(word in spoken for word in words.DEPTH[tongue]["back"])
        slot = default_slot(drawn)
        assert slot is not None
        assert slot[0] == 1 or all(depth == 0 for depth, _ in scene.free_slots(drawn))


def test_both_languages_name_everything() -> None:
    for table in (
        words.KIND,
        words.COLOUR,
        words.PLACE,
        words.PLACE_NOUN,
        words.TIME,
        words.WEATHER,
        words.STYLE,
        words.COLUMN,
    ):
        assert set(table) == set(words.LANGUAGES)
        assert set(table["en"]) == set(table["zh"])


@pytest.mark.parametrize("tongue", words.LANGUAGES)
def test_no_name_is_or_holds_another_things_name(tongue: str) -> None:
    recolourable = {kind: words.KIND[tongue][kind] for kind in scene.COLOURABLE}  # clip art: see test_names
    for table in ({tongue: recolourable}, words.COLOUR):
        for (one, names), (other, others) in combinations(table[tongue].items(), 2):
            for name, second in product(names, others):
                if tongue == "en":
                    assert not set(name.split()) & set(second.split()), (one, other)
                else:  # Chinese is matched without borders between words
                    assert name not in second, (one, other)
                    assert second not in name, (one, other)
    assert set(words.KIND[tongue]) == set(scene.KINDS) == set(words.MEASURE)
    assert set(words.COLOUR[tongue]) == set(scene.COLOURS)


def test_irregular_plurals() -> None:
    nouns = ("bus", "coach", "person", "bird", "hot-air balloon")
    assert [words.plural(noun) for noun in nouns] == ["buses", "coaches", "people", "birds", "hot-air balloons"]


def test_the_caption_says_everything() -> None:
    shown = Scene((Thing("dog", "blue", 0, 1, "red"),), "beach", "sunset", "rain", "line", "cafe")
    assert naming.caption(shown, "en") == (
        "a blue dog with a red hat on the left at the front, on the beach, at sunset, in the rain, line art, "
        'sign "cafe"'
    )
    assert naming.caption(shown, "zh") == '左边前面有一只戴红色帽子的蓝色狗，海边，日落，下雨，线稿，牌子"cafe"'
