"""Exercises of reading: a request in anybody's words, and what it says in plain words; and of doing what those say.

Requests come from what people wrote (`people.py`), from the lexicon (`wishes.py`, `changes.py`) and from the sentence
forms of training with other names in them. Questions are answered as they are, in people's words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from itertools import pairwise
from random import Random

from ..language import plain
from ..language.lexicon import lexicon
from ..language.naming import Said, caption, grouped, sample_said, thing_name
from ..language.naming import position as spot_of
from ..language.noise import typed
from ..language.phrases import USUAL
from ..language.plain import COLUMNS, Wish
from ..language.prompts.prompt import prompt
from ..language.voice import Voice
from ..language.words import COLOUR, LANGUAGES, MEASURE, NUMBER, PLACE, STYLE, TIME, WEATHER
from ..requests import edit_request, people, statements, wishes
from ..requests.lines import Line, bare, read
from ..requests.results import drawn_grid, edit_of, scene_of
from ..world import scene_to_codes
from ..world.scene import (
    COLOURABLE,
    COLOURS,
    HATTED,
    KINDS,
    PLACES,
    STYLES,
    TIMES,
    WEATHERS,
    Scene,
    Thing,
    in_order,
    is_held_out,
    sample_colour,
    sample_grid,
)
from . import edits, questions
from .sequence import READ
from .tasks import TASKS, Mix, Sample, _told, draw_scene

WRITTEN, DRAWN = 0.38, 0.37  # of reading: what people wrote, what is drawn from the lexicon; else the forms of training
MISTYPED = 0.4
ENGLISH = 0.56  # of the exercises: its words are longer and its spelling freer


def _read(language: str, text: str, answer: str, old: Scene | None = None, new: Scene | None = None) -> Sample:
    if old is None:
        return Sample(f"{READ}:paint", language, text, (), None, answer, (Scene(),))
    return Sample(f"{READ}:edit", language, text, (scene_to_codes.paint(old),), None, answer, (old, new or old))


def _typed(rng: Random, language: str, line: Line) -> str:
    kept = (*line.unknown, *([line.result.sign] if line.result.sign else []))
    return typed(line.text, language, rng, kept, MISTYPED if "typo" not in line.tags else 0.05)


def _line(rng: Random, language: str, tasks: tuple[str, ...], *, given: bool) -> Line:
    """A line of what people wrote, filled anew."""
    pools = people.lines(language)
    while True:
        written = rng.choice(pools[rng.choices(tasks, [len(pools[task]) for task in tasks])[0]])
        if (written.line.source is not None) == given:
            line = people.anew(rng, written, language)
            if line.task != "outside" and rng.random() < 0.17:
                strange = people.estranged(rng, written, language)
                line = strange or line
            return line


def read_paint(voice: Voice, mix: Mix) -> Sample:
    """What a request for a picture says."""
    rng, language = voice.rng, voice.language
    while True:
        way = rng.random()
        try:
            if way < WRITTEN:
                line = _line(rng, language, ("paint", "outside"), given=False)
                text, wished, unknown = _typed(rng, language, line), line.result, line.unknown
            elif way < WRITTEN + DRAWN:
                asked = wishes.asked(rng, language) if rng.random() < 0.5 else wishes.named(rng, language)
                text, wished, unknown = (
                    typed(asked.text, language, rng, asked.kept, MISTYPED),
                    asked.wish,
                    asked.unknown,
                )
            else:
                scene = draw_scene(voice, mix, (0.02, 0.4, 0.35, 0.23))
                said = replace(sample_said(rng), place=True)  # a form speaks of the place whatever is said
                if grouped(scene):
                    continue
                told = _told(scene, rng)
                text = people.reworded(rng, prompt(told, language, rng, said), language, rng.choice((0.0, 0.3, 0.6)))
                wished, unknown = plain.wish_of(told, colour=said.colour, column=said.column), ()
            return _read(language, text, plain.with_unknown(plain.picture(wished), unknown))
        except ValueError:
            continue


def _own(rng: Random, thing: Thing) -> str:
    """A thing's colour, or another where its kind cannot have it."""
    return thing.colour if (thing.colour in COLOURS) == (thing.kind in COLOURABLE) else sample_colour(rng, thing.kind)


