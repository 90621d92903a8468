"""Questions about one picture or two, with their one right answer (in the sentences of `forms/`)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ..language import phrases
from ..language.naming import Said, called, caption, position, thing_name
from ..language.voice import Voice
from ..language.words import (
    COLOUR,
    COLUMN,
    KIND,
    MEASURE,
    NONE,
    NUMBER,
    PLACE,
    STYLE,
    TIME,
    WEATHER,
    plural,
    with_article,
)
from ..world.scene import (
    CLIPART_SHARE,
    COLOURABLE,
    COLOURS,
    OWN,
    PLACES,
    STYLES,
    TIMES,
    WEATHERS,
    Scene,
    Thing,
    column_name,
    is_a,
    sample_kind,
)
from ..world.scene_to_codes import box_of

Question = tuple[str, str]  # instruction, answer
OBJECTS = {"en": ("objects", "objects", "things"), "zh": ("物体", "物体", "东西")}
USUAL = 0.2  # share of the requests that tools send, word for word
FOREIGN = 0.06  # of detections: the names are in the other language


def _noun(voice: Voice, kind: str) -> str:
    """A name of a kind, mostly the canonical one."""
    names = KIND[voice.language][kind]
    return names[0] if voice.rng.random() < 0.7 else voice.rng.choice(names)


def _any_kind(voice: Voice) -> str:
    return sample_kind(voice.rng, 0.0 if voice.held_out else CLIPART_SHARE)


def describe(voice: Voice, scene: Scene) -> Question:
    """The canonical sentence."""
    return voice.say("describe"), caption(scene, voice.language)


def count(voice: Voice, scene: Scene) -> Question:
    """How many of a kind, or how many objects."""
    rng, kinds = voice.rng, [thing.kind for thing in scene.things]
    kind = rng.choice(kinds) if kinds and rng.random() < 0.65 else "object" if rng.random() < 0.08 else _any_kind(voice)
    number = len(kinds) if kind == "object" else sum(is_a(thing, kind) for thing in scene.things)
    noun = rng.choice(OBJECTS[voice.language]) if kind == "object" else _noun(voice, kind)
    if voice.language == "en":
        return voice.say("count", noun=noun if kind == "object" else plural(noun)), NUMBER["en"][number]
    measure = MEASURE.get(kind, "个")
    return voice.say("count", noun=noun, measure=measure), NUMBER["zh"][number] + (measure if number else "")


def _only_one(voice: Voice, scene: Scene) -> Thing | None:
    """A thing whose kind occurs once: `the car` names it."""
    kinds = [thing.kind for thing in scene.things]
    alone = [thing for thing in scene.things if kinds.count(thing.kind) == 1]
    return voice.rng.choice(alone) if alone else None


def where(voice: Voice, scene: Scene) -> Question | None:
    """Where an object stands."""
    thing = _only_one(voice, scene)
    if not thing:
        return None
    return voice.say("where", noun=_noun(voice, thing.kind)), position(scene, thing, voice.language, Said())


def what_is_there(voice: Voice, scene: Scene) -> Question | None:
    """What stands on the left, in the middle or on the right."""
    columns = sorted({column_name(scene, thing) for thing in scene.things})
    if not columns:
        return None
    name = voice.rng.choice(columns)
    there = [thing for thing in scene.things if column_name(scene, thing) == name]
    joint = " and " if voice.language == "en" else "和"
    answer = joint.join(thing_name(thing, voice.language) for thing in there)
    return voice.say("there", spot=COLUMN[voice.language][name][0]), answer


def colour(voice: Voice, scene: Scene) -> Question | None:
    """What colour an object or a hat has."""
    thing = _only_one(voice, scene)
    if not thing:
        return None
    if thing.colour == OWN and not thing.hat:
        return None
    noun, asked = _noun(voice, thing.kind), thing.colour
    if thing.hat and (thing.colour == OWN or voice.rng.random() < 0.5):
        noun, asked = (f"hat of the {noun}" if voice.language == "en" else f"{noun}的帽子"), thing.hat
    return voice.say("colour", noun=noun), COLOUR[voice.language][asked][0]


def yes_no(voice: Voice, scene: Scene) -> Question:
    """Is there such an object?"""
    rng = voice.rng
    kind, hue = _any_kind(voice), rng.choice(COLOURS)
    if scene.things and rng.random() < 0.6:
        thing = rng.choice(scene.things)
        kind = thing.kind
        hue = thing.colour if thing.colour != OWN and rng.random() < 0.65 else hue
    coloured, noun = rng.random() < 0.6 and kind in COLOURABLE, _noun(voice, kind)
    there = any(is_a(thing, kind) and (not coloured or thing.colour == hue) for thing in scene.things)
    if voice.language == "en":
        name = with_article(f"{hue} {noun}" if coloured else noun)
        return voice.say("yes_no", name=name), "yes" if there else "no"
    name = (COLOUR["zh"][hue][0] + rng.choice(("的", "")) if coloured else "") + noun
    return voice.say("yes_no", name=name), "有" if there else "没有"


def setting(voice: Voice, scene: Scene) -> Question:
    """Place, time, weather, style or the word on the sign."""
    if scene.sign and voice.rng.random() < 0.5:
        return voice.say("sign_read"), scene.sign
    request, names = voice.rng.choice(
        (("place_asked", PLACE[voice.language][scene.place]),
         ("time_asked", TIME[voice.language][scene.time]),
         ("weather_asked", WEATHER[voice.language][scene.weather]),
         ("style_asked", STYLE[voice.language][scene.style]))
    )  # fmt: skip
    return voice.say(request), names[0]


QUESTIONS: dict[str, Callable[[Voice, Scene], Question | None]] = {
    "describe": describe,
    "count": count,
    "where": where,
    "what_is_there": what_is_there,
    "colour": colour,
    "yes_no": yes_no,
    "setting": setting,
}
PERCEPTION = {"segmentation": "segment", "edges": "edges", "boxes": "boxes"}


def perception(voice: Voice, name: str, request: str, **words: str) -> str:
    """What asks for boxes, segments or edges; in a share of the training, what tools send."""
    if voice.language == "en" and not voice.held_out and voice.rng.random() < USUAL:
        return phrases.USUAL[name].format(**words)
    return voice.say(request, **words)


def _listed(voice: Voice, kinds: list[str]) -> str:
    """Names of kinds as people list them: singular or plural, now and then in the other language."""
    rng, english = voice.rng, voice.language == "en"
    if rng.random() < FOREIGN:
        names = [KIND["zh" if english else "en"][kind][0] for kind in kinds]
    else:
        names = [_noun(voice, kind) for kind in kinds]
        if english and rng.random() < 0.35:
            names = [plural(name) for name in names]
    usual, others = (", ", (" and ", ",", ", ")) if english else ("、", ("和", "，", ", "))
    return (usual if rng.random() < 0.7 else rng.choice(others)).join(names)


def detect(voice: Voice, scene: Scene) -> Question:
    """Boxes as text: `name x0 y0 x1 y1; ...` in cells, reading order; of some kinds or of everything."""
    rng, language = voice.rng, voice.language
    if rng.random() < 0.4:
        every = phrases.EVERYTHING[language]
        names = every[0] if rng.random() < 0.4 else rng.choice(every)
        return perception(voice, "detect", "detect", names=names), detection(scene, language)
    pool = [thing.kind for thing in scene.things]
    asked = [rng.choice(pool) if pool and rng.random() < 0.75 else _any_kind(voice) for _ in range(rng.randint(1, 3))]
    text = perception(voice, "detect", "detect", names=_listed(voice, list(dict.fromkeys(asked))))
    return text, detection(scene, language, frozenset(asked))


def boxed(scene: Scene, thing: Thing, language: str) -> str:
    """An object and its box: `name x0 y0 x1 y1`."""
    return f"{KIND[language][thing.kind][0]} {' '.join(map(str, box_of(scene, thing)))}"


def detection(scene: Scene, language: str, kinds: frozenset[str] | None = None) -> str:
    """The right answer to `detect`."""
    found = [boxed(scene, thing, language) for thing in scene.things if kinds is None or thing.kind in kinds]
    return "; ".join(found) or NONE[language]


def compare(voice: Voice, scene: Scene) -> tuple[Scene, str, str]:
    """A second scene that differs in one point, the question, and the sentence that names it."""
    rng, language = voice.rng, voice.language
    english, question = language == "en", voice.say("compare")
    if rng.random() < 0.12:
        return scene, question, "the same" if english else "相同"
    if scene.things and rng.random() < 0.6:
        index = rng.randrange(len(scene.things))
        thing = scene.things[index]
        rest = scene.things[:index] + scene.things[index + 1 :]
        noun = KIND[language][thing.kind][0]
        if thing.colour == OWN or rng.random() < 0.4:
            gone = called(thing, language)
            answer = f"the {gone} is gone" if english else f"{gone}不见了"
            return replace(scene, things=rest), question, answer
        new = rng.choice([name for name in COLOURS if name != thing.colour])
        changed = replace(scene, things=(*scene.things[:index], replace(thing, colour=new), *scene.things[index + 1 :]))
        before, after = COLOUR[language][thing.colour][0], COLOUR[language][new][0]
        return changed, question, f"the {noun} was {before}, now {after}" if english else f"{noun}从{before}变成{after}"
    field, names, table = rng.choice(
        (("place", PLACES, PLACE), ("time", TIMES, TIME), ("weather", WEATHERS, WEATHER), ("style", STYLES, STYLE))
    )
    value = rng.choice([name for name in names if name != getattr(scene, field)])
    before, after = table[language][getattr(scene, field)][0], table[language][value][0]
    answer = f"it was {before}, now {after}" if english else f"从{before}变成{after}"
    changes: dict[str, str] = {field: value}
    return replace(scene, **changes), question, answer  # type: ignore[arg-type]
