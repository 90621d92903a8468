"""Edits of a scene: what changes, and how it is asked for (in the sentences of `forms/`).

An edit function takes a voice and a scene; it returns the edited scene with one phrase, or None where it makes no
sense. What a phrase leaves unsaid follows a rule, so that every instruction has one right result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language import phrases
from ..language.naming import Said, chinese_thing, english_thing
from ..language.voice import Voice
from ..language.words import (
    COLOUR,
    COLUMN,
    DEPTH,
    KIND,
    PLACE,
    PLACE_NOUN,
    STYLE_WORDS,
    TIME,
    WEATHER,
    WEATHER_NOUNS,
    WEATHER_STATES,
    WEATHER_VERBS,
    WEATHER_WORDS,
    article,
)
from ..world.scene import (
    CLIPART_SHARE,
    COLOURABLE,
    COLOURS,
    HATTED,
    KINDS,
    OWN,
    PLACES,
    STYLES,
    TIMES,
    WEATHERS,
    Scene,
    Thing,
    column_slots,
    default_slot,
    depth_of,
    depth_slots,
    free_slots,
    longest_sign,
    sample_colour,
    sample_kind,
    sample_word,
    with_thing,
)

Edited = tuple[Scene, str]
Edit = Callable[[Voice, Scene], Edited | None]


def reference(voice: Voice, scene: Scene, thing: Thing) -> str | None:
    """`the car`, or `the red car` where there are two cars; None where two are alike."""
    same = [other for other in scene.things if other.kind == thing.kind]
    if sum(other.colour == thing.colour for other in same) > 1:
        return None
    rng = voice.rng
    names = KIND[voice.language][thing.kind]
    noun = names[0] if rng.random() < 0.75 else rng.choice(names)
    coloured = thing.colour != OWN and (len(same) > 1 or rng.random() < 0.3)
    if voice.language == "en":
        return f"the {thing.colour} {noun}" if coloured else f"the {noun}"
    return f"{COLOUR['zh'][thing.colour][0]}{rng.choice(('的', ''))}{noun}" if coloured else noun


def _target(voice: Voice, scene: Scene, kinds: tuple[str, ...] = KINDS) -> tuple[Thing, str] | None:
    candidates = [thing for thing in scene.things if thing.kind in kinds]
    if not candidates:
        return None
    thing = voice.rng.choice(candidates)
    name = reference(voice, scene, thing)
    return (thing, name) if name else None


def _other(voice: Voice, names: tuple[str, ...], than: str | None) -> str:
    return voice.rng.choice([name for name in names if name != than])


def _coloured(voice: Voice, colour: str) -> dict[str, str]:
    """The name of a colour for the gaps of a form, alone and with its article."""
    names = COLOUR[voice.language][colour]
    word = voice.rng.choice(names) if voice.language == "en" and voice.rng.random() < 0.15 else names[0]
    return {"word": word, "a_word": article(word) if voice.language == "en" else word}


def recolour(voice: Voice, scene: Scene) -> Edited | None:
    """Give an object another colour."""
    found = _target(voice, scene, COLOURABLE)
    if not found:
        return None
    thing, name = found
    colour = _other(voice, COLOURS, thing.colour)
    phrase = voice.say("recolour", name=name, word=_coloured(voice, colour)["word"])
    return with_thing(scene, thing, replace(thing, colour=colour)), phrase


def add(voice: Voice, scene: Scene) -> Edited | None:
    """Put a new object on a free place."""
    rng, language = voice.rng, voice.language
    free = free_slots(scene)
    if not free:
        return None
    depth, column = rng.choice(free)
    if depth_slots(scene.rows) > 2:  # `back` would name several places
        depth, column = default_slot(scene, column) or free[0]
    parts = []
    if rng.random() < 0.15:
        depth, column = default_slot(scene) or free[0]
    else:
        names = COLUMN[language][list(column_slots(scene.columns))[column]]
        parts.append(names[0 if rng.random() < 0.7 else 1])
        unsaid = default_slot(scene, column) == (depth, column)
        if not unsaid or (depth_slots(scene.rows) == 2 and rng.random() < 0.5):
            parts.append(DEPTH[language][depth_of(scene.rows, depth) or "front"][0])
    kind = sample_kind(rng, 0.0 if voice.held_out else CLIPART_SHARE)
    if scene.things and kind == scene.things[0].kind:
        kind = _other(voice, COLOURABLE, kind)
    hat = rng.choice(COLOURS) if kind in HATTED and rng.random() < 0.25 else None
    thing = Thing(kind, sample_colour(rng, kind), column, depth, hat)
    name = (english_thing if language == "en" else chinese_thing)(thing, rng, Said())
    where = (" " if language == "en" else "").join(parts)
    phrase = voice.say("add", thing=name, where=where, in_where=f"在{where}" if where else "")
    return with_thing(scene, None, thing), phrase.strip("，")


def remove(voice: Voice, scene: Scene) -> Edited | None:
    """Take an object away."""
    found = _target(voice, scene)
    if not found:
        return None
    thing, name = found
    return with_thing(scene, thing, None), voice.say("remove", name=name)


def hat(voice: Voice, scene: Scene) -> Edited | None:
    """Put a hat on, take it off or change its colour."""
    found = _target(voice, scene, HATTED)
    if not found:
        return None
    thing, name = found
    if thing.hat and voice.rng.random() < 0.5:
        return with_thing(scene, thing, replace(thing, hat=None)), voice.say("hat_off", name=name)
    colour = _other(voice, COLOURS, thing.hat)
    request = "hat_colour" if thing.hat else "hat_on"
    phrase = voice.say(request, name=name, **_coloured(voice, colour))
    return with_thing(scene, thing, replace(thing, hat=colour)), phrase


def move(voice: Voice, scene: Scene) -> Edited | None:
    """Move an object to another column or depth that is free."""
    found = _target(voice, scene)
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
    moved, table, where = voice.rng.choice(ways)
    spots = table[voice.language][where]
    word = where if voice.language == "en" else voice.rng.choice(spots[:2])
    return with_thing(scene, thing, moved), voice.say("move", name=name, where=word, spot=spots[0])


def _nouns(voice: Voice, place: str) -> dict[str, str]:
    """A place for the gaps of a form: `beach`, `a beach`, `on the beach`."""
    noun = voice.rng.choice(PLACE_NOUN[voice.language][place])
    return {"noun": noun, "a_noun": article(noun), "spot": voice.rng.choice(PLACE[voice.language][place])}


def place(voice: Voice, scene: Scene) -> Edited | None:
    """Change the background."""
    new = _other(voice, PLACES, scene.place)
    return replace(scene, place=new), voice.say("place", **_nouns(voice, new))


def time(voice: Voice, scene: Scene) -> Edited | None:
    """Change the time of day."""
    new = _other(voice, TIMES, scene.time)
    names = TIME[voice.language][new]
    word = new if voice.language == "en" else voice.rng.choice(names[:2])
    return replace(scene, time=new), voice.say("time", word=word, spot=voice.rng.choice(names[:4]))


def place_and_time(voice: Voice, scene: Scene) -> Edited | None:
    """Change place and time in one breath: `change the background to a city at night`."""
    new = replace(scene, place=_other(voice, PLACES, scene.place), time=voice.rng.choice(TIMES))
    when = voice.rng.choice(TIME[voice.language][new.time][:3])
    return new, voice.say("place_and_time", **_nouns(voice, new.place), time=when)


def weather(voice: Voice, scene: Scene) -> Edited | None:
    """Change the weather."""
    new = _other(voice, WEATHERS, scene.weather)
    names = WEATHER[voice.language][new]
    gaps = {"word": WEATHER_WORDS[voice.language], "state": WEATHER_STATES}
    gaps |= {"noun": WEATHER_NOUNS, "do": WEATHER_VERBS}
    words = {gap: voice.rng.choice(table[new]) for gap, table in gaps.items()}
    return replace(scene, weather=new), voice.say("weather", spot=voice.rng.choice(names), **words)


def style(voice: Voice, scene: Scene) -> Edited | None:
    """Redraw in another style."""
    new = _other(voice, STYLES, scene.style)
    word = voice.rng.choice(STYLE_WORDS[voice.language][new])
    return replace(scene, style=new), voice.say("style", word=word)


def sign(voice: Voice, scene: Scene) -> Edited | None:
    """Put up a sign, change its word or take it down."""
    if scene.sign and voice.rng.random() < 0.4:
        return replace(scene, sign=None), voice.say("sign_off")
    word = sample_word(voice.rng)[: longest_sign(scene.columns)]
    if word == scene.sign:
        return None
    request = "sign_word" if scene.sign else "sign_on"
    return replace(scene, sign=word), voice.say(request, word=word)


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
_GROUP = {"time": "place", "place_and_time": "place"}  # at most one of a group in one instruction


def single(voice: Voice, scene: Scene, kind: str | None = None) -> tuple[Scene, str, str] | None:
    """One edit: the new scene, the instruction, the kind of edit."""
    chosen = kind or voice.rng.choices(list(EDITS), _WEIGHT)[0]
    made = EDITS[chosen](voice, scene)
    return (made[0], voice.wrapped(made[1]), chosen) if made else None


def compound(voice: Voice, scene: Scene, count: int) -> tuple[Scene, str, str] | None:
    """`count` different edits in one instruction; what was edited is not removed by the same instruction."""
    made = steps(voice, scene, count)
    return (made[0][-1], made[1], "compound") if made else None


def steps(voice: Voice, scene: Scene, count: int) -> tuple[list[Scene], str] | None:
    """`count` different edits in one instruction: the scene before, after each of them, and the instruction."""
    before, said, used, scenes = scene, list[str](), set[str](), [scene]
    for kind in voice.rng.choices(list(EDITS), _WEIGHT, k=count * 4):
        if _GROUP.get(kind, kind) in used:
            continue
        made = EDITS[kind](voice, scene)
        if not made or (kind == "remove" and not set(scene.things) - set(made[0].things) <= set(before.things)):
            continue
        scene = made[0]
        scenes.append(scene)
        said.append(made[1])
        used.add(_GROUP.get(kind, kind))
        if len(said) == count:
            break
    if len(said) < 2:
        return None
    comma = ", " if voice.language == "en" else "，"
    joint = voice.rng.choice(phrases.JOINTS[voice.language])
    return scenes, voice.wrapped(comma.join(said[:-1]) + joint + said[-1])
