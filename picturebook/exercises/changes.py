"""Changes as people ask for them, put together from the lexicon: nothing named, pronouns, everything, replacing.

A change is drawn for a scene with its result, the pairs of things before and after, and its words; several may come in
one sentence. What is left open follows one rule, so that every request has one right result.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from random import Random

from ..language import plain
from ..language.forms import sections
from ..language.plain import COLUMNS, Wanted
from ..language.speaker import Speaker
from ..language.words import LANGUAGES, article
from ..world.scene import (
    COLOURS,
    HATTED,
    KINDS,
    Scene,
    Thing,
    free_slots,
    longest_sign,
    sample_word,
    with_thing,
)
from .edits import default_slot
from .lines import SETTINGS

FORMS = {language: sections("changes", language) for language in LANGUAGES}
USUAL = {
    "car": "red", "house": "yellow", "tree": "green", "flower": "pink", "dog": "brown", "cat": "orange",
    "person": "blue", "boat": "blue", "bus": "yellow", "bird": "blue", "balloon": "red", "mushroom": "red",
}  # fmt: skip

Pairs = list[tuple[Thing | None, Thing | None]]
Changed = tuple[Scene, str]


def usual_colour(kind: str) -> str:
    """The colour of a new thing of which none is said."""
    return USUAL[kind]


class Editor:
    """Somebody who asks for changes of a scene."""

    def __init__(self, rng: Random, language: str, scene: Scene) -> None:
        self.rng, self.language, self.scene = rng, language, scene
        self.speaker = Speaker(rng, language)
        self.english = language == "en"

    def say(self, section: str, **words: str) -> str:
        """One of the forms of a section, filled."""
        form = self.rng.choice(FORMS[self.language][section])
        while "{k}" in form and "k" not in words:
            form = self.rng.choice(FORMS[self.language][section])
        return form.format(**words)

    def name(self, thing: Thing) -> tuple[str, str] | None:
        """What a thing is called here: by its name, its place, or as `it`; and its bare name."""
        rng, things = self.rng, self.scene.things
        same = [one for one in things if one.kind == thing.kind]
        bare = self.speaker.noun(thing.kind)
        if len(things) == 1 and rng.random() < 0.35:
            if self.english:
                person = (
                    ("him", "her", "it")
                    if thing.kind == "person"
                    else ("it", "it", "him", "this")
                    if thing.kind in HATTED
                    else ("it", "it", "this", "that")
                )
                return rng.choice(person), bare
            return rng.choice(("他", "她") if thing.kind == "person" else ("它", "它", "这个")), bare
        if sum(one.colour == thing.colour for one in same) > 1:
            return None
        columns = [one.column for one in things]
        if len(things) > 1 and columns.count(thing.column) == 1 and rng.random() < (0.2 if len(same) == 1 else 0.45):
            where = (COLUMNS if self.scene.columns >= 6 else ("left", "right"))[thing.column]
            if self.english:
                return rng.choice(
                    (
                        f"the one {plain.WHERE[where]}",
                        f"the {where} one",
                        f"the thing {plain.WHERE[where]}",
                        f"the {bare} {plain.WHERE[where]}",
                        f"the {where} {bare}",
                    )
                ), bare
            spot = self.speaker.lexicon.pick(rng, "column", "adv", where, 0.7)
            return rng.choice((f"{spot}那个", f"{spot}的", f"{spot}的{bare}", f"{spot}那个{bare}")), bare
        coloured = len(same) > 1 or rng.random() < 0.2
        words = (self.speaker.colour(thing.colour) + (" " if self.english else "") if coloured else "") + bare
        if self.english:
            return rng.choice(("the {}", "the {}", "the {}", "that {}", "{}", "my {}")).format(words), bare
        return rng.choice(("{}", "{}", "那个{}", "这个{}")).format(words), bare

    def colour(self, value: str) -> str:
        """A new colour."""
        word = self.speaker.colour(value)
        return word if self.english else word.removesuffix("的")

    def hat(self, colour: str | None) -> str:
        """`a red hat`, `顶红帽子`."""
        word = self.speaker.form("hat")
        said = self.speaker.colour(colour) if colour else ""
        if self.english:
            return article(f"{said} {word}".strip())
        return self.rng.choice(("", "顶", "个", "一顶")) + said + word

    def thing(self, one: Wanted, *, stranger: bool = False) -> str:
        """A new thing."""
        return self.speaker.placed(one, self.speaker.thing(one, stranger=stranger))


Change = Callable[[Editor], Changed | None]


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
    if len(scene.things) == 1 and rng.random() < 0.55:
        thing = scene.things[0]
        colour = rng.choice([colour for colour in COLOURS if colour != thing.colour])
        return with_thing(scene, thing, replace(thing, colour=colour)), editor.say("it", c=editor.colour(colour))
    found = _one(editor)
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
    if len(things) < 2:
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
    kind = rng.choice([kind for kind in KINDS if kind != thing.kind])
    said = rng.random() < 0.4
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
    kind = rng.choice(KINDS)
    said = rng.random() < 0.55
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


def sign(editor: Editor) -> Changed | None:
    """A word on a sign, or no sign."""
    rng, scene = editor.rng, editor.scene
    if scene.sign and rng.random() < 0.5:
        return replace(scene, sign=None), editor.say("sign_off")
    word = sample_word(rng, 0.7)[: longest_sign(scene.columns)]
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
    strange: 3,
}  # fmt: skip
_GROUPS: dict[Change, Change] = {everything: recolour, hats: hat}


def asked(rng: Random, language: str, scene: Scene) -> tuple[Scene, str, str, tuple[str, ...]] | None:
    """A change in somebody's words: the new scene, the text, the change in plain words, words for what is not."""
    editor = Editor(rng, language, scene)
    count = rng.choices((1, 2, 3), (0.78, 0.17, 0.05))[0]
    chosen = rng.choices(list(CHANGES), list(CHANGES.values()), k=count * 3)
    said, plainly, used = list[str](), list[str](), set[Change]()
    touched = set[Thing]()
    for change in chosen:
        kind = _GROUPS.get(change, change)
        if kind in used and change is not setting:
            continue
        before, strangers = editor.scene, len(editor.speaker.unknown)
        made = change(editor)
        if not made or touched & (set(before.things) - set(made[0].things)):
            del editor.speaker.unknown[strangers:]
            continue
        pairs = plain.matched(before, made[0])
        touched |= {other for one, other in pairs if one != other and other}
        words = plain.change(before, made[0], pairs) if before != made[0] else ""
        if words is None:
            return None
        editor.scene = made[0]
        used.add(kind)
        said.append(made[1])
        plainly += [words] if words else []
        if len(said) == count:
            break
    if not said:
        return None
    joint = rng.choice(
        (" and ", ", ", ", and ", ", then ", " plus ", ". ", " & ")
        if language == "en"
        else ("，", "，再", "，然后", "，还有", "。", "、", " ")
    )
    return editor.scene, joint.join(said), ", ".join(plainly) or "change nothing", tuple(editor.speaker.unknown)
