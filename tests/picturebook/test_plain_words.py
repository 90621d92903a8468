"""Plain words: where things stand, what a change says, and exercises that end in them."""

from random import Random

import pytest

from edgevlo.picturebook.exercises import reading
from edgevlo.picturebook.exercises.tasks import Mix
from edgevlo.picturebook.language import plain
from edgevlo.picturebook.language.noise import typed
from edgevlo.picturebook.language.plain import Wanted, Wish
from edgevlo.picturebook.language.voice import Voice
from edgevlo.picturebook.language.words import LANGUAGES
from edgevlo.picturebook.requests import edit_request, wishes
from edgevlo.picturebook.world.scene import Scene, Thing, sample_scene


def test_a_picture() -> None:
    wish = Wish((Wanted("car", "red"), Wanted("cat", hat="any")), "beach", "night", "rain", "retro", "HELLO")
    assert plain.picture(wish) == (
        'red car on the left, cat with a red hat on the right, beach, night, rain, retro style, sign "hello"'
    )
    assert plain.picture(Wish((Wanted("dog"),), "snow", "day", "clear", "flat")) == "dog, snowy landscape"
    assert plain.with_unknown("dog", ("Eiffel Tower", "猫砂")) == "dog ? eiffel tower ? 猫砂"


def test_things_stand_as_relations_say() -> None:
    three = tuple(Wanted(kind) for kind in ("house", "dog", "tree"))
    stood = plain.placed(Wish(three, relations=((1, "<", 0), (0, "<", 2))))
    assert stood
    assert [thing.column for thing in stood.things] == ["middle", "left", "right"]
    assert plain.placed(Wish((Wanted("car"),) * 7)) is None
    with pytest.raises(ValueError, match="do not find a place"):
        plain.picture(Wish((Wanted("car", column="left"),) * 3))


def test_a_change() -> None:
    red, blue = Thing("car", "red", 0, 1), Thing("cat", "blue", 2, 1, "green")
    old = Scene((red, blue))
    new = Scene((Thing("car", "pink", 0, 1), Thing("cat", "blue", 1, 1)), time="night")
    assert plain.change(old, new, plain.matched(old, new)) == (
        "paint the car pink, take the hat off the cat, move the cat to the middle, make it night"
    )
    pink = Scene((Thing("car", "pink", 0, 1), Thing("cat", "pink", 2, 1, "green")))
    assert plain.change(old, pink, plain.matched(old, pink)) == "paint everything pink"
    assert plain.change(old, old, plain.matched(old, old)) == "change nothing"


@pytest.mark.parametrize("language", LANGUAGES)
def test_wishes_and_changes_name_the_unknown_as_typed(language: str) -> None:
    rng = Random(5)
    for _ in range(300):
        asked = wishes.asked(rng, language)
        assert all(word in asked.text for word in asked.unknown)
        text = typed(asked.text, language, rng, asked.kept, 1.0)
        assert all(word.lower() in text.lower() for word in asked.unknown)
        scene = sample_scene(rng, 2, (8, 8))
        changed = edit_request.asked(rng, language, scene)
        if changed:
            assert all(word in changed[1] for word in changed[3])
            assert changed[0] == scene or changed[2] != "change nothing"


@pytest.mark.parametrize("task", reading.READING)
def test_exercises_are_drawn_from_their_seed(task: str) -> None:
    for language in LANGUAGES:
        draw = [reading.READING[task](Voice(Random(9), language), Mix({})) for _ in range(2)]
        assert draw[0].instruction == draw[1].instruction
        assert (draw[0].answer is None) == (draw[0].target is not None)
