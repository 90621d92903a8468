"""A request in plain words: what the model reads any request as before it paints or edits.

The plain words are few, English and always in one order, so that painting has to understand nothing else: `red car on
the left, cat with a blue hat on the right, beach, night`. What the world does not have follows behind a mark.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import permutations

from ..world.scene import HATTED, OWN, Scene, Thing
from .words import article, with_article

MARK = "="  # stands behind a request that is to be read
UNKNOWN = " ? "  # stands before each of a request's own words for what the world does not have
ANY, NO = "any", "no"  # hats
USUAL_HAT, OTHER_HAT = "red", "blue"

COLUMNS = ("left", "middle", "right")
WHERE = {"left": "on the left", "middle": "in the middle", "right": "on the right"}
BACK = "at the back"
NOTHING = "empty landscape"
PLACE = {
    "meadow": "meadow", "city": "city", "beach": "beach", "snow": "snowy landscape",
    "forest": "forest", "mountains": "mountains", "park": "park", "desert": "desert",
}  # fmt: skip
DEFINITE = ("beach", "mountains")  # said with `the`
WEATHER = {"clear": "clear sky", "cloudy": "cloudy", "rain": "rain", "snowfall": "snow falling"}
AS_WEATHER = {"clear": "clear", "cloudy": "cloudy", "rain": "rainy", "snowfall": "snowing"}  # what it is made
STYLE = {
    "flat": "flat style", "line": "line art", "retro": "retro style",
    "oil": "oil painting", "watercolour": "watercolour", "pixel": "pixel art",
}  # fmt: skip


@dataclass(frozen=True)
class Wanted:
    """A thing as it is asked for; None: not said. `hat` may be a colour, `any` or `no`."""

    kind: str
    colour: str | None = None
    hat: str | None = None
    column: str | None = None
    row: str | None = None


@dataclass(frozen=True)
class Wish:
    """A picture as it is asked for; relations are (first, `<` left of or `~` next to, second) by number."""

    things: tuple[Wanted, ...] = ()
    place: str | None = None
    time: str | None = None
    weather: str | None = None
    style: str | None = None
    sign: str | None = None
    relations: tuple[tuple[int, str, int], ...] = ()


def _stands(things: tuple[Wanted, ...], slots: tuple[tuple[int, int], ...], wish: Wish) -> bool:
    for thing, (row, column) in zip(things, slots, strict=True):
        if thing.column not in (None, COLUMNS[column]) or thing.row not in (None, ("front", "back")[row]):
            return False
    for first, relation, second in wish.relations:
        (_, left), (_, right) = slots[first], slots[second]
        if (relation == "<" and not left < right) or (relation == "~" and abs(left - right) > 1):
            return False
    return True


def _slots(count: int) -> Iterator[tuple[tuple[int, int], ...]]:
    """Ways to stand, (row, column) each, the usual ones first: in the order said from left to right, at the front."""
    if count == 2:
        yield (0, 0), (0, 2)
    yield from permutations(((0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)), count)


def placed(wish: Wish) -> Wish | None:
    """The wish with a place for each of several things; None where they find none."""
    things = wish.things
    if len(things) < 2:
        return wish
    slots = (
        next((slots for slots in _slots(len(things)) if _stands(things, slots, wish)), None)
        if len(things) < 7
        else None
    )
    if slots is None:
        return None
    stood = (
        replace(thing, column=COLUMNS[column], row=("front", "back")[row])
        for thing, (row, column) in zip(things, slots, strict=True)
    )
    return replace(wish, things=tuple(stood))


def where(column: str | None, row: str | None) -> str:
    """`on the left at the back`; the front is not said."""
    return " ".join(words for words in (WHERE[column] if column else "", BACK if row == "back" else "") if words)


def hat_of(thing: Wanted) -> str | None:
    """The colour of the hat that is put on a thing, if any: a usual one where none is said."""
    if thing.hat == ANY:
        return OTHER_HAT if thing.colour == USUAL_HAT else USUAL_HAT
    return thing.hat if thing.hat != NO else None


def called(colour: str | None, kind: str) -> str:
    """`red car`; a colour of its own is not said."""
    return f"{colour} {kind}" if colour not in (None, OWN) else kind


def thing_words(thing: Wanted) -> str:
    """`blue dog with a red hat on the left`."""
    hat = hat_of(thing) if thing.kind in HATTED else None
    words = (
        called(thing.colour, thing.kind),
        f"with {article(hat)} hat" if hat else "",
        where(thing.column, thing.row),
    )
    return " ".join(word for word in words if word)


def settings_words(wish: Wish) -> list[str]:
    """Place, time, weather, style and sign; what is usual (day, clear, flat) is not said."""
    words = [PLACE[wish.place]] if wish.place else []
    words += [wish.time] if wish.time not in (None, "day") else []
    words += [WEATHER[wish.weather]] if wish.weather not in (None, "clear") else []
    words += [STYLE[wish.style]] if wish.style not in (None, "flat") else []
    return [*words, f'sign "{wish.sign.lower()}"'] if wish.sign else words


def picture(wish: Wish) -> str:
    """A wished picture in plain words."""
    stood = placed(wish)
    if stood is None:
        raise ValueError(f"these things do not find a place: {wish}")
    things = [thing_words(thing) for thing in stood.things]
    return ", ".join([*(things or [NOTHING]), *settings_words(stood)])


def wish_of(scene: Scene, *, colour: bool = True, column: bool = True, place: bool = True) -> Wish:
    """The wish for a scene, of which some things are not said."""
    names = ("left", "right") if scene.columns < 6 else COLUMNS
    depths = (scene.rows - 2) // 3
    things = tuple(
        Wanted(
            thing.kind,
            thing.colour if colour and thing.colour != OWN else None,
            thing.hat,
            names[thing.column] if column else None,
            "back" if depths > 1 and thing.depth < depths / 2 else None,
        )
        for thing in scene.things
    )
    return Wish(things, scene.place if place else None, scene.time, scene.weather, scene.style, scene.sign)


def with_unknown(text: str, unknown: tuple[str, ...]) -> str:
    """Plain words and, behind a mark each, a request's words for what the world does not have."""
    return text + "".join(UNKNOWN + word.lower() for word in unknown)