def read_name(voice: Voice, mix: Mix) -> Sample:
    """What a name by itself says: a few tokens for each of the many that have to be learned."""
    del mix
    while True:
        asked = wishes.named(voice.rng, voice.language)
        text = typed(asked.text, voice.language, voice.rng, asked.kept, MISTYPED / 2)
        try:
            return _read(voice.language, text, plain.with_unknown(plain.picture(asked.wish), asked.unknown))
        except ValueError:
            continue


def _repeating(rng: Random, scene: Scene) -> Scene:
    """The scene, now and then with the first thing's kind or colour at the others, too, or with more hats."""
    first, *others = scene.things or (None,)
    if not first or not others:
        return scene
    kind, colour, hats = rng.random() < 0.3, rng.random() < 0.2, rng.random() < 0.3
    made = [replace(thing, kind=first.kind) if kind else thing for thing in others]
    made = [
        replace(
            thing, colour=first.colour if colour and {first.kind, thing.kind} <= set(COLOURABLE) else _own(rng, thing)
        )
        for thing in made
    ]
    things = [
        replace(thing, hat=(thing.hat or (rng.choice(COLOURS) if hats else None)) if thing.kind in HATTED else None)
        for thing in (first, *made)
    ]
    new = replace(scene, things=tuple(things))
    return scene if is_held_out(new) else new


def read_edit(voice: Voice, mix: Mix) -> Sample:
    """What a request for a change says, with the picture at hand."""
    rng, language = voice.rng, voice.language
    if rng.random() < 0.04:
        return _read_perception(voice, mix)
    while True:
        way = rng.random()
        if way < WRITTEN:
            line = _line(rng, language, ("edit", "outside"), given=True)
            made = edit_of(line, rng, language)
            if made and not is_held_out(made[0]):
                return _read(language, _typed(rng, language, line), made[2], made[0], made[1])
        elif way < WRITTEN + DRAWN:
            old = draw_scene(voice, mix, (0.0, 0.4, 0.35, 0.22, 0.03), drawn_grid(rng, deep=rng.random() < 0.2))
            old = _repeating(rng, old)
            asked = edit_request.asked(rng, language, old)
            if asked:
                new, text, words, unknown = asked
                return _read(
                    language,
                    typed(text, language, rng, (*unknown, *([new.sign] if new.sign else [])), MISTYPED),
                    plain.with_unknown(words, unknown),
                    old,
                    new,
                )
        else:
            grid = drawn_grid(rng, deep=rng.random() < 0.3) if rng.random() < 0.6 else None
            old = draw_scene(voice, mix, (0.0, 0.35, 0.35, 0.25, 0.05), grid)
            formed = _formed(voice, old)
            if formed:
                scenes, text = formed
                told = _told_in_turn(scenes)
                if told:
                    text = people.reworded(rng, text, language, rng.choice((0.0, 0.3, 0.6)))
                    return _read(language, text, told, old, scenes[-1])


def _told_in_turn(scenes: list[Scene]) -> str | None:
    """The changes from scene to scene in plain words; None where words fail."""
    told = [plain.change(one, other, plain.matched(one, other)) for one, other in pairwise(scenes)]
    return None if None in told else ", ".join(map(str, told))


def _formed(voice: Voice, old: Scene) -> tuple[list[Scene], str] | None:
    """One change or several in the sentence forms of training: the scene after each of them, and the request."""
    if voice.rng.random() < 0.5:
        return edits.steps(voice, old, voice.rng.choice((2, 2, 3, 3, 4)))
    single = edits.single(voice, old)
    return ([old, single[0]], single[1]) if single else None


def _read_perception(voice: Voice, mix: Mix) -> Sample:
    """A request for a map of the picture: what tools send says the same."""
    name = voice.rng.choice(list(questions.PERCEPTION))
    scene = draw_scene(voice, mix, (0.0, 0.3, 0.4, 0.3), drawn_grid(voice.rng, deep=voice.rng.random() < 0.3))
    text = typed(voice.wrapped(voice.say(questions.PERCEPTION[name])), voice.language, voice.rng, (), 0.15)
    return _read(voice.language, text, USUAL[name], scene, scene)


