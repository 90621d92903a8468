"""Changes as people ask for them, put together from the lexicon: nothing named, pronouns, everything, replacing.

A change is drawn for a scene with its result, the pairs of things before and after, and its words; several may come in
one sentence. What is left open follows one rule, so that every request has one right result.
"""

from __future__ import annotations

from dataclasses import replace

from ..language import plain
from ..language.plain import COLUMNS, Wanted
from ..world.scene import (
    COLOURABLE,
    COLOURS,
    HATTED,
    KINDS,
    Thing,
    default_slot,
    free_slots,
    longest_sign,
    sample_kind,
    with_thing,
)
from .editor import FORMS, Change, Changed, Editor, usual_colour
from .lines import SETTINGS
from .sign_words import sign_word

USUAL_SIGN = "hello"


def _one(editor: Editor, kinds: tuple[str, ...] = KINDS) -> tuple[Thing, str, str] | None:
    fitting = [thing for thing in editor.scene.things if thing.kind in kinds]
    if not fitting:
        return None
    thing = editor.rng.choice(fitting)
    name = editor.name(thing)
    return (thing, *name) if name else None


def recolour(editor: Editor) -> Changed | None:
    """Another colour for a thing that is named, or for the only one."""
    scene, rng = editor.scene, editor.rng
    if len(scene.things) == 1 and scene.things[0].kind in COLOURABLE and rng.random() < 0.55:
        thing = scene.things[0]
        colour = rng.choice([colour for colour in COLOURS if colour != thing.colour])
        return with_thing(scene, thing, replace(thing, colour=colour)), editor.say("it", c=editor.colour(colour))
    found = _one(editor, COLOURABLE)
    if not found:
        return None
    thing, name, bare = found
    colour = rng.choice([colour for colour in COLOURS if colour != thing.colour])
    words = editor.say(
        "recolour",
        n=name,
        c=editor.colour(colour),
        **({"k": bare} if sum(o.kind == thing.kind for o in scene.things) == 1 else {}),
    )
    return with_thing(scene, thing, replace(thing, colour=colour)), words


def everything(editor: Editor) -> Changed | None:
    """One colour for all things."""
    things = editor.scene.things
    if len(things) < 2 or any(thing.kind not in COLOURABLE for thing in things):
        return None
    colour = editor.rng.choice(COLOURS)
    section = FORMS[editor.language]["everything"]
    form = editor.rng.choice(
        [form for form in section if len(things) == 2 or not any(word in form for word in ("both", "两个"))]
    )
    new = replace(editor.scene, things=tuple(replace(thing, colour=colour) for thing in things))
    return (new, form.format(c=editor.colour(colour))) if new != editor.scene else None


def hat(editor: Editor) -> Changed | None:
    """A hat on, another colour for it, or off."""
    found = _one(editor, HATTED)
    if not found:
        return None
    thing, name, _ = found
    alone = sum(bool(one.hat) for one in editor.scene.things) == 1
    if thing.hat and editor.rng.random() < 0.6:
        forms = [form for form in FORMS[editor.language]["hat_off"] if alone or "{n}" in form]
        return with_thing(editor.scene, thing, replace(thing, hat=None)), editor.rng.choice(forms).format(n=name)
    colour = editor.rng.choice([colour for colour in COLOURS if colour != thing.hat])
    if thing.hat:
        forms = [form for form in FORMS[editor.language]["hat_colour"] if alone or "{n}" in form]
        text = editor.rng.choice(forms).format(n=name, c=editor.colour(colour))
        return with_thing(editor.scene, thing, replace(thing, hat=colour)), text
    said = editor.rng.random() < 0.6
    put = colour if said else plain.hat_of(Wanted(thing.kind, thing.colour, plain.ANY))
    return with_thing(editor.scene, thing, replace(thing, hat=put)), editor.say(
        "hat", n=name, h=editor.hat(colour if said else None)
    )


def hats(editor: Editor) -> Changed | None:
    """Hats for all who have a head and none yet."""
    wearing = [thing for thing in editor.scene.things if thing.kind in HATTED]
    if len(wearing) < 2 or any(thing.hat for thing in wearing):
        return None
    form = editor.rng.choice(
        [
            form
            for form in FORMS[editor.language]["hats"]
            if len(wearing) == 2 or not any(word in form.lower() for word in ("both", "俩"))
        ]
    )
    colour = editor.rng.choice(COLOURS) if "{c}" in form else None
    things = tuple(
        replace(thing, hat=colour or plain.hat_of(Wanted(thing.kind, thing.colour, plain.ANY)))
        if thing in wearing
        else thing
        for thing in editor.scene.things
    )
    return replace(editor.scene, things=things), form.format(c=editor.colour(colour) if colour else "")


def swapped(editor: Editor) -> Changed | None:
    """Another thing in the place of one."""
    found = _one(editor)
    if not found:
        return None
    thing, name, _ = found
    rng = editor.rng
    kind = sample_kind(rng)
    if kind == thing.kind:
        return None
    said = rng.random() < 0.4 and kind in COLOURABLE
    colour = rng.choice(COLOURS) if said else usual_colour(kind)
    put = rng.choice(COLOURS) if kind in HATTED and rng.random() < 0.1 else None
    new = Thing(kind, colour, thing.column, thing.depth, put)
    words = editor.speaker.thing(Wanted(kind, colour if said else None, put))
    if len(editor.scene.things) == 1 and rng.random() < 0.35:
        text = editor.say("replace_it", t=words)
    else:
        text = editor.say("replace", n=name, t=words)
    return with_thing(editor.scene, thing, new), text