def _name(thing: Thing, scene: Scene) -> str | None:
    """How a change names a thing: by kind, colour, column as far as needed; None if that does not tell it."""
    same = [other for other in scene.things if other.kind == thing.kind]
    if len(same) == 1:
        return thing.kind
    alike = [other for other in same if other.colour == thing.colour]
    if len(alike) == 1:
        return called(thing.colour, thing.kind)
    names = ("left", "right") if scene.columns < 6 else COLUMNS
    if sum(other.column == thing.column for other in alike) == 1:
        return f"{called(thing.colour, thing.kind)} {WHERE[names[thing.column]]}"
    return None


def _thing_changes(old: Thing, new: Thing, name: str, scene: Scene) -> list[str]:
    names = ("left", "right") if scene.columns < 6 else COLUMNS
    if old.kind != new.kind:
        hat = f" with {article(new.hat)} hat" if new.hat else ""
        said = [f"replace the {name} with {with_article(called(new.colour, new.kind))}{hat}"]
    else:
        said = [f"paint the {name} {new.colour}"] if old.colour != new.colour else []
        if old.hat and not new.hat:
            said.append(f"take the hat off the {name}")
        elif new.hat and not old.hat:
            said.append(f"put {article(new.hat)} hat on the {name}")
        elif old.hat != new.hat:
            said.append(f"paint the hat of the {name} {new.hat}")
    if old.column != new.column:
        said.append(f"move the {name} to the {names[new.column]}")
    if old.depth != new.depth:
        said.append(f"move the {name} to the {'front' if new.depth > old.depth else 'back'}")
    return said


def change(old: Scene, new: Scene, pairs: list[tuple[Thing | None, Thing | None]]) -> str | None:
    """A change in plain words, thing by thing (None: was not there, is gone); None where words fail."""
    said = list[str]()
    changed = [(one, other) for one, other in pairs if one != other]
    both = [(one, other) for one, other in changed if one and other]
    colours = {other.colour for one, other in both}
    painted = [one for one, other in both if replace(one, colour=other.colour) == other]
    if len(painted) > 1 and len(painted) == len(changed) and len(colours) == 1:
        unpainted = [thing for thing in old.things if thing not in painted and thing.colour not in colours]
        if not unpainted:
            said.append(f"paint everything {colours.pop()}")
            changed = []
    for one, other in changed:
        if one is None and other is not None:
            hat = f" with {article(other.hat)} hat" if other.hat else ""
            names = ("left", "right") if old.columns < 6 else COLUMNS
            row = "back" if (old.rows - 2) // 3 > 1 and other.depth == 0 else None
            said.append(f"add {with_article(called(other.colour, other.kind))}{hat} {where(names[other.column], row)}")
        elif one is not None:
            name = _name(one, old)
            if name is None:
                return None
            said += [f"remove the {name}"] if other is None else _thing_changes(one, other, name, old)
    if old.place != new.place:
        place = PLACE[new.place]
        said.append(f"change the background to {f'the {place}' if new.place in DEFINITE else article(place)}")
    said += [f"make it {new.time}"] if old.time != new.time else []
    said += [f"make it {AS_WEATHER[new.weather]}"] if old.weather != new.weather else []
    said += [f"make it {STYLE[new.style]}"] if old.style != new.style else []
    if old.sign != new.sign:
        word = f'"{(new.sign or "").lower()}"'
        said.append(
            "remove the sign" if not new.sign else f"change the sign to {word}" if old.sign else f"put up a sign {word}"
        )
    return ", ".join(said) or "change nothing"


def matched(old: Scene, new: Scene) -> list[tuple[Thing | None, Thing | None]]:
    """Which thing has become which: the same slot, else the same look elsewhere, else gone or new."""
    pairs: list[tuple[Thing | None, Thing | None]] = []
    left, came = list(old.things), list(new.things)

    def pair(test: object) -> None:
        for one in list(left):
            other = next((other for other in came if test(one, other)), None)  # type: ignore[operator]
            if other:
                pairs.append((one, other))
                left.remove(one)
                came.remove(other)

    pair(lambda one, other: one == other)
    pair(lambda one, other: (one.kind, one.column, one.depth) == (other.kind, other.column, other.depth))
    pair(lambda one, other: (one.kind, one.colour, one.hat) == (other.kind, other.colour, other.hat))
    pair(lambda one, other: one.kind == other.kind)
    pair(lambda one, other: (one.column, one.depth) == (other.column, other.depth))
    return sorted(
        [*pairs, *((one, None) for one in left), *((None, other) for other in came)],
        key=lambda pair: (pair[0] is None, (pair[0] and (pair[0].depth, pair[0].column)) or (0, 0)),
    )
