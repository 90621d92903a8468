"""Edits of a scene: what changes, and how people ask for it in English and Chinese.

An edit function takes a generator, a scene and a language; it returns the edited scene with one phrase, or None where
it makes no sense.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from .language import Said, chinese_thing, english_thing
from .scene import (
    COLOURS,
    HATTED,
    KINDS,
    PLACES,
    STYLES,
    TIMES,
    WEATHERS,
    Scene,
    Thing,
    column_slots,
    depth_slots,
    free_slots,
    longest_sign,
    sample_word,
    with_thing,
)
from .words import COLOUR, COLUMN, DEPTH, KIND, PLACE, PLACE_NOUN, STYLE, TIME, WEATHER, article

Edited = tuple[Scene, str]
Edit = Callable[[Random, Scene, str], Edited | None]


def reference(rng: Random, scene: Scene, thing: Thing, language: str) -> str | None:
    """`the car`, or `the red car` where there are two cars; None where two are alike."""
    same = [other for other in scene.things if other.kind == thing.kind]
    alike = [other for other in same if other.colour == thing.colour]
    if len(alike) > 1:
        return None
    names = KIND[language][thing.kind]
    noun = names[0] if rng.random() < 0.75 else rng.choice(names)
    coloured = len(same) > 1 or rng.random() < 0.3
    if language == "en":
        return f"the {thing.colour} {noun}" if coloured else f"the {noun}"
    return f"{COLOUR['zh'][thing.colour][0]}{rng.choice(('的', ''))}{noun}" if coloured else noun


def _target(rng: Random, scene: Scene, language: str, kinds: tuple[str, ...] = KINDS) -> tuple[Thing, str] | None:
    candidates = [thing for thing in scene.things if thing.kind in kinds]
    if not candidates:
        return None
    thing = rng.choice(candidates)
    name = reference(rng, scene, thing, language)
    return (thing, name) if name else None


def _other(rng: Random, names: tuple[str, ...], than: str | None) -> str:
    return rng.choice([name for name in names if name != than])


def recolour(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Give an object another colour."""
    found = _target(rng, scene, language)
    if not found:
        return None
    thing, name = found
    colour = _other(rng, COLOURS, thing.colour)
    word = COLOUR[language][colour][0]
    if language == "en":
        forms: tuple[str, ...] = (
            f"make {name} {word}",
            f"change the colour of {name} to {word}",
            f"turn {name} {word}",
            f"change the color of {name} to {word}",
            f"paint {name} {word}",
            f"recolour {name} to {word}",
            f"{name} should be {word}",
        )
    else:
        forms = (f"把{name}换成{word}", f"把{name}的颜色换成{word}", f"把{name}变成{word}", f"将{name}改成{word}",
                 f"把{name}涂成{word}", f"让{name}变成{word}")  # fmt: skip
    return with_thing(scene, thing, replace(thing, colour=colour)), rng.choice(forms)