def remove(editor: Editor) -> Changed | None:
    """Take a thing away."""
    found = _one(editor)
    if not found:
        return None
    thing, name, bare = found
    alone = sum(one.kind == thing.kind for one in editor.scene.things) == 1
    return with_thing(editor.scene, thing, None), editor.say("remove", n=name, **({"k": bare} if alone else {}))


def add(editor: Editor) -> Changed | None:
    """One more thing, on a place that is said or on the first free one."""
    rng, scene = editor.rng, editor.scene
    kind = sample_kind(rng)
    said = rng.random() < 0.55 and kind in COLOURABLE
    colour = rng.choice(COLOURS) if said else usual_colour(kind)
    put = rng.choice(COLOURS) if kind in HATTED and rng.random() < 0.15 else None
    column = rng.choice((None, None, 0, 1, 2)) if scene.columns >= 6 else None
    slot = default_slot(scene, column)
    if slot is None or (column is not None and (slot[0] != max(depth for depth, _ in free_slots(scene)))):
        return None
    new = Thing(kind, colour, slot[1], slot[0], put)
    wanted = Wanted(kind, colour if said else None, put, COLUMNS[column] if column is not None else None)
    return with_thing(scene, None, new), editor.say("add", t=editor.thing(wanted))


def move(editor: Editor) -> Changed | None:
    """Another column, or further back or nearer."""
    found = _one(editor)
    if not found or editor.scene.columns < 6:
        return None
    thing, name, _ = found
    free = free_slots(editor.scene)
    ways = [(replace(thing, column=column), COLUMNS[column]) for depth, column in free if depth == thing.depth]
    ways += [
        (replace(thing, depth=depth), "front" if depth > thing.depth else "back")
        for depth, column in free
        if column == thing.column and (editor.scene.rows - 2) // 3 == 2
    ]
    if not ways:
        return None
    new, where = editor.rng.choice(ways)
    if where in ("left", "right"):
        text = editor.say("move", n=name, p=where if editor.english else {"left": "左", "right": "右"}[where])
    else:
        text = editor.say({"middle": "move_middle"}.get(where, where), n=name)
    return with_thing(editor.scene, thing, new), text


def setting(editor: Editor) -> Changed | None:
    """Another place, time, weather or style."""
    rng, scene = editor.rng, editor.scene
    name = rng.choice(list(SETTINGS))
    old = getattr(scene, name)
    if name == "weather" and old != "clear" and rng.random() < 0.25:
        stopped = editor.speaker.lexicon.pick(rng, "weather", "noun", old, 0.4)
        return replace(scene, weather="clear"), editor.say("stop", s=stopped)
    value = rng.choice([value for value in SETTINGS[name] if value != old])
    said = editor.speaker.lexicon.said
    forms = [form for form in ("adv", "noun", "adj") if (name, form, value) in said]
    form = rng.choice(forms)
    words = editor.speaker.lexicon.pick(rng, name, form, value, editor.speaker.usual)
    noun = form == "noun" and (editor.english or name == "place")
    return replace(scene, **{name: value}), editor.say("noun" if noun else "setting", s=words)  # type: ignore[arg-type]


def vague(editor: Editor) -> Changed | None:
    """A change of which nothing more is said: there is one usual way for each."""
    scene = editor.scene
    way = editor.rng.choice(("place", "sign", "style", "colour"))
    if way == "place":
        new = replace(scene, place="meadow" if scene.place == "beach" else "beach")
    elif way == "sign" and not scene.sign and longest_sign(scene.columns) >= len(USUAL_SIGN):
        new = replace(scene, sign=USUAL_SIGN)
    elif way == "style":
        new = replace(scene, style="flat" if scene.style == "retro" else "retro")
    elif way == "colour" and len(scene.things) == 1 and scene.things[0].kind in COLOURABLE:
        thing = scene.things[0]
        new = with_thing(scene, thing, replace(thing, colour="red" if thing.colour == "blue" else "blue"))
    else:
        return None
    return new, editor.say(f"vague_{way}")


def sign(editor: Editor) -> Changed | None:
    """A word on a sign, or no sign."""
    rng, scene = editor.rng, editor.scene
    if scene.sign and rng.random() < 0.5:
        return replace(scene, sign=None), editor.say("sign_off")
    word = sign_word(rng)[: longest_sign(scene.columns)]
    if word == scene.sign:
        return None
    shown = rng.choice((word, word.upper(), f'"{word}"', f'"{word.upper()}"', f"'{word}'"))
    return replace(scene, sign=word), editor.say("sign", w=shown)


def strange(editor: Editor) -> Changed | None:
    """Something to add, or in another's place, that the world does not have; it is left out."""
    one = Wanted("car", editor.rng.choice((None, None, *COLOURS)))
    if editor.scene.things and editor.rng.random() < 0.3:
        found = _one(editor)
        if not found:
            return None
        return editor.scene, editor.say("replace", n=found[1], t=editor.speaker.thing(one, stranger=True))
    return editor.scene, editor.say("add", t=editor.thing(one, stranger=True))


CHANGES: dict[Change, float] = {
    recolour: 5, everything: 2, hat: 3, hats: 1.2, swapped: 3.5, remove: 3, add: 4, move: 2.5, setting: 6, sign: 1.5,
    strange: 3, vague: 1.5,
}  # fmt: skip
