"""Changes of several things at once: their plain words, carried out clause by clause, give the scene that is drawn."""

from __future__ import annotations

import re
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from edgevlo.picturebook.language import plain
from edgevlo.picturebook.language.words import LANGUAGES
from edgevlo.picturebook.requests import groups
from edgevlo.picturebook.requests.editor import Change, Editor
from edgevlo.picturebook.requests.sign_words import sign_word
from edgevlo.picturebook.world.scene import (
    COLOURS,
    HATTED,
    KINDS,
    MAX_SIGN,
    OWN,
    SIGN_CHARACTERS,
    Scene,
    Thing,
    sample_colour,
    sample_kind,
)

COLUMN = {"left": 0, "middle": 1, "right": 2}
ANY = "|".join(sorted(KINDS, key=len, reverse=True))
HUE = "|".join(COLOURS)
WHO = rf"the (?:(?P<colour>{HUE}) )?(?P<kind>{ANY})(?: (?:on|in) the (?P<column>left|middle|right))?"
NEW = rf"(?:an? |some )?(?:(?P<new_colour>{HUE}) )?(?P<new_kind>{ANY})(?: with an? (?P<hat>\w+) hat)?"
CLAUSES = {
    "recolour": rf"paint {WHO} (?P<new_colour>\w+)",
    "everything": r"paint everything (?P<new_colour>\w+)",
    "hat off": rf"take the hat off {WHO}",
    "hat on": rf"put an? (?P<hat>\w+) hat on {WHO}",
    "hat": rf"paint the hat of {WHO} (?P<hat>\w+)",
    "remove": rf"remove {WHO}",
    "move": rf"move {WHO} to the (?P<to>left|middle|right|front|back)",
    "add": rf"add {NEW} (?:on|in) the (?P<to>left|middle|right)(?P<back> at the back)?",
}


def one_of(scene: Scene, said: dict[str, Any]) -> Thing:
    """The only thing that the words may mean."""
    (thing,) = (
        thing
        for thing in scene.things
        if thing.kind == said["kind"]
        and said["colour"] in (None, thing.colour)
        and (said["column"] is None or COLUMN[said["column"]] == thing.column)
    )
    return thing


def carried_out(scene: Scene, words: str) -> set[Thing]:
    """The things after every clause; each speaks of the scene as it was."""
    made: dict[Thing, Thing | None] = {thing: thing for thing in scene.things}
    added = set[Thing]()
    for clause in words.split(", "):
        name, match = next((name, found) for name, form in CLAUSES.items() if (found := re.fullmatch(form, clause)))
        said: dict[str, Any] = match.groupdict()
        if name == "everything":
            made = {old: replace(new, colour=said["new_colour"]) for old, new in made.items() if new}
        elif name == "add":
            depth = 0 if said["back"] else (scene.rows - 2) // 3 - 1
            added.add(Thing(said["new_kind"], said["new_colour"] or OWN, COLUMN[said["to"]], depth, said["hat"]))
        else:
            thing = one_of(scene, said)
            new = made[thing]
            assert new
            if name == "move":
                depths = {"front": (scene.rows - 2) // 3 - 1, "back": 0}
                to = said["to"]
                made[thing] = replace(new, depth=depths[to]) if to in depths else replace(new, column=COLUMN[to])
            elif name == "recolour":
                made[thing] = replace(new, colour=said["new_colour"])
            else:
                made[thing] = None if name == "remove" else replace(new, hat=said.get("hat"))
    return {thing for thing in made.values() if thing} | added


def drawn(rng: Random) -> Scene:
    """Two or three things, of few kinds and colours so that some are alike."""
    kinds, colours = (sample_kind(rng), sample_kind(rng)), rng.sample(COLOURS, 3)
    things = []
    for column in rng.sample(range(3), rng.choice((1, 2, 2, 3))):
        kind = rng.choice(kinds)
        hat = rng.choice((None, *COLOURS)) if kind in HATTED and rng.random() < 0.7 else None
        colour = OWN if sample_colour(rng, kind) == OWN else rng.choice(colours)
        things.append(Thing(kind, colour, column, rng.randrange(2), hat))
    return Scene(tuple(sorted(things, key=lambda thing: (thing.depth, thing.column))))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("change", groups.WEIGHTS, ids=lambda change: change.__name__)
def test_plain_words_say_what_is_drawn(change: Change, language: str) -> None:
    rng, tried = Random(3), 0
    while tried < 25:
        scene = drawn(rng)
        made = change(Editor(rng, language, scene))
        words = plain.change(scene, made[0], plain.matched(scene, made[0])) if made else None
        if made and words:
            tried += 1
            assert made[0] != scene
            assert carried_out(scene, words) == set(made[0].things), (made[1], words)
            assert "{" not in made[1]


def test_words_for_signs_can_be_painted() -> None:
    rng = Random(1)
    words = {sign_word(rng) for _ in range(2000)}
    assert len(words) > 500
    assert all(0 < len(word) <= MAX_SIGN and set(word) <= set(SIGN_CHARACTERS) for word in words)