def add(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Put a new object on a free place."""
    free = free_slots(scene)
    if not free or len(scene.things) >= 3:
        return None
    depth, column = rng.choice(free)
    kind = _other(rng, KINDS, scene.things[0].kind) if scene.things else rng.choice(KINDS)
    hat = rng.choice(COLOURS) if kind in HATTED and rng.random() < 0.25 else None
    thing = Thing(kind, rng.choice(COLOURS), column, depth, hat)
    where = list(column_slots(scene.columns))[column]
    parts = [COLUMN[language][where][0 if rng.random() < 0.7 else 1]] if rng.random() < 0.8 else []
    if parts and depth_slots(scene.rows) > 1 and rng.random() < 0.75:
        parts.append(DEPTH[language]["back" if depth < depth_slots(scene.rows) / 2 else "front"][0])
    if language == "en":
        verb = rng.choice(("add", "put", "place", "please add", "insert"))
        phrase = " ".join([verb, english_thing(thing, rng, Said()), *parts])
    else:
        thing_phrase = chinese_thing(thing, rng, Said())
        place = "".join(parts)
        forms: tuple[str, ...] = (
            f"在{place}加{thing_phrase}",
            f"在{place}添加{thing_phrase}",
            f"{place}加上{thing_phrase}",
        )
        phrase = rng.choice(forms) if place else rng.choice((f"加{thing_phrase}", f"添加{thing_phrase}"))
    return with_thing(scene, None, thing), phrase


def remove(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Take an object away."""
    found = _target(rng, scene, language)
    if not found:
        return None
    thing, name = found
    if language == "en":
        forms: tuple[str, ...] = (
            f"remove {name}",
            f"take away {name}",
            f"delete {name}",
            f"erase {name}",
            f"remove {name} from the picture",
        )
    else:
        forms = (f"去掉{name}", f"删除{name}", f"把{name}去掉", f"移除{name}", f"把{name}删掉")
    return with_thing(scene, thing, None), rng.choice(forms)


def hat(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Put a hat on, take it off or change its colour."""
    found = _target(rng, scene, language, HATTED)
    if not found:
        return None
    thing, name = found
    if thing.hat and rng.random() < 0.5:
        if language == "en":
            forms: tuple[str, ...] = (
                f"take off the hat of {name}",
                f"remove the hat of {name}",
                f"take the hat off {name}",
            )
        else:
            forms = (f"摘掉{name}的帽子", f"去掉{name}的帽子", f"把{name}的帽子摘掉")
        return with_thing(scene, thing, replace(thing, hat=None)), rng.choice(forms)
    colour = _other(rng, COLOURS, thing.hat)
    word = COLOUR[language][colour][0]
    if thing.hat:
        forms = (
            (f"make the hat of {name} {word}", f"change the hat of {name} to {word}")
            if language == "en"
            else (f"把{name}的帽子换成{word}", f"把{name}的帽子变成{word}", f"将{name}的帽子改成{word}")
        )
    elif language == "en":
        forms = (f"give {name} {article(colour)} hat", f"put {article(colour)} hat on {name}",
                 f"let {name} wear {article(colour)} hat")  # fmt: skip
    else:
        forms = (f"给{name}戴上{word}帽子", f"给{name}戴一顶{word}的帽子", f"让{name}戴上{word}的帽子")
    return with_thing(scene, thing, replace(thing, hat=colour)), rng.choice(forms)


def move(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Move an object to another column or depth that is free."""
    found = _target(rng, scene, language)
    if not found:
        return None
    thing, name = found
    names, free = list(column_slots(scene.columns)), free_slots(scene)
    ways = [(replace(thing, column=column), COLUMN, names[column]) for depth, column in free if depth == thing.depth]
    if depth_slots(scene.rows) == 2:
        ways += [
            (replace(thing, depth=depth), DEPTH, ("back", "front")[depth])
            for depth, column in free
            if column == thing.column
        ]
    if not ways:
        return None
    moved, table, where = rng.choice(ways)
    if language == "en":
        forms: tuple[str, ...] = (
            f"move {name} to the {where}",
            f"put {name} {table['en'][where][0]}",
            f"shift {name} to the {where}",
        )
    else:
        there = rng.choice(table["zh"][where][:2])
        forms = (f"把{name}移到{there}", f"将{name}移动到{there}", f"把{name}放到{there}")
    return with_thing(scene, thing, moved), rng.choice(forms)


def place(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Change the background."""
    new = _other(rng, PLACES, scene.place)
    if language == "en":
        noun = rng.choice(PLACE_NOUN["en"][new])
        forms: tuple[str, ...] = (
            f"change the background to {article(noun)}",
            f"change the background to the {noun}",
            f"put it {rng.choice(PLACE['en'][new])}",
            f"make it {article(noun)}",
            f"move the scene to the {noun}",
        )
    else:
        noun = rng.choice(PLACE_NOUN["zh"][new])
        forms = (f"把背景换成{noun}", f"背景换成{noun}", f"将背景改成{noun}", f"换到{noun}")
    return replace(scene, place=new), rng.choice(forms)


def time(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Change the time of day."""
    new = _other(rng, TIMES, scene.time)
    if language == "en":
        phrase = rng.choice(TIME["en"][new][:4])
        forms: tuple[str, ...] = (
            f"make it {new}",
            f"change the time to {new}",
            f"turn it into {new}",
            f"show it {phrase}",
            f"let it be {new}",
        )
    else:
        word = rng.choice(TIME["zh"][new][:2])
        forms = (f"改成{word}", f"变成{word}", f"把时间换成{word}", f"时间改成{word}")
    return replace(scene, time=new), rng.choice(forms)


def place_and_time(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Change place and time in one breath: `change the background to a city at night`."""
    new = replace(scene, place=_other(rng, PLACES, scene.place), time=rng.choice(TIMES))
    if language == "en":
        noun = article(rng.choice(PLACE_NOUN["en"][new.place]))
        return new, f"change the background to {noun} {rng.choice(TIME['en'][new.time][:3])}"
    noun = rng.choice(PLACE_NOUN["zh"][new.place])
    return new, rng.choice(("把背景换成", "背景换成")) + noun + rng.choice(TIME["zh"][new.time])


def weather(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Change the weather."""
    new = _other(rng, WEATHERS, scene.weather)
    if language == "en":
        verb = {"clear": "clear", "cloudy": "cloudy", "rain": "rain", "snowfall": "snow"}[new]
        forms: tuple[str, ...] = (
            f"change the weather to {new}",
            f"make it {WEATHER['en'][new][-1].removeprefix('with ')}",
        )
        if new in ("rain", "snowfall"):
            forms = (*forms, f"let it {verb}", f"make it {verb}")
        else:
            forms = (f"change the weather to {verb}", f"make it {verb}", f"make the sky {verb}")
    else:
        word = rng.choice(WEATHER["zh"][new])
        forms = (f"天气改成{word}", f"把天气换成{word}", f"让天气变成{word}", f"变成{word}")
    return replace(scene, weather=new), rng.choice(forms)


def style(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Redraw in another style."""
    new = _other(rng, STYLES, scene.style)
    word = rng.choice(STYLE[language][new][:1])
    if language == "en":
        forms: tuple[str, ...] = (
            f"change the style to {word}",
            f"turn it into {word}",
            f"make it {word}",
            f"redraw it as {word}",
        )
    else:
        forms = (f"变成{word}", f"改成{word}", f"把风格换成{word}", f"转换为{word}")
    return replace(scene, style=new), rng.choice(forms)


def sign(rng: Random, scene: Scene, language: str) -> Edited | None:
    """Put up a sign, change its word or take it down."""
    if scene.sign and rng.random() < 0.4:
        forms: tuple[str, ...] = (
            ("remove the sign", "take down the sign") if language == "en" else ("去掉牌子", "把牌子去掉")
        )
        return replace(scene, sign=None), rng.choice(forms)
    word = sample_word(rng)[: longest_sign(scene.columns)]
    if scene.sign:
        forms = (
            (f'change the word on the sign to "{word}"', f'change the sign to "{word}"')
            if language == "en"
            else (f'把牌子上的字换成"{word}"', f'牌子改成"{word}"')
        )
    elif language == "en":
        forms = (
            f'add a sign that says "{word}"',
            f'add the word "{word}"',
            f'write "{word}" on a sign',
            f'add a sign "{word}"',
        )
    else:
        forms = (f'加一块写着"{word}"的牌子', f'加上文字"{word}"', f'在牌子上写"{word}"', f'添加招牌"{word}"')
    return replace(scene, sign=word), rng.choice(forms)


EDITS: dict[str, Edit] = {
    "recolour": recolour,
    "add": add,
    "remove": remove,
    "hat": hat,
    "move": move,
    "place": place,
    "time": time,
    "place_and_time": place_and_time,
    "weather": weather,
    "style": style,
    "sign": sign,
}
_WEIGHT = (5, 4, 3, 3, 3, 2, 2, 2, 2, 2, 2)


def single(rng: Random, scene: Scene, language: str, kind: str | None = None) -> tuple[Scene, str, str] | None:
    """One edit: the new scene, the instruction, the kind of edit."""
    chosen = kind or rng.choices(list(EDITS), _WEIGHT)[0]
    made = EDITS[chosen](rng, scene, language)
    return (*made, chosen) if made else None


def compound(rng: Random, scene: Scene, language: str, count: int) -> tuple[Scene, str, str] | None:
    """`count` different edits in one instruction; each is asked of the scene as it was before the next."""
    phrases, used = [], set[str]()
    for _ in range(count * 4):
        kind = rng.choices(list(EDITS), _WEIGHT)[0]
        group = "place" if kind in ("place", "time", "place_and_time") else kind
        made = EDITS[kind](rng, scene, language) if group not in used else None
        if made:
            scene, phrase = made
            used.add(group)
            phrases.append(phrase)
        if len(phrases) == count:
            break
    if len(phrases) < 2:
        return None
    if language == "en":
        joint = rng.choice((" and ", ", ", ", then ", ", and "))
        return scene, ", ".join(phrases[:-1]) + joint + phrases[-1], "compound"
    return scene, rng.choice(("，", "，然后", "，再", "，并且")).join(phrases), "compound"
