"""The pictures of what people wrote: before an edit, after it, and the change in plain words.

A line tells of a result what is demanded; what it leaves open follows one rule, so that there is one right result.
"""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import Any

from ..language import plain
from ..language.lexicon import Name, lexicon
from ..language.plain import COLUMNS, NO, Wanted, Wish
from ..world.scene import CLIPARTS, HATTED, OWN, Scene, Thing, free_slots, in_order
from .editor import Pairs, usual_colour
from .lines import SETTINGS, Line

DENSE, USUAL_GRID, OTHERS = (5, 6), (8, 8), ((8, 6), (6, 8), (8, 10), (10, 6), (5, 12), (6, 10), (10, 10))


def drawn_grid(rng: Random, *, deep: bool) -> tuple[int, int]:
    """A grid, mostly with little room around the objects; `deep` has two rows of places."""
    if deep:
        return rng.choice((USUAL_GRID, USUAL_GRID, (8, 6), (8, 10)))
    return DENSE if rng.random() < 0.8 else USUAL_GRID if rng.random() < 0.75 else rng.choice(OTHERS)


def scene_of(wished: Wish, grid: tuple[int, int]) -> Scene | None:
    """The scene that a source tells of, all of it said; at the front where no row is."""
    depths = (grid[0] - 2) // 3
    things = list[Thing]()
    for one in wished.things:
        colour = OWN if one.kind in CLIPARTS else one.colour
        if colour is None or one.column is None:
            return None
        depth = 0 if one.row == "back" and depths > 1 else depths - 1
        if one.row is None and any(
            (thing.column, thing.depth) == (COLUMNS.index(one.column), depth) for thing in things
        ):
            depth = 0  # behind another
        things.append(Thing(one.kind, colour, COLUMNS.index(one.column), depth, plain.hat_of(one)))
    if len({(thing.column, thing.depth) for thing in things}) < len(things):
        return None
    told = {name: value for name in SETTINGS if (value := getattr(wished, name))}
    return Scene(
        in_order(things), **told, sign=wished.sign.lower() if wished.sign else None, rows=grid[0], columns=grid[1]
    )


def _fits(one: Wanted, thing: Thing, level: int) -> bool:
    column = one.column in (None, COLUMNS[thing.column])
    same = one.kind == thing.kind
    colour = one.colour in (None, thing.colour)
    return (
        same and colour and column,
        same and one.column is not None and column,
        same and colour,
        same,
        one.column is not None and column,
    )[level]


