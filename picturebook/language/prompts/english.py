"""English prompts of the training: many orders of the same parts, many ways to say each."""

from __future__ import annotations

from random import Random

from ...world.scene import Scene
from ..naming import Said, english_thing, grouped, pick, position
from ..words import KIND, NUMBER, PLACE, PLACE_NOUN, plural, with_article
from .parts import Parts, spoken

# Where an object stands, {0}, and the object, {1}; one order within a sentence, so that it has one reading.
_AFTER = ("{1} {0}", "{1} {0}", "{1} {0}", "{1}, {0}", "{1} standing {0}", "{1} placed {0}", "{1} that is {0}",
          "{1} ({0})", "{1} that stands {0}")  # fmt: skip
_BEFORE = ("{0} {1}", "{0} {1}", "{0}: {1}", "{0} there is {1}", "{0} we see {1}", "{0} is {1}")
_CLAUSE = ("{1} stands {0}", "{1} is {0}", "{1} can be seen {0}", "there is {1} {0}")
_KEYWORD = ("{1}, {0}", "{1} {0}", "{0}: {1}")
_JOINTS = (" and ", " and ", ", ", " and also ", ", and ", "; ", " plus ", ", then ", " as well as ")

_CLAUSE_JOINTS = (" and ", ", ", "; ", ", and ")

_LEADS = (
    "", "", "", "", "", "", "paint ", "draw ", "a picture of ", "please paint ", "show me ", "create an image of ",
    "can you draw ", "generate ", "i want ", "an illustration of ", "picture: ", "a nice picture, ", "show ",
    "make a picture of ", "make a drawing of ", "i would like ", "i want a picture of ", "i need an image of ",
    "give me a picture of ", "give me ", "could you paint ", "would you draw ", "please draw ", "please show me ",
    "let us paint ", "there is ", "there should be ", "imagine ", "a drawing of ", "an image of ", "a scene with ",
    "a picture with ", "a painting of ", "illustrate ", "sketch ", "depict ", "render ", "create ", "design ",
    "a landscape with ", "i see ", "we see ", "one can see ", "here is ", "this is ", "paint me ", "draw me ",
    "the picture shows ", "the picture should show ", "scene: ", "image: ", "drawing of ", "picture of ",
    "i wish for a picture of ", "how about ", "what about ", "think of ", "a postcard of ", "produce an image with ",
    "it shows ", "in the picture there is ", "for a book: ", "my daughter wants ", "help me draw ", "compose ",
)  # fmt: skip
_CLAUSE_LEADS = (
    "", "", "", "a picture where ", "a scene in which ", "i want a picture where ", "picture: ", "imagine that ",
    "paint it so that ", "draw a scene where ", "in the picture ", "show how ", "i would like to have it so that ",
    "the story: ", "make a picture in which ", "on this page ",
)  # fmt: skip
_SCOPES = (
    "the whole scene", "all of it", "all", "and it all", "and the rest", "everything", "the scene", "and everything",
    "the whole picture", "the picture", "and all this", "it is", "all is", "everything is",
)  # fmt: skip

