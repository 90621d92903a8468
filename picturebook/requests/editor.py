"""Somebody who asks for a change of a scene: what things are called in it, and how new ones are put into words."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from ..language import plain
from ..language.forms import sections
from ..language.plain import COLUMNS, Wanted
from ..language.speaker import Speaker
from ..language.words import LANGUAGES, article
from ..world.scene import HATTED, IS_A, OWN, Scene, Thing

FORMS = {language: sections("changes", language) for language in LANGUAGES}
USUAL = {
    "car": "red", "house": "yellow", "tree": "green", "flower": "pink", "dog": "brown", "cat": "orange",
    "person": "blue", "boat": "blue", "bus": "yellow", "bird": "blue", "balloon": "red", "mushroom": "red",
}  # fmt: skip

Pairs = list[tuple[Thing | None, Thing | None]]
Changed = tuple[Scene, str]


def usual_colour(kind: str) -> str:
    """The colour of a new thing of which none is said."""
    return USUAL.get(kind, OWN)


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
                    if "person" in (thing.kind, IS_A.get(thing.kind))
                    else ("it", "it", "him", "this")
                    if thing.kind in HATTED
                    else ("it", "it", "this", "that")
                )
                return rng.choice(person), bare
            return rng.choice(
                ("他", "她") if "person" in (thing.kind, IS_A.get(thing.kind)) else ("它", "它", "这个")
            ), bare
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
        coloured = thing.colour != OWN and (len(same) > 1 or rng.random() < 0.2)
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