def plain_paint(voice: Voice, mix: Mix) -> Sample:
    """A picture from plain words, of every size."""
    del mix
    rng = voice.rng
    while True:
        try:
            wished = plain.placed(wishes.drawn(rng))
        except ValueError:
            wished = None
        if wished is None:
            continue
        deep = any(one.row == "back" for one in wished.things)
        usual = deep or rng.random() < 0.4
        rows, columns = drawn_grid(rng, deep=deep) if usual else sample_grid(rng, 0.1, 0.1)
        depths = (rows - 2) // 3
        if columns < 6 and (len(wished.things) > 2 or any(one.column == "middle" for one in wished.things)):
            continue
        names = COLUMNS if columns >= 6 else ("left", "right")
        things = tuple(
            Thing(
                one.kind,
                one.colour or sample_colour(rng, one.kind),
                names.index(one.column) if one.column else rng.randrange(len(names)),
                0 if one.row == "back" else depths - 1,
                plain.hat_of(one) if one.kind in HATTED else None,
            )
            for one in wished.things
        )
        scene = Scene(
            in_order(list(things)), wished.place or rng.choice(PLACES), wished.time or "day", wished.weather or "clear",
            wished.style or "flat", wished.sign[: columns - 2] if wished.sign else None, rows, columns,
        )  # fmt: skip
        if (wished.sign and scene.sign != wished.sign) or is_held_out(scene):
            continue
        return Sample("paint", "en", plain.picture(wished), (), scene_to_codes.paint(scene), None, (scene,))


def plain_edit(voice: Voice, mix: Mix) -> Sample:
    """A change in plain words."""
    rng = voice.rng
    while True:
        grid = drawn_grid(rng, deep=rng.random() < 0.3) if rng.random() < 0.6 else None
        old = draw_scene(voice, mix, (0.0, 0.4, 0.33, 0.22, 0.05), grid)
        if rng.random() < 0.4:
            formed = _formed(voice, old)
            told = _told_in_turn(formed[0]) if formed else None
            if formed and told and not is_held_out(formed[0][-1]):
                new = formed[0][-1]
                name = "compound" if "," in told else "edit:plain"
                return Sample(
                    name, "en", told, (scene_to_codes.paint(old),), scene_to_codes.paint(new), None, (old, new)
                )
            continue
        old = _repeating(rng, old)
        asked = edit_request.asked(rng, "en", old)
        if asked and not is_held_out(asked[0]):
            name = "compound" if "," in asked[2] else "edit:plain"
            return Sample(
                name,
                "en",
                asked[2],
                (scene_to_codes.paint(old),),
                scene_to_codes.paint(asked[0]),
                None,
                (old, asked[0]),
            )