_TIMES = {
    "day": (
        "it is day", "it is daytime", "time: day", "the time is day", "day", "the time of day is day", "make it day",
    ),
    "sunset": (
        "it is sunset", "it is evening", "time: sunset", "the time is sunset", "the sun is setting", "the sun sets",
        "it is dusk", "make it sunset", "evening",
    ),
    "night": (
        "it is night", "it is night time", "time: night", "the time is night", "night", "it is midnight",
        "the time of day is night", "make it night", "it is dark",
    ),
}  # fmt: skip
_WEATHERS = {
    "clear": ("the weather is clear", "the sky is clear", "weather: clear", "the weather is fine", "clear weather"),
    "cloudy": ("it is cloudy", "the weather is cloudy", "the sky is cloudy", "there are clouds in the sky",
               "weather: cloudy", "the sky is overcast", "make it cloudy", "cloudy weather", "there are clouds"),
    "rain": ("it is raining", "it rains", "the weather is rainy", "make it rain", "let it rain", "weather: rain",
             "rain is falling", "rain falls", "rainy weather", "there is rain"),
    "snowfall": ("it is snowing", "it snows", "the weather is snowfall", "make it snow", "let it snow", "weather: snow",
                 "snow is falling", "snow falls", "snowflakes are falling", "there is snowfall"),
}  # fmt: skip
_STYLES = {
    "flat": ("the style is flat", "style: flat", "use flat style", "drawn in flat style", "the style should be flat"),
    "line": ("the style is line art", "style: line art", "use line art", "drawn as line art", "draw it as line art",
             "the style should be line art", "line art style"),
    "retro": ("the style is retro", "style: retro", "use retro style", "drawn in retro style", "make it retro",
              "the style should be retro", "paint it in retro style", "vintage"),
    "oil": ("the style is oil painting", "style: oil painting", "paint it in oils", "make it an oil painting",
            "the style should be an oil painting", "use oil paint", "painted in oils"),
    "watercolour": ("the style is watercolour", "style: watercolour", "paint it in watercolours", "use watercolours",
                    "make it a watercolour", "the style should be watercolour", "style: watercolor"),
    "pixel": ("the style is pixel art", "style: pixel art", "make it pixel art", "use pixel art", "drawn as pixel art",
              "the style should be pixel art", "style: 8-bit"),
}  # fmt: skip
_PLACES = ("it is {spot}", "the background is {a_noun}", "background: {noun}", "place: {noun}", "the scene is {spot}",
           "the place is {a_noun}", "the setting is {a_noun}", "we are {spot}", "it all happens {spot}",
           "{a_noun} in the background", "behind it {a_noun}", "with {a_noun} as background")  # fmt: skip


def things(scene: Scene, rng: Random, said: Said, forms: tuple[str, ...] = _AFTER, joint: str = " and ") -> str:
    """The objects and where they stand, as one phrase."""
    group = grouped(scene)
    if group and rng.random() < 0.5:
        noun = plural(pick(rng, KIND["en"][group[0]], 0.7))
        return f"{NUMBER['en'][len(scene.things)]} {group[1] + ' ' if group[1] else ''}{noun}"
    phrases, form = [], rng.choice(forms)
    for thing in scene.things:
        phrase = english_thing(thing, rng, said, articled=forms is not _KEYWORD)
        where = position(scene, thing, "en", said, rng)
        phrases.append(form.format(where, phrase) if where else phrase)
    return joint.join(phrases) or rng.choice(("an empty landscape", "an empty landscape", "nothing", "no objects"))


def written(scene: Scene, rng: Random, said: Said) -> str:
    """One way to ask for the scene."""
    chance = rng.random()
    if chance < 0.1:
        return _keywords(scene, rng, said)
    told = chance < 0.2 and bool(scene.things)
    forms = _CLAUSE if told else _BEFORE if rng.random() < 0.25 else _AFTER
    text = things(scene, rng, said, forms, rng.choice(_CLAUSE_JOINTS if told else _JOINTS))
    lead = rng.choice(_CLAUSE_LEADS if told else _LEADS)
    if forms is not _AFTER and not told:
        lead = rng.choice(_LEADS[:20]) if rng.random() < 0.5 else ""
    place = pick(rng, PLACE["en"][scene.place]) if said.place else ""
    parts = Parts.of(scene, "en", rng, text, place)
    if rng.random() < 0.3:
        return _sentences(scene, rng, parts, lead)
    if place and rng.random() < 0.25:
        return _placed_first(scene, rng, parts, told)
    return _ordered(rng, parts, lead)


def _nouns(scene: Scene, rng: Random) -> dict[str, str]:
    noun = pick(rng, PLACE_NOUN["en"][scene.place])
    return {"noun": noun, "a_noun": with_article(noun)}


