"""Changes of several things at once: all of a colour or kind, all but one, two that swap, one more of the same.

Each is drawn for a scene like those of `changes.py` and has one right result; what cannot be told apart is not asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language import plain
from ..language.plain import Wanted
from ..language.speaker import MEASURES
from ..language.words import NUMBER
from ..world.scene import (
    COLOURABLE,
    COLOURS,
    HATTED,
    Scene,
    Thing,
    default_slot,
    free_slots,
    in_order,
    sample_kind,
)
from .editor import FORMS, Change, Changed, Editor, usual_colour


def _with(scene: Scene, changed: Callable[[Thing], Thing | None]) -> Scene:
    """The scene with every thing as `changed` has it; None takes it out."""
    things = [new for thing in scene.things if (new := changed(thing)) is not None]
    return replace(scene, things=in_order(things))


def _colourable(*things: Thing) -> bool:
    """Whether all of some things may have any colour."""
    return all(thing.kind in COLOURABLE for thing in things)


def _kinds_many(editor: Editor) -> list[str]:
    kinds = [thing.kind for thing in editor.scene.things]
    return sorted({kind for kind in kinds if kinds.count(kind) > 1})


def _colour_word(editor: Editor, value: str) -> str:
    word = editor.colour(value)
    return word if editor.english or word.endswith("色") or len(word) > 1 else word + "色"


def _names(editor: Editor, *things: Thing) -> list[str] | None:
    found = [editor.name(thing) for thing in things]
    named = [one[0] for one in found if one]
    return named if len(named) == len(things) and len(set(named)) == len(named) else None


def _other_colour(editor: Editor, *taken: str) -> str:
    return editor.rng.choice([colour for colour in COLOURS if colour not in taken])


def coloured(editor: Editor) -> Changed | None:
    """Another colour for all that has one colour."""
    colours = [thing.colour for thing in editor.scene.things if thing.kind in COLOURABLE]
    if not colours:
        return None
    old = editor.rng.choice(colours)
    new = _other_colour(editor, old)
    scene = _with(editor.scene, lambda thing: replace(thing, colour=new) if thing.colour == old else thing)
    return scene, editor.say("coloured", a=_colour_word(editor, old), c=_colour_word(editor, new))


def kind_coloured(editor: Editor) -> Changed | None:
    """One colour for all things of a kind."""
    kinds = [kind for kind in _kinds_many(editor) if kind in COLOURABLE]
    if not kinds:
        return None
    kind, new = editor.rng.choice(kinds), editor.rng.choice(COLOURS)
    scene = _with(editor.scene, lambda thing: replace(thing, colour=new) if thing.kind == kind else thing)
    if scene == editor.scene:
        return None
    count = sum(thing.kind == kind for thing in editor.scene.things)
    words = {"k": editor.speaker.noun(kind), "ks": editor.speaker.noun(kind, many=True), "c": editor.colour(new)}
    return scene, _counted(editor, "kind_coloured", count, words)


def _counted(editor: Editor, section: str, count: int, words: dict[str, str]) -> str:
    """A form of a section; one that speaks of two is for two."""
    while True:
        text = editor.say(section, **words)
        if count == 2 or not any(word in text for word in ("both", "other", "twin", "两个")):
            return text


def except_coloured(editor: Editor) -> Changed | None:
    """One colour for all things but one."""
    things = editor.scene.things
    if len(things) < 2:
        return None
    kept, new = editor.rng.choice(things), editor.rng.choice(COLOURS)
    name = _names(editor, kept)
    scene = _with(editor.scene, lambda thing: thing if thing == kept else replace(thing, colour=new))
    if not _colourable(*(thing for thing in things if thing != kept)):
        return None
    if not name or scene == editor.scene:
        return None
    return scene, editor.say("except_coloured", n=name[0], c=editor.colour(new))


def only(editor: Editor) -> Changed | None:
    """All things away but one."""
    if len(editor.scene.things) < 2:
        return None
    kept = editor.rng.choice(editor.scene.things)
    name = _names(editor, kept)
    return (replace(editor.scene, things=(kept,)), editor.say("only", n=name[0])) if name else None


def empty(editor: Editor) -> Changed | None:
    """All things away."""
    count = len(editor.scene.things)
    return (replace(editor.scene, things=()), _counted(editor, "empty", count, {})) if count > 1 else None


def kind_removed(editor: Editor) -> Changed | None:
    """All things of a kind away."""
    kinds = _kinds_many(editor)
    if not kinds:
        return None
    kind = editor.rng.choice(kinds)
    count = sum(thing.kind == kind for thing in editor.scene.things)
    words = {"k": editor.speaker.noun(kind), "ks": editor.speaker.noun(kind, many=True)}
    scene = _with(editor.scene, lambda thing: None if thing.kind == kind else thing)
    return scene, _counted(editor, "kind_removed", count, words)


def keep_one(editor: Editor) -> Changed | None:
    """Of a kind, only that of one colour."""
    kinds = _kinds_many(editor)
    if not kinds:
        return None
    kind = editor.rng.choice(kinds)
    alike = [thing for thing in editor.scene.things if thing.kind == kind]
    kept = editor.rng.choice(alike)
    if not _colourable(kept) or sum(thing.colour == kept.colour for thing in alike) > 1:
        return None
    words = {
        "k": editor.speaker.noun(kind),
        "ks": editor.speaker.noun(kind, many=True),
        "c": editor.colour(kept.colour),
    }
    scene = _with(editor.scene, lambda thing: None if thing in alike and thing != kept else thing)
    return scene, _counted(editor, "keep_one", len(alike), words)


def _two(editor: Editor) -> tuple[Thing, Thing] | None:
    if len(editor.scene.things) < 2:
        return None
    one, other = editor.rng.sample(editor.scene.things, 2)
    return one, other


def places(editor: Editor) -> Changed | None:
    """Two things change places."""
    two = _two(editor)
    if not two:
        return None
    one, other = two
    here = replace(one, column=other.column, depth=other.depth)
    there = replace(other, column=one.column, depth=one.depth)
    scene = _with(editor.scene, lambda thing: here if thing == one else there if thing == other else thing)
    if scene == editor.scene:
        return None
    if len(editor.scene.things) == 2 and editor.rng.random() < 0.5:
        return scene, editor.say("places_both")
    names = _names(editor, one, other)
    return (scene, editor.say("places", n=names[0], m=names[1])) if names else None


def colours_swapped(editor: Editor) -> Changed | None:
    """Two things change colours."""
    two = _two(editor)
    if not two or two[0].colour == two[1].colour or not _colourable(*two):
        return None
    one, other = two
    new = {one: replace(one, colour=other.colour), other: replace(other, colour=one.colour)}
    names = _names(editor, one, other)
    if not names:
        return None
    while True:
        text = editor.say("colours_swapped", n=names[0], m=names[1])
        if len(editor.scene.things) == 2 or names[0] in text:
            return _with(editor.scene, lambda thing: new.get(thing, thing)), text


def same_colour(editor: Editor) -> Changed | None:
    """One thing gets the colour of another."""
    two = _two(editor)
    names = _names(editor, *two) if two else None
    if not two or not names or two[0].colour == two[1].colour or not _colourable(*two):
        return None
    one, other = two
    scene = _with(editor.scene, lambda thing: replace(thing, colour=other.colour) if thing == one else thing)
    return scene, editor.say("same_colour", n=names[0], m=names[1])


def _put(scene: Scene, new: list[Thing]) -> Scene | None:
    """The scene with things on the first free places; None where these are too few."""
    for thing in new:
        slot = default_slot(scene)
        if slot is None:
            return None
        scene = replace(scene, things=in_order([*scene.things, replace(thing, depth=slot[0], column=slot[1])]))
    return scene


def again(editor: Editor) -> Changed | None:
    """One more, just like the only one."""
    if len(editor.scene.things) != 1 or not free_slots(editor.scene):
        return None
    scene = _put(editor.scene, [editor.scene.things[0]])
    return (scene, editor.say("again")) if scene else None


def more(editor: Editor) -> Changed | None:
    """One more of a kind that is there, or a number of things of any kind."""
    rng, things = editor.rng, editor.scene.things
    count = rng.choice((1, 1, 2, 2, 3))
    kind = rng.choice(things).kind if things and (count == 1 or rng.random() < 0.6) else sample_kind(rng)
    colour = rng.choice(COLOURS) if rng.random() < 0.3 and kind in COLOURABLE else None
    scene = _put(editor.scene, [Thing(kind, colour or usual_colour(kind), 0, 0)] * count)
    if scene is None or (count == 1 and kind not in {thing.kind for thing in things}):
        return None
    said = f"{editor.speaker.colour(colour)}{editor.speaker.gap}" if colour else ""
    if editor.english:
        words = {"k": said + editor.speaker.noun(kind), "ks": said + editor.speaker.noun(kind, many=True)}
        quantity = rng.choice((NUMBER["en"][count], NUMBER["en"][count], str(count)))
        return scene, editor.say("more_one" if count == 1 else "more", q=quantity, **words)
    noun, measure = editor.speaker.noun(kind), rng.choice((MEASURES[kind][0], MEASURES[kind][0], "个"))
    number = rng.choice(({2: "两", 3: "三"}.get(count, "一"), str(count)))
    if count == 1:
        return scene, editor.say("more_one", k1=measure + said + noun)
    return scene, editor.say("more", q=number + measure, k=said + noun)


def add_both(editor: Editor) -> Changed | None:
    """Two different things more."""
    rng = editor.rng
    kinds, said = (sample_kind(rng), sample_kind(rng)), rng.random() < 0.6
    if kinds[0] == kinds[1]:
        return None
    wanted = [
        Wanted(kind, rng.choice(COLOURS) if said and kind in COLOURABLE and rng.random() < 0.8 else None)
        for kind in kinds
    ]
    scene = _put(editor.scene, [Thing(one.kind, one.colour or usual_colour(one.kind), 0, 0) for one in wanted])
    if scene is None:
        return None
    words = [editor.speaker.thing(one) for one in wanted]
    return scene, editor.say("add_both", t=words[0], u=words[1])


def each(editor: Editor) -> Changed | None:
    """Two things get a colour each."""
    two = _two(editor)
    names = _names(editor, *two) if two else None
    if not two or not names or not _colourable(*two):
        return None
    one, other = two
    first = _other_colour(editor, one.colour)
    second = _other_colour(editor, other.colour, first)
    new = {one: replace(one, colour=first), other: replace(other, colour=second)}
    while True:
        text = editor.say("each", n=names[0], m=names[1], c=editor.colour(first), d=editor.colour(second))
        if "另一个" not in text or len(editor.scene.things) == 2:
            return _with(editor.scene, lambda thing: new.get(thing, thing)), text


def other(editor: Editor) -> Changed | None:
    """Of two things, the other gets the colour of the one."""
    things = editor.scene.things
    if len(things) != 2 or things[0].colour == things[1].colour or not _colourable(*things):
        return None
    one, last = editor.rng.sample(things, 2)
    name = editor.name(last)
    if not name:
        return None
    text = editor.say("other", c=editor.colour(one.colour), m=name[0])
    scene = _with(editor.scene, lambda thing: replace(thing, colour=one.colour) if thing == last else thing)
    return scene, text


def hats_gone(editor: Editor) -> Changed | None:
    """No hats any more."""
    if sum(bool(thing.hat) for thing in editor.scene.things) < 2:
        return None
    return _with(editor.scene, lambda thing: replace(thing, hat=None)), editor.say("hats_gone")


def hats_all(editor: Editor) -> Changed | None:
    """A hat of one colour for all who have a head."""
    wearing = [thing for thing in editor.scene.things if thing.kind in HATTED]
    colour = editor.rng.choice(COLOURS)
    if len(wearing) < 2 or all(thing.hat == colour for thing in wearing):
        return None
    scene = _with(editor.scene, lambda thing: replace(thing, hat=colour) if thing in wearing else thing)
    return scene, editor.say("hats_all", c=editor.colour(colour))


def hat_other(editor: Editor) -> Changed | None:
    """A hat for the other one, too."""
    wearing = [thing for thing in editor.scene.things if thing.kind in HATTED]
    bare = [thing for thing in wearing if not thing.hat]
    if len(wearing) != 2 or len(bare) != 1:
        return None
    name = editor.name(bare[0])
    if not name:
        return None
    form = editor.rng.choice(FORMS[editor.language]["hat_other"])
    colour = editor.rng.choice(COLOURS) if "{c}" in form else None
    hat = colour or plain.hat_of(Wanted(bare[0].kind, bare[0].colour, plain.ANY))
    scene = _with(editor.scene, lambda thing: replace(thing, hat=hat) if thing == bare[0] else thing)
    return scene, form.format(c=editor.colour(colour) if colour else "", m=name[0])


WEIGHTS: dict[Change, float] = {
    coloured: 1.0, kind_coloured: 1.2, except_coloured: 1.2, only: 1.5, empty: 0.5, kind_removed: 1.2, keep_one: 1.0,
    places: 2.5, colours_swapped: 0.8, same_colour: 0.8, again: 1.5, more: 2.5, add_both: 2.0, each: 2.0, other: 1.0,
    hats_gone: 1.0, hats_all: 1.0, hat_other: 1.0,
}  # fmt: skip
