"""The judge of requests as people type them: lines that somebody else wrote, and whether a result is what they demand.

The lines stand in `language/forms/`. The writers of `people_held_out.*` saw a page about the world and nothing of the
training; what went wrong with them was looked at while the training was changed. Those of `people_second.*` were
written later, and nobody who changes the training looks at what goes wrong with them; those of `people_third.*` are
about the larger world, half of their things clip art, and so are those of `people_fourth.*`, which were written after
the training's last lines. A picture is read back by the world's judge; an answer has to say what the line asks for;
what the world does not have has to be named in a note.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import permutations

from ..language.plain import ANY, NO, Wanted, Wish
from ..language.words import (
    COLOUR,
    COLUMN,
    DEPTH,
    KIND,
    PLACE,
    PLACE_NOUN,
    STYLE,
    STYLE_WORDS,
    TIME,
    WEATHER,
    WEATHER_NOUNS,
    WEATHER_STATES,
)
from ..requests.lines import SETTINGS, Line, read
from ..requests.relabel import is_stale
from ..requests.results import scene_of
from ..world.scene import DEFAULT_GRID, IS_A, Scene, Thing, column_name, depth_name
from ..world.scene_to_codes import Grid, paint
from . import judge
from .judge import RgbArray

SETS = {"first": "people_held_out", "second": "people_second", "third": "people_third", "fourth": "people_fourth"}
OLDER = ("first", "second")  # written when the world had twelve kinds
TASKS = ("paint", "edit", "ask", "outside")
NUMBERS = {
    "en": ("none", "one", "two", "three", "four", "five", "six"),
    "zh": ("没有", "一", "两", "三", "四", "五", "六"),
}


@lru_cache
def lines(language: str, chosen: str = "first") -> tuple[Line, ...]:
    """The lines of one of the judge's `SETS`, of the older ones without those that call unknown what is known now."""
    written = read(SETS[chosen], language)
    return tuple(line for line in written if chosen not in OLDER or not is_stale(line, language))


def source(line: Line) -> Grid | None:
    """The picture that a line speaks of; None where there is none."""
    if line.source is None:
        return None
    scene = scene_of(line.source, DEFAULT_GRID)
    if scene is None:
        raise ValueError(f"this picture cannot be drawn: {line.source}")
    return paint(scene)


def _fits(one: Wanted, thing: Thing, scene: Scene) -> bool:
    hat = one.hat is None or (
        thing.hat is None if one.hat == NO else thing.hat is not None and one.hat in (ANY, thing.hat)
    )
    row = one.row is None or depth_name(scene, thing) in (None, one.row)
    return (
        one.kind in (thing.kind, IS_A.get(thing.kind))  # an owl is a bird, too
        and one.colour in (None, thing.colour)
        and hat
        and row
        and one.column in (None, column_name(scene, thing))
    )


def _stand(wished: Wish, things: tuple[Thing, ...]) -> bool:
    for first, relation, second in wished.relations:
        a, b = things[first], things[second]
        if (relation == "<" and not a.column < b.column) or (relation == "~" and abs(a.column - b.column) > 1):
            return False
    return True


def wrong(line: Line, picture: RgbArray) -> list[str]:
    """What of a line's demands a picture does not show."""
    reading = judge.read(picture)
    scene, wished = reading.scene, line.result
    found = []
    if len(scene.things) != len(wished.things):
        found.append("number")
    orders = permutations(scene.things, len(wished.things)) if len(wished.things) <= len(scene.things) else iter(())
    fitting = [
        order
        for order in orders
        if all(_fits(one, thing, scene) for one, thing in zip(wished.things, order, strict=True))
    ]
    if not fitting:
        found.append("objects")
    elif not any(_stand(wished, order) for order in fitting):
        found.append("relation")
    found += [name for name in SETTINGS if getattr(wished, name) not in (None, getattr(scene, name))]
    if wished.sign and (scene.sign or "").lower() != wished.sign.lower():
        found.append("sign")
    shown = {kind for thing in scene.things for kind in (thing.kind, IS_A.get(thing.kind))}
    shown |= {getattr(scene, name) for name in SETTINGS}
    if shown & set(line.forbidden):
        found.append("forbidden")
    return [*found, *(["strays"] if reading.strays > 2 else [])]


def _says(answer: str, words: tuple[str, ...]) -> bool:
    return any(word.lower() in answer for word in words)


def answered(line: Line, answer: str, language: str) -> bool:
    """Whether an answer says what the line asks for."""
    answer, (name, _, said) = answer.lower(), line.answer.partition("=")
    if name == "count":
        return _says(answer, (NUMBERS[language][int(said)], said))
    if name in ("yes", "no"):
        denied = answer.startswith("no") if language == "en" else _says(answer, ("不", "没"))
        return denied == (name == "no") and (name == "no" or _says(answer, ("yes", "是", "有", "对")))
    tables: dict[str, tuple[dict[str, dict[str, tuple[str, ...]]], ...]] = {
        "place": (PLACE, PLACE_NOUN), "time": (TIME,), "weather": (WEATHER,), "style": (STYLE, STYLE_WORDS),
        "colour": (COLOUR,), "": (KIND, COLOUR, COLUMN, DEPTH, PLACE, PLACE_NOUN, TIME, WEATHER, STYLE),
    }  # fmt: skip
    english = {"weather": (WEATHER_NOUNS, WEATHER_STATES)} if language == "en" else {}
    for word in filter(None, (word.strip() for word in said.split(","))):
        names = [one for table in tables["" if name == "mentions" else name] for one in table[language].get(word, ())]
        names += [one for table in english.get(name, ()) for one in table[word]]
        if not _says(answer, (word, *names)):
            return False
    return True


def named(line: Line, notes: str) -> bool:
    """Whether the notes name something of what the world does not have."""
    return any(word.lower() in notes.lower() for word in line.unknown)