def result_of(line: Line, old: Scene) -> tuple[Scene, Pairs] | None:
    """The scene after an edit, and which thing has become which; None where the line does not tell it for sure."""
    assert line.source
    wanted, left = list(enumerate(line.result.things)), list(old.things)
    given: dict[int, Thing] = {}
    for level in range(5):
        for number, one in wanted:
            if number not in given:
                thing = next((thing for thing in left if _fits(one, thing, level)), None)
                if thing:
                    given[number] = thing
                    left.remove(thing)
    depths = (old.rows - 2) // 3
    made: dict[int, Thing] = {}
    for number, one in wanted:
        source = given.get(number)
        if source is None:
            continue
        colour = one.colour or (source.colour if source.kind == one.kind else usual_colour(one.kind))
        hat = source.hat if one.hat is None and source.kind == one.kind else None if one.hat in (None, NO) else one.hat
        if hat == plain.ANY:
            hat = source.hat or plain.hat_of(Wanted(one.kind, colour, plain.ANY))
        depth = source.depth if one.row is None else (depths - 1 if one.row == "front" else 0)
        column = COLUMNS.index(one.column) if one.column else source.column
        made[number] = Thing(one.kind, colour, column, depth, hat if one.kind in HATTED else None)
    moving = [
        number
        for number, one in wanted
        if number in given and one.column is None and any(number in (a, b) for a, _, b in line.result.relations)
    ]
    for number, one in wanted:
        if number in made and number not in moving:
            continue
        taken = {(thing.depth, thing.column) for at, thing in made.items() if at != number}
        row = None if one.row is None else (depths - 1 if one.row == "front" else 0)
        stay = [(given[number].depth, given[number].column)] if number in given else []
        slots = [*stay, *sorted(free_slots(replace(old, things=())), key=lambda slot: (-slot[0], slot[1]))]
        fitting = [
            slot for slot in slots
            if slot not in taken and (one.column is None or COLUMNS[slot[1]] == one.column) and row in (None, slot[0])
            and _related(line.result, number, slot[1], made)
        ]  # fmt: skip
        if not fitting:
            return None
        colour = one.colour or (made[number].colour if number in made else usual_colour(one.kind))
        hat = plain.hat_of(Wanted(one.kind, colour, one.hat)) if one.kind in HATTED else None
        hat = made[number].hat if number in made else hat
        made[number] = Thing(one.kind, colour, fitting[0][1], fitting[0][0], hat)
    things = [made[number] for number, _ in wanted]
    if len({(thing.column, thing.depth) for thing in things}) < len(things):
        return None
    told: dict[str, Any] = {}
    usual = {"place": "meadow", "time": "day", "weather": "clear", "style": "flat"}
    for name in SETTINGS:
        value = getattr(line.result, name)
        told[name] = value or (usual[name] if getattr(old, name) in line.forbidden else getattr(old, name))
    sign = line.result.sign.lower() if line.result.sign else None if line.tags & {"sign", "remove"} else old.sign
    pairs: list[tuple[Thing | None, Thing | None]] = [(given.get(number), made[number]) for number, _ in wanted]
    pairs += [(thing, None) for thing in left]
    pairs.sort(key=lambda pair: (pair[0] is None, (pair[0].depth, pair[0].column) if pair[0] else (0, 0)))
    return replace(old, things=in_order(things), sign=sign, **told), pairs


def _related(wished: Wish, number: int, column: int, made: dict[int, Thing]) -> bool:
    for first, relation, second in wished.relations:
        if number not in (first, second) or (second if number == first else first) not in made:
            continue
        left, right = (column, made[second].column) if number == first else (made[first].column, column)
        if (relation == "<" and left >= right) or (relation == "~" and abs(left - right) > 1):
            return False
    return True


def as_said(clauses: list[str], text: str, language: str) -> list[str]:
    """The clauses of a change in the order of a text; one that it does not speak of stays behind its neighbour."""
    spans, at, places = lexicon(language).spans(text), 0, list[int]()
    for clause in clauses:
        words = set(clause.replace('"', "").split())
        named = [span for span in spans if span.name.attribute != "column" and _plain(span.name) & words]
        kinds = [span for span in named if span.name.attribute == "kind"]
        at = min((span.start for span in kinds or named), default=at)
        places.append(at)
    return [clauses[number] for number in sorted(range(len(clauses)), key=places.__getitem__)]


def _plain(name: Name) -> set[str]:
    """The words of plain speech that tell of a name's value."""
    said = {"place": plain.PLACE, "weather": plain.AS_WEATHER, "style": plain.STYLE}.get(name.attribute, {})
    return set(said.get(name.value, name.value).split()) - {"style"}


def edit_of(line: Line, rng: Random, language: str) -> tuple[Scene, Scene, str] | None:
    """A line's picture before and after, and the change in plain words."""
    assert line.source
    rows = any(one.row for one in (*line.source.things, *line.result.things)) or len(line.result.things) > 3
    grid = drawn_grid(rng, deep=rows)
    if max(len(line.source.sign or ""), len(line.result.sign or "")) > grid[1] - 2:
        grid = USUAL_GRID
    old = scene_of(line.source, grid)
    found = result_of(line, old) if old else None
    if not old or not found:
        return None
    words = plain.change(old, found[0], found[1])
    if words is None:
        return None
    told = ", ".join(as_said(words.split(", "), line.text, language))
    return old, found[0], plain.with_unknown(told, line.unknown)