def _keywords(scene: Scene, rng: Random, said: Said) -> str:
    """`red car, left, beach, night`."""
    comma = rng.choice((", ", ", ", ", ", "; ", "\n", " | "))
    first = things(scene, rng, said, _KEYWORD, comma)
    parts = Parts.of(scene, "en", rng, first, _nouns(scene, rng)["noun"] if said.place else "")
    if rng.random() < 0.3:
        parts = _told(scene, rng, parts)
    tail = [part for part in (parts.place, *parts.rest, parts.sign) if part]
    rng.shuffle(tail)
    return comma.join([*tail, first] if rng.random() < 0.25 else [first, *tail])


def _told(scene: Scene, rng: Random, parts: Parts) -> Parts:
    """The same parts with each setting as a sentence of its own: `it is night`, `style: retro`."""
    rest = [pick(rng, names, 0.2) for names in spoken(scene, rng, (_TIMES, _WEATHERS, _STYLES))]
    nouns = _nouns(scene, rng)
    place = rng.choice(_PLACES).format(spot=parts.place, **nouns) if parts.place else ""
    return Parts(parts.things, place, rest, parts.sign)


def _sentences(scene: Scene, rng: Random, parts: Parts, lead: str) -> str:
    """Each setting on its own, before or after the objects."""
    place = parts.place
    parts = _told(scene, rng, parts)
    settings = [*([parts.place] if place else []), *parts.rest]
    rng.shuffle(settings)
    joint = rng.choice((", ", ", ", ". ", ". ", "; ", " and ", "\n"))
    if rng.random() < 0.3:
        return joint.join([*settings, lead + parts.things, *([parts.sign] if parts.sign else [])])
    return joint.join([lead + parts.things, *settings, *([parts.sign] if parts.sign else [])])


def _placed_first(scene: Scene, rng: Random, parts: Parts, told: bool) -> str:
    """`a beach at night with a red car`, `at the beach there is a red car`."""
    rest, sign = parts.rest, [parts.sign] if parts.sign else []
    a_noun = _nouns(scene, rng)["a_noun"]
    if told:
        return ", ".join([parts.place, *rest, parts.things, *sign])
    shape = rng.randrange(4)
    if shape == 0:
        lead = rng.choice(("", "", "paint ", "draw ", "a picture of ", "i want ", "show me ", "we see "))
        return " ".join([lead + a_noun, *rest, "with", parts.things, *sign])
    if shape == 1:
        middle = rng.choice(("there is", "we see", "there should be", "you can see", "stands", "one finds", "i want"))
        return ", ".join([f"{parts.place} {middle} {parts.things}", *rest, *sign])
    if shape == 2:
        return ", ".join([f"{a_noun} scene{rng.choice((':', ' with'))} {parts.things}", *rest, *sign])
    return ", ".join([*rest, f"{parts.place} {rng.choice(('there is ', 'paint ', 'draw ', ''))}{parts.things}", *sign])


def _ordered(rng: Random, parts: Parts, lead: str) -> str:
    """The parts one after the other, settings mostly behind the objects."""
    rest, sign = list(parts.rest), [parts.sign] if parts.sign else []
    head = [lead + parts.things, *([parts.place] if parts.place else [])]
    if rng.random() < 0.25:
        rng.shuffle(rest)
        cut = rng.randint(1, 2)
        return ", ".join([*rest[:cut], " ".join(head), *rest[cut:], *sign])
    if rng.random() < 0.2:
        rest = [*head[1:], *rest]
        head = head[:1]
    if rest and rng.random() < 0.3:
        rest[0] = f"{rng.choice(_SCOPES)} {rest[0]}"
        return ", ".join([" ".join(head), *rest, *sign])
    joint = " " if rng.random() < 0.5 else ", "
    return joint.join([" ".join(head), *rest, *sign])
