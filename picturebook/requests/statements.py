"""Questions about one picture in people's words: is that so, how many of these, which one, this or that.

A statement about a scene is drawn true or false half of the time each; the answer is yes or no in the words of the
question's language. Other short questions are answered in the words of `questions.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from ..language.forms import sections
from ..language.naming import thing_name
from ..language.plain import COLUMNS
from ..language.speaker import MEASURES, Speaker
from ..language.words import COLOUR, LANGUAGES, MEASURE, NUMBER, PLACE, STYLE, TIME, WEATHER
from ..world.scene import COLOURABLE, COLOURS, HATTED, KINDS, Scene, Thing, column_name, is_a, sample_kind
from .lines import SETTINGS
from .sign_words import sign_word

FORMS = {language: sections("statements", language) for language in LANGUAGES}
TABLES = {"place": PLACE, "time": TIME, "weather": WEATHER, "style": STYLE}
Asked = tuple[str, str]  # question, answer


@dataclass(frozen=True)
class Asker:
    """Somebody who asks about a scene."""

    rng: Random
    language: str
    scene: Scene
    speaker: Speaker

    @property
    def english(self) -> bool:
        """Whether the questions are English."""
        return self.language == "en"

    def say(self, section: str, **words: str) -> str:
        """One of the forms of a section, filled."""
        return self.rng.choice(FORMS[self.language][section]).format(**words)

    def answer(self, text: str, true: bool) -> Asked:
        """Yes or no: in Chinese by what the question asks for, 有 or 是."""
        if self.english:
            return text, "yes" if true else "no"
        there = "有" in text
        return text, ("有" if there else "是") if true else ("没有" if there else "不是")

    def colour(self, value: str) -> str:
        """A colour after its noun."""
        word = self.speaker.colour(value)
        return word if self.english else word.removesuffix("的")

    def kind(self, kind: str) -> dict[str, str]:
        """A name of a kind, and of many."""
        return {"k": self.speaker.noun(kind), "ks": self.speaker.noun(kind, many=True)}

    def side(self, column: str) -> str:
        """Where a thing stands."""
        return self.speaker.lexicon.pick(self.rng, "column", "adv", column, 0.7)

    def alone(self) -> list[Thing]:
        """Things whose kind occurs once: `the car` names them."""
        kinds = [thing.kind for thing in self.scene.things]
        return [thing for thing in self.scene.things if kinds.count(thing.kind) == 1]

    def number(self, count: int, kind: str = "") -> str:
        """The answer to `how many`, canonical."""
        if self.english:
            return NUMBER["en"][count]
        return NUMBER["zh"][count] + (MEASURE.get(kind, "个") if count else "")


def _one(asker: Asker, kinds: tuple[str, ...] = KINDS) -> Thing | None:
    fitting = [thing for thing in asker.alone() if thing.kind in kinds]
    return asker.rng.choice(fitting) if fitting else None


def _another(rng: Random, values: tuple[str, ...], than: str) -> str:
    return rng.choice([value for value in values if value != than])


def colour(asker: Asker) -> Asked | None:
    """Is the car red?"""
    thing = _one(asker, COLOURABLE)
    if not thing:
        return None
    true = asker.rng.random() < 0.5
    others = [other.colour for other in asker.scene.things if other.colour in COLOURS and other.colour != thing.colour]
    wrong = (
        asker.rng.choice(others) if others and asker.rng.random() < 0.5 else _another(asker.rng, COLOURS, thing.colour)
    )
    said = asker.colour(thing.colour if true else wrong)
    return asker.answer(asker.say("colour", c=said, **asker.kind(thing.kind)), true)


def there(asker: Asker) -> Asked:
    """Is there a car? A red one? A dinosaur?"""
    rng, things = asker.rng, asker.scene.things
    if rng.random() < 0.12:
        word = asker.speaker.stranger()
        return asker.answer(asker.say("there", k=word, ks=word), False)
    true = bool(things) and rng.random() < 0.5
    kind = rng.choice(things).kind if true else sample_kind(rng)
    section = rng.choices(("there", "coloured_there", "anything_coloured", "not_there"), (5, 3, 1.5, 0.7))[0]
    if section.startswith("coloured") and kind not in COLOURABLE:
        section = "there"
    if section.startswith("anything") and any(thing.kind not in COLOURABLE for thing in things):
        section = "not_there"
    colours = [thing.colour for thing in things if thing.kind in COLOURABLE]
    hue = rng.choice(colours) if colours and rng.random() < 0.5 else rng.choice(COLOURS)
    if section == "coloured_there":
        if true and rng.random() < 0.6:
            hue = next(thing.colour for thing in things if thing.kind == kind)
        found = any((thing.kind, thing.colour) == (kind, hue) for thing in things)
    elif section == "anything_coloured":
        found = any(thing.colour == hue for thing in things)
    else:
        found = any(is_a(thing, kind) for thing in things)
    return asker.answer(asker.say(section, c=asker.colour(hue), **asker.kind(kind)), found)


def count(asker: Asker) -> Asked:
    """Are there two cars, more than one, at least three?"""
    rng, things = asker.rng, asker.scene.things
    kind = rng.choice(things).kind if things and rng.random() < 0.85 else sample_kind(rng)
    number = sum(is_a(thing, kind) for thing in things)
    section = rng.choice(("count", "count", "more_than", "at_least", "one_only", "many"))
    said = max(1, number + rng.choice((0, 0, 0, -1, 1, 2)))
    true = {"count": number == said, "more_than": number > said, "at_least": number >= said,
            "one_only": number == 1, "many": number > 1}[section]  # fmt: skip
    numeral = rng.choice((NUMBER[asker.language][said], str(said)))
    words = asker.kind(kind)
    if asker.english:
        words["ks"] = words["k"] if said == 1 and section == "count" else words["ks"]
        return asker.answer(asker.say(section, q=numeral, **words), true)
    return asker.answer(asker.say(section, q=numeral + MEASURES[kind][0], q0=numeral, **words), true)


def setting(asker: Asker) -> Asked:
    """Is it night? Are we at the beach?"""
    rng, scene = asker.rng, asker.scene
    name = rng.choice(list(SETTINGS))
    true, value = rng.random() < 0.5, getattr(scene, name)
    told = value if true else _another(rng, SETTINGS[name], value)
    said = asker.speaker.lexicon.said
    forms = [form for form in ("adv", "adj", "noun") if (name, form, told) in said]
    form = rng.choice(forms)
    words = asker.speaker.lexicon.pick(rng, name, form, told, asker.speaker.usual)
    if name == "weather" and form == "noun":
        section = "weather"
    elif form == "noun" and (asker.english or name == "place"):
        section = "noun"
    else:
        section = "setting"
    return asker.answer(asker.say(section, s=words), true)


def relation(asker: Asker) -> Asked | None:
    """Is the cat left of the dog?"""
    rng, alone = asker.rng, asker.alone()
    if len(alone) < 2:
        return None
    one, other = rng.sample(alone, 2)
    if one.column == other.column:
        return None
    side = rng.choice(("left", "right"))
    true = (one.column < other.column) == (side == "left")
    words = {"k": asker.speaker.noun(one.kind), "m": asker.speaker.noun(other.kind), "r": asker.say(side)}
    return asker.answer(asker.say("relation", **words), true)


def position(asker: Asker) -> Asked | None:
    """Is the cat on the left? Is anything there?"""
    rng, scene = asker.rng, asker.scene
    columns = [column_name(scene, thing) for thing in scene.things]
    if rng.random() < 0.3:
        column = rng.choice(COLUMNS)
        return asker.answer(asker.say("something", p=asker.side(column)), column in columns)
    thing = _one(asker)
    if not thing:
        return None
    true = rng.random() < 0.5
    stands = column_name(scene, thing)
    column = stands if true else _another(rng, COLUMNS, stands)
    return asker.answer(asker.say("position", p=asker.side(column), k=asker.speaker.noun(thing.kind)), true)


def hat(asker: Asker) -> Asked | None:
    """Does the cat wear a hat? Is the hat red?"""
    rng, things = asker.rng, asker.scene.things
    wearing = [thing for thing in things if thing.hat]
    if rng.random() < 0.3:
        return asker.answer(asker.say("any_hat"), bool(wearing))
    thing = _one(asker, HATTED)
    if not thing:
        return None
    if len(wearing) == 1 and wearing[0] is thing and thing.hat and rng.random() < 0.5:
        true = rng.random() < 0.5
        hue = thing.hat if true else _another(rng, COLOURS, thing.hat)
        return asker.answer(asker.say("hat_colour", k=asker.speaker.noun(thing.kind), c=asker.colour(hue)), true)
    return asker.answer(asker.say("hat", k=asker.speaker.noun(thing.kind)), bool(thing.hat))


def every(asker: Asker) -> Asked | None:
    """Are they all red? Both? Do they have the same colour?"""
    rng, things = asker.rng, asker.scene.things
    if len(things) < 2 or any(thing.kind not in COLOURABLE for thing in things):
        return None
    colours = {thing.colour for thing in things}
    if rng.random() < 0.35:
        return asker.answer(asker.say("same"), len(colours) == 1)
    hue = rng.choice(sorted(colours))
    section = "both" if len(things) == 2 and rng.random() < 0.5 else "all"
    return asker.answer(asker.say(section, c=asker.colour(hue)), colours == {hue})


def sign(asker: Asker) -> Asked:
    """Is there a sign? Does it say so?"""
    rng, word = asker.rng, asker.scene.sign
    if not word or rng.random() < 0.4:
        return asker.answer(asker.say("sign"), bool(word))
    true = rng.random() < 0.5
    said = word if true else sign_word(rng)
    shown = rng.choice((said, said.upper(), f'"{said}"'))
    return asker.answer(asker.say("says", w=shown), said == word)


def beside(asker: Asker) -> Asked | None:
    """What is left of the bus?"""
    things = asker.scene.things
    if len(things) != 2 or things[0].column == things[1].column or things[0].kind == things[1].kind:
        return None
    other, asked = asker.rng.sample(things, 2)
    side = "left" if asked.column < other.column else "right"
    text = asker.say("beside", m=asker.speaker.noun(other.kind), r=asker.say(side))
    return text, thing_name(asked, asker.language)


def which(asker: Asker) -> Asked | None:
    """Which one is red? Who wears a hat?"""
    rng, things = asker.rng, asker.scene.things
    wearing = [thing for thing in things if thing.hat]
    if len(wearing) == 1 and rng.random() < 0.5:
        return asker.say("who_hat"), thing_name(wearing[0], asker.language)
    colours = [thing.colour for thing in things]
    single = [thing for thing in things if colours.count(thing.colour) == 1]
    if not single or any(thing.kind not in COLOURABLE for thing in things):
        return None
    thing = rng.choice(single)
    return asker.say("which", c=asker.colour(thing.colour)), thing_name(thing, asker.language)


def colour_at(asker: Asker) -> Asked | None:
    """What colour is the one on the left?"""
    scene = asker.scene
    columns = [column_name(scene, thing) for thing in scene.things]
    single = [
        thing for thing in scene.things if thing.kind in COLOURABLE and columns.count(column_name(scene, thing)) == 1
    ]
    if not single:
        return None
    thing = asker.rng.choice(single)
    return asker.say("colour_at", p=asker.side(column_name(scene, thing))), COLOUR[asker.language][thing.colour][0]


def numbers(asker: Asker) -> Asked:
    """How many are red, on the left, with a hat?"""
    rng, scene = asker.rng, asker.scene
    section = rng.choice(("count_coloured", "count_at", "count_hats"))
    if section == "count_hats":
        return asker.say(section), asker.number(sum(bool(thing.hat) for thing in scene.things))
    if section == "count_coloured" and all(thing.kind in COLOURABLE for thing in scene.things):
        hue = rng.choice([*(thing.colour for thing in scene.things), rng.choice(COLOURS)])
        found = sum(thing.colour == hue for thing in scene.things)
        return asker.say(section, c=asker.colour(hue)), asker.number(found)
    section = "count_at"
    thing = rng.choice(scene.things) if scene.things else None
    kind = thing.kind if thing else sample_kind(rng)
    column = column_name(scene, thing) if thing and rng.random() < 0.6 else rng.choice(COLUMNS)
    found = sum(is_a(one, kind) and column_name(scene, one) == column for one in scene.things)
    return asker.say(section, p=asker.side(column), **asker.kind(kind)), asker.number(found, kind)


def either(asker: Asker) -> Asked | None:
    """Is the car red or blue? Is it day or night?"""
    rng, scene = asker.rng, asker.scene
    thing = _one(asker, COLOURABLE)
    if thing and rng.random() < 0.55:
        pair = [thing.colour, _another(rng, COLOURS, thing.colour)]
        rng.shuffle(pair)
        words = {"k": asker.speaker.noun(thing.kind), "c": asker.colour(pair[0]), "d": asker.colour(pair[1])}
        return asker.say("either_colour", **words), COLOUR[asker.language][thing.colour][0]
    name = rng.choice(list(SETTINGS))
    value = getattr(scene, name)
    values = [value, _another(rng, SETTINGS[name], value)]
    rng.shuffle(values)
    said = asker.speaker.lexicon.said
    forms = [form for form in ("adv", "adj", "noun") if all((name, form, one) in said for one in values)]
    form = rng.choice(forms)
    words = {
        gap: asker.speaker.lexicon.pick(rng, name, form, one, asker.speaker.usual)
        for gap, one in zip("st", values, strict=True)
    }
    table: Any = TABLES[name]
    return asker.say("either_setting", **words), table[asker.language][value][0]


WEIGHTS: dict[Callable[[Asker], Asked | None], float] = {
    colour: 3, there: 3, count: 2, setting: 4, relation: 3, position: 2, hat: 2.5, every: 2, sign: 1.5, beside: 1.5,
    which: 2, colour_at: 1.2, numbers: 2, either: 2,
}  # fmt: skip


def asked(rng: Random, language: str, scene: Scene) -> Asked | None:
    """A question and its right answer; None where the one that was drawn does not fit the scene."""
    asker = Asker(rng, language, scene, Speaker(rng, language))
    return rng.choices(list(WEIGHTS), list(WEIGHTS.values()))[0](asker)
