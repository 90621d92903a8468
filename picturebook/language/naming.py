"""How objects and their places are named, and the one canonical sentence that describes a scene; English and Chinese.

What people type to have a scene painted is put together in `prompts/`.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from ..world.scene import OWN, Scene, Thing, column_name, depth_name
from .words import COLOUR, COLUMN, DEPTH, KIND, MEASURE, PLACE, STYLE, TIME, WEATHER, article, with_article


@dataclass(frozen=True)
class Said:
    """Which attributes a prompt speaks of.

    What is unsaid may come out anyhow, except for the defaults: day, clear, flat, at the front. `depth` tells whether
    the front is spoken of, too.
    """

    colour: bool = True
    column: bool = True
    depth: bool = True
    place: bool = True


def sample_said(rng: Random) -> Said:
    """What a training prompt says: mostly everything."""
    column = rng.random() < 0.85
    return Said(rng.random() < 0.97, column, column and rng.random() < 0.5, rng.random() < 0.95)


def pick(rng: Random, names: tuple[str, ...], first: float = 0.5) -> str:
    """One of the names; the first, which is the canonical one, at least in this share."""
    return names[0] if rng.random() < first else rng.choice(names)


def english_thing(thing: Thing, rng: Random, said: Said, *, articled: bool = True) -> str:
    """`a red car`, `a blue dog with a green hat`."""
    noun = pick(rng, KIND["en"][thing.kind], 0.7)
    coloured = said.colour and thing.colour != OWN
    phrase = f"{pick(rng, COLOUR['en'][thing.colour], 0.8)} {noun}" if coloured else noun
    if articled:
        phrase = with_article(phrase)
    if thing.hat:
        hat = f"{thing.hat} hat"
        forms = (f"with {article(hat)}", f"wearing {article(hat)}", f"in {article(hat)}", f"with {article(hat)} on")
        phrase += " " + pick(rng, forms)
    return phrase


def chinese_thing(thing: Thing, rng: Random, said: Said, *, counted: bool = True) -> str:
    """`一辆红色的汽车`, `一只戴着绿色帽子的蓝色小狗`."""
    colour = pick(rng, COLOUR["zh"][thing.colour], 0.7) if said.colour and thing.colour != OWN else ""
    if colour and (rng.random() < 0.5 or not colour.endswith("色")) and rng.random() < 0.75:
        colour += "的"
    phrase = colour + pick(rng, KIND["zh"][thing.kind], 0.6)
    number = "一" + MEASURE[thing.kind] if counted else ""
    if not thing.hat:
        return number + phrase
    hat = pick(rng, COLOUR["zh"][thing.hat]) + "帽子"
    if rng.random() < 0.5:
        return f"{number}{rng.choice(('戴着', '戴'))}{hat}的{phrase}"
    return f"{number}{phrase}{rng.choice(('戴着', '戴着一顶', '，戴着'))}{hat}"


def position(scene: Scene, thing: Thing, language: str, said: Said, rng: Random | None = None) -> str:
    """`on the left at the front`, `左边前面`; empty when nothing is said. Canonical without `rng`."""
    column, depth = column_name(scene, thing), depth_name(scene, thing)
    parts = []
    if said.column:
        names = COLUMN[language][column]
        parts.append(pick(rng, names, 0.6) if rng else names[0])
    if depth and (said.depth or depth == "back"):
        names = DEPTH[language][depth]
        parts.append(pick(rng, names, 0.6) if rng else names[0])
    if rng and rng.random() < 0.3:
        parts.reverse()
    return (" " if language == "en" else "").join(parts)


def grouped(scene: Scene) -> tuple[str, str | None] | None:
    """(kind, common colour) when several things of one kind can be counted in one phrase: `three red cars`."""
    kinds = {thing.kind for thing in scene.things}
    plain = all(not thing.hat and depth_name(scene, thing) != "back" for thing in scene.things)
    if len(scene.things) < 2 or len(kinds) > 1 or not plain:
        return None
    colours = {thing.colour for thing in scene.things}
    return kinds.pop(), colours.pop() if len(colours) == 1 and OWN not in colours else None


def called(thing: Thing, language: str) -> str:
    """Canonical colour and kind, `red car`, `红色汽车`; a colour of its own is not said."""
    noun = KIND[language][thing.kind][0]
    if thing.colour == OWN:
        return noun
    return f"{COLOUR[language][thing.colour][0]}{' ' if language == 'en' else ''}{noun}"


def thing_name(thing: Thing, language: str) -> str:
    """Canonical name with colour and hat."""
    if language == "en":
        hat = f" with {article(thing.hat)} hat" if thing.hat else ""
        return f"{with_article(called(thing, language))}{hat}"
    hat = f"戴{COLOUR['zh'][thing.hat][0]}帽子的" if thing.hat else ""
    return f"一{MEASURE[thing.kind]}{hat}{called(thing, language)}"


def clause(scene: Scene, thing: Thing, language: str) -> str:
    """An object and its place, as the caption tells them."""
    where, name = position(scene, thing, language, Said()), thing_name(thing, language)
    return f"{name} {where}" if language == "en" else f"{where}有{name}"


def caption(scene: Scene, language: str) -> str:
    """The one sentence that describes a scene."""
    english = language == "en"
    things = [clause(scene, thing, language) for thing in scene.things]
    parts = [
        (" and " if english else "，").join(things) or ("nothing" if english else "没有物体"),
        PLACE[language][scene.place][0],
        TIME[language][scene.time][0],
        WEATHER[language][scene.weather][0],
        STYLE[language][scene.style][0],
    ]
    if scene.sign:
        parts.append(f'sign "{scene.sign}"' if english else f'牌子"{scene.sign}"')
    return (", " if english else "，").join(parts)