def _answer(line: Line, scene: Scene, language: str) -> str | None:
    """The right answer to a question, in the words of training."""
    name, _, said = line.answer.partition("=")
    english = language == "en"
    if name == "count":
        number = int(said)
        if number >= len(NUMBER["en"]):
            return None
        named = [span.name.value for span in lexicon(language).spans(line.text) if span.name.attribute == "kind"]
        measure = MEASURE[named[0]] if len(set(named)) == 1 else "个"
        return NUMBER["en"][number] if english else NUMBER["zh"][number] + (measure if number else "")
    if name in ("yes", "no"):
        if english:
            return name
        there = "有" in line.text
        return ("有" if there else "是") if name == "yes" else ("没有" if there else "不是")
    if name == "colour":
        return COLOUR[language][said][0] if said in COLOURS else None
    tables = {"place": PLACE, "time": TIME, "weather": WEATHER, "style": STYLE}
    if name in tables:
        return tables[name][language][said][0]
    words = [word.strip() for word in said.split(",")]
    if (scene.sign and words == [scene.sign]) or (scene.sign and words[0].lower() == scene.sign):
        return scene.sign
    kinds = [word for word in words if word in KINDS]
    told = [thing for thing in scene.things if thing.kind in kinds]
    if all(word in (*COLUMNS, "front", "back") for word in words):
        spoken = {span.name.value for span in lexicon(language).spans(line.text) if span.name.attribute == "kind"}
        asked = [
            thing for thing in scene.things if COLUMNS[thing.column] in words and (not spoken or thing.kind in spoken)
        ]
        return spot_of(scene, asked[0], language, Said()) if len(asked) == 1 else None
    if (
        kinds
        and "describe" not in line.tags
        and all(word in (*KINDS, *COLOURS) for word in words)
        and len(told) < len(scene.things)
    ):
        colours = [word for word in words if word in COLOURS]
        if len(told) > 1 and len(colours) == 1 and len(kinds) == 1:
            told = [thing for thing in told if thing.colour in colours]
        return (" and " if english else "和").join(thing_name(thing, language) for thing in told) or None
    if len(words) == 1 and words[0] in COLOURS:
        return COLOUR[language][words[0]][0]
    for table_name, values in (("place", PLACES), ("time", TIMES), ("weather", WEATHERS), ("style", STYLES)):
        if len(words) == 1 and words[0] in values:
            return tables[table_name][language][words[0]][0]
    if "hat" in line.tags and "describe" not in line.tags:
        return None
    return caption(scene, language)


def people_ask(voice: Voice, mix: Mix) -> Sample:
    """A question in people's words."""
    rng, language = voice.rng, voice.language
    while True:
        way = rng.random()
        if way < 0.4:
            line = _line(rng, language, ("ask",), given=True)
            scene = scene_of(line.source or Wish(), drawn_grid(rng, deep=False))
            answer = _answer(line, scene, language) if scene and not is_held_out(scene) else None
            if scene and answer:
                return Sample(
                    "ask:people",
                    language,
                    _typed(rng, language, line),
                    (scene_to_codes.paint(scene),),
                    None,
                    answer,
                    (scene,),
                )
        elif way < 0.75:
            scene = _repeating(
                rng, draw_scene(voice, replace(mix, signs=0.2), (0.03, 0.25, 0.42, 0.3), drawn_grid(rng, deep=False))
            )
            asked = statements.asked(rng, language, scene)
            if asked:
                text = typed(asked[0], language, rng, (scene.sign,) if scene.sign else (), 0.2)
                return Sample("ask:people", language, text, (scene_to_codes.paint(scene),), None, asked[1], (scene,))
        else:
            scene = draw_scene(voice, mix, (0.0, 0.2, 0.35, 0.3, 0.15), drawn_grid(rng, deep=rng.random() < 0.3))
            kind = rng.choices(list(questions.QUESTIONS), (3, 2, 3, 3, 2, 2, 2.5))[0]
            made = questions.QUESTIONS[kind](voice, scene)
            if made:
                text = typed(people.reworded(rng, made[0], language, 0.6), language, rng, (), 0.2)
                return Sample("ask:people", language, text, (scene_to_codes.paint(scene),), None, made[1], (scene,))


READING: dict[str, Callable[[Voice, Mix], Sample]] = {
    "read name": read_name,
    "read paint": read_paint,
    "read edit": read_edit,
    "plain paint": plain_paint,
    "plain edit": plain_edit,
    "people ask": people_ask,
}


@lru_cache
def _judged() -> frozenset[str]:
    """The texts that the judge asks."""
    files = ("people_held_out", "people_second", "people_third", "people_fourth")
    return frozenset(bare(line.text) for file in files for language in LANGUAGES for line in read(file, language))


def exercise(rng: Random, mix: Mix) -> Sample:
    """One training exercise of any sort; none has a text of the judge's."""
    task = rng.choices(list(mix.shares), list(mix.shares.values()))[0]
    while True:
        language = LANGUAGES[0] if rng.random() < ENGLISH else LANGUAGES[1]
        sample = (TASKS | READING)[task](Voice(rng, language), mix)
        if not sample.instruction or bare(sample.instruction) not in _judged():
            return sample
