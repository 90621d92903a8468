"""Questions for yes or no: the answer follows from the scene, found anew from the question's own words."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from edgevlo.picturebook.language.lexicon import Name, lexicon
from edgevlo.picturebook.language.speaker import Speaker
from edgevlo.picturebook.language.words import COLOUR, KIND, LANGUAGES
from edgevlo.picturebook.requests import statements
from edgevlo.picturebook.requests.statements import Asker
from edgevlo.picturebook.world.scene import Scene, column_name, sample_scene

YES = {"yes", "有", "是"}
CANONICAL = {
    "en": {"colour": "is the {k} {c}?", "relation": "is the {k} {r} the {m}?", "position": "is the {k} {p}?",
           "left": "left of", "right": "right of", "hat": "does the {k} wear a hat?",
           "something": "is anything {p}?", "any_hat": "any hats?"},
    "zh": {"colour": "{k}是{c}的吗", "relation": "{k}在{m}{r}吗", "position": "{k}在{p}吗", "left": "左边",
           "right": "右边", "hat": "{k}戴帽子了吗", "something": "{p}有东西吗", "any_hat": "有帽子吗"},
}  # fmt: skip


def names(text: str, language: str) -> list[Name]:
    """The names of a question in their order."""
    return [span.name for span in lexicon(language).spans(text)]


def true(scene: Scene, section: str, found: list[Name], text: str) -> bool | None:
    """Whether a question is to be affirmed; None where its words are not all in the lexicon's finder."""
    kinds = [name.value for name in found if name.attribute == "kind"]
    colours = [name.value for name in found if name.attribute == "colour"]
    columns = [name.value for name in found if name.attribute == "column"]
    things = {thing.kind: thing for thing in scene.things}
    if section == "colour" and len(kinds) == len(colours) == 1:
        return things[kinds[0]].colour == colours[0]
    if section == "hat" and len(kinds) == 1:
        hat = things[kinds[0]].hat
        return hat == colours[0] if colours else hat is not None
    if section == "position" and len(kinds) == len(columns) == 1:
        return column_name(scene, things[kinds[0]]) == columns[0]
    if section == "something" and len(columns) == 1 and not kinds:
        return columns[0] in {column_name(scene, thing) for thing in scene.things}
    if section == "relation" and len(kinds) == 2:
        left = "left" in text or "左" in text
        return (things[kinds[0]].column < things[kinds[1]].column) == left
    return None


@pytest.mark.parametrize("language", LANGUAGES)
def test_answers_follow_from_the_scene(language: str, monkeypatch: pytest.MonkeyPatch) -> None:
    forms = statements.FORMS[language] | {name: (form,) for name, form in CANONICAL[language].items()}
    monkeypatch.setitem(statements.FORMS, language, forms)
    monkeypatch.setattr(Speaker, "noun", lambda self, kind, many=False: KIND[self.language][kind][0])
    monkeypatch.setattr(Speaker, "colour", lambda self, value: COLOUR[self.language][value][0])
    rng, checked, said = Random(4), Counter[str](), Counter[tuple[str, bool]]()
    questions = {statements.colour: ("colour",), statements.relation: ("relation",), statements.hat: ("hat",),
                 statements.position: ("position", "something")}  # fmt: skip
    for _ in range(1500):
        scene = sample_scene(rng, rng.choice((1, 2, 3)), (8, 8), hats=0.5, distinct_kinds=1.0)
        draw = rng.choice(list(questions))
        asked = draw(Asker(rng, language, scene, Speaker(rng, language)))
        if asked is None:
            continue
        found = names(asked[0], language)
        named = any(name.attribute == "kind" for name in found)
        section = questions[draw][0 if named else -1]
        right = true(scene, section, found, asked[0])
        if right is not None:
            checked[section] += 1
            said[section, asked[1] in YES] += 1
            assert (asked[1] in YES) == right, (asked, scene)
    for section in ("colour", "relation", "hat", "position", "something"):
        assert checked[section] > 30, section
        assert said[section, True] > 5
        assert said[section, False] > 5


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_question_is_asked_and_answered(language: str) -> None:
    rng, found = Random(6), Counter[str]()
    for _ in range(3000):
        scene = sample_scene(rng, rng.choice((0, 1, 2, 3)), (8, 8), hats=0.5, sign=0.3)
        question = rng.choice(list(statements.WEIGHTS))
        asked = question(Asker(rng, language, scene, Speaker(rng, language)))
        if asked:
            found[question.__name__] += 1
            assert all(asked)
            assert "{" not in asked[0]
    assert set(found) == {question.__name__ for question in statements.WEIGHTS}
