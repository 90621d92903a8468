"""Wishes for pictures put together from the lexicon: a name alone, keywords, sentences, with what people add to them.

A wish is drawn first (what must be in the picture), then it is put into words; what is said but not wanted, and what
the world does not have, comes in while it is put into words.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import Any

from ..language.lexicon import emoji
from ..language.plain import ANY, COLUMNS, NO, Wanted, Wish
from ..language.speaker import MEASURES, Speaker
from ..language.words import NUMBER, article, with_article
from ..world.scene import COLOURABLE, COLOURS, HATTED, sample_kind
from .lines import SETTINGS
from .sign_words import sign_word

NAMED_CLIPART = 0.7  # share of clip art among names by themselves: there are most of them to learn


@dataclass(frozen=True)
class Asked:
    """A wish in somebody's words; `unknown` are its words for what the world does not have."""

    text: str
    wish: Wish
    unknown: tuple[str, ...] = ()

    @property
    def kept(self) -> tuple[str, ...]:
        """What has to stay letter for letter."""
        return (*self.unknown, *([self.wish.sign] if self.wish.sign else []))


def drawn(rng: Random) -> Wish:
    """What must be in a picture: mostly one or two things, of which little is said."""
    count = rng.choices((0, 1, 2, 3, 4), (0.03, 0.52, 0.28, 0.13, 0.04))[0]
    coloured, hatted = rng.random(), rng.choice((0.15, 0.15, 0.8))
    things = []
    for _ in range(count):
        kind = sample_kind(rng)
        said = kind in COLOURABLE and rng.random() < (0.15 if coloured < 0.4 else 0.9)
        colour = rng.choice(COLOURS) if said else None
        hat = rng.choice((*COLOURS, ANY, ANY)) if kind in HATTED and rng.random() < hatted else None
        things.append(Wanted(kind, colour, hat))
    if count > 1 and rng.random() < 0.3:  # `three red cars`
        alike = rng.choice((2, 2, 3, 3, 4, 5, 6))
        things = [things[0]] * alike if rng.random() < 0.6 else [things[0]] * min(alike, 3) + things[1:2]
    if rng.random() < 0.2 and 0 < len(things) < 4:
        columns = rng.sample(COLUMNS, len(things)) if len(things) < 4 else COLUMNS
        things = [replace(one, column=column) for one, column in zip(things, columns, strict=True)]
    if len(things) == 1 and rng.random() < 0.06:
        things = [replace(things[0], row=rng.choice(("front", "back")))]
    bare = count == 1 and rng.random() < 0.3
    told = {name: rng.choice(values) for name, values in SETTINGS.items() if rng.random() < (0.0 if bare else 0.3)}
    sign = sign_word(rng) if rng.random() < 0.07 else None
    return Wish(tuple(things), **told, sign=sign)  # type: ignore[arg-type]


def _joined(speaker: Speaker, things: list[str]) -> str:
    rng = speaker.rng
    joints = (
        (" and ", ", ", " and ", " plus ", " with ", " & ", ", and ")
        if speaker.english
        else ("和", "，", "、", "还有", "，再来", "跟", "加")
    )
    return (
        rng.choice(joints).join(things)
        if len(things) < 3 or rng.random() < 0.5
        else (", " if speaker.english else "、").join(things[:-1])
        + rng.choice(joints[:1] if speaker.english else ("和", "还有"))
        + things[-1]
    )


def _keywords(speaker: Speaker, wished: Wish, strange: int | None) -> str:
    """`red car, beach, night`, in any order."""
    rng = speaker.rng
    parts = speaker.things(wished, articled=False, strange=strange)
    parts += [speaker.setting(name, value, noun=True) for name in SETTINGS if (value := getattr(wished, name))]
    if rng.random() < 0.3:
        rng.shuffle(parts)
    if wished.sign:
        parts.append(speaker.sign(wished.sign))
    return rng.choice(
        (", ", ", ", " ", "; ", " / ", ",", "\n", " - ")
        if speaker.english
        else ("，", "，", " ", "、", "/", ",", "；", "", "\n")
    ).join(parts)


def _sentence(speaker: Speaker, wished: Wish, strange: int | None) -> str:
    rng, english = speaker.rng, speaker.english
    things = (
        _joined(speaker, speaker.things(wished, strange=strange))
        if wished.things
        else rng.choice(
            ("nothing", "an empty picture", "just the landscape", "an empty landscape")
            if english
            else ("空空的风景", "风景", "什么都没有", "空镜")
        )
    )
    settings = [speaker.setting(name, value) for name in SETTINGS if (value := getattr(wished, name))]
    rng.shuffle(settings)
    comma = rng.choice((" ", ", ", " ") if english else ("，", "，", ""))
    before = []
    if settings and rng.random() < (0.15 if english else 0.5):
        before = [settings.pop()]
    if english:
        text = ", ".join([*before, comma.join([things, *settings])])
    else:
        text = rng.choice(("", "，", "有")).join([*before, "，".join([things, *settings])])
    form = speaker.form("lead")
    while "{x1}" in form:
        form = speaker.form("lead")
    text = form.replace("{x}", text)
    return text + ((" " if english else "，") + speaker.sign(wished.sign) if wished.sign else "")


def _named(speaker: Speaker, wished: Wish, strange: int | None) -> str:
    """One thing and little around it."""
    one = wished.things[0]
    words = speaker.thing(one, articled=False, stranger=strange == 0)
    form = speaker.form("lead") if speaker.rng.random() < 0.5 else "{x}"
    article_first = speaker.english and "{x}" in form and speaker.rng.random() < 0.6
    return form.replace("{x1}", words).replace("{x}", with_article(words) if article_first else words)


def _corrected(speaker: Speaker, wished: Wish) -> str:
    """One of a thing's kinds or colours, or a setting, said wrong at first."""
    rng, one = speaker.rng, wished.things[0]
    way = rng.random()
    if way < 0.55 or not (one.colour or wished.place or wished.time):
        kind = sample_kind(rng)
        if kind == one.kind:
            return _sentence(speaker, wished, None)
        other = replace(one, kind=kind, colour=one.colour if kind in COLOURABLE else None, hat=None)
    elif one.colour and way < 0.8:
        other = replace(one, colour=rng.choice([colour for colour in COLOURS if colour != one.colour]))
    else:
        name = rng.choice([name for name in ("place", "time") if getattr(wished, name)] or ["time"])
        value = getattr(wished, name)
        if not value:
            return _sentence(speaker, wished, None)
        wrong = rng.choice([other for other in SETTINGS[name] if other != value])
        said = speaker.form("correction").format(a=speaker.setting(name, wrong), b=speaker.setting(name, value))
        return f"{_sentence(speaker, replace(wished, **{name: None}), None)}{', ' if speaker.english else '，'}{said}"  # type: ignore[arg-type]
    wrong_words = speaker.thing(replace(other, hat=None, column=None, row=None))
    text = speaker.form("correction").format(a=wrong_words, b=speaker.placed(one, speaker.thing(one)))
    settings = [speaker.setting(name, value) for name in SETTINGS if (value := getattr(wished, name))]
    more = speaker.things(replace(wished, things=wished.things[1:]))
    tail = (" and " if speaker.english else "和") + _joined(speaker, more) if more else ""
    return (", " if speaker.english else "，").join([text + tail, *settings])


def _related(speaker: Speaker, wished: Wish) -> tuple[str, Wish]:
    """Two or three things and how they stand to each other."""
    rng = speaker.rng
    things = tuple(replace(one, column=None, row=None) for one in wished.things)
    wished = replace(wished, things=things, sign=None)
    settings = [speaker.setting(name, value) for name in SETTINGS if (value := getattr(wished, name))]
    names = dict(zip("abc", (speaker.thing(one) for one in things), strict=False))
    if len(things) == 3:
        text, wished = (
            speaker.form("between"),
            replace(wished, things=(replace(things[0], column="middle"), *things[1:])),
        )
        first = rng.choice("<>")
        if "左边" in text or text.find("{b}") < text.find("{c}"):
            first = "<"
        wished = replace(wished, relations=((1, "<", 2),) if first == "<" else ((2, "<", 1),))
    else:
        way = rng.choice(("near", "left", "left", "behind"))
        text = speaker.form(way)
        if way == "behind":
            wished = replace(wished, things=(replace(things[0], row="back"), replace(things[1], row="front")))
        else:
            wished = replace(wished, relations=((0, "<" if way == "left" else "~", 1),))
    text = text.format(**names)
    lead = speaker.form("lead")
    while "{x1}" in lead:
        lead = speaker.form("lead")
    text = lead.replace("{x}", text) if rng.random() < 0.6 else text
    return (", " if speaker.english and rng.random() < 0.5 else speaker.gap or "，").join([text, *settings]), wished


def _restated(speaker: Speaker, wished: Wish) -> str:
    """`a dog! a blue dog!`: a thing is named first, then told."""
    one = wished.things[0]
    bare = speaker.thing(Wanted(one.kind), articled=speaker.rng.random() < 0.7)
    told = speaker.thing(one, articled=speaker.rng.random() < 0.7)
    colour = speaker.colour(one.colour) if one.colour else ""
    colour = colour if speaker.english else colour.removesuffix("的")
    form = speaker.form("restated" if colour and not one.hat else "repeated")
    text = form.format(a=bare, b=told, c=colour, k=speaker.noun(one.kind))
    settings = [speaker.setting(name, value) for name in SETTINGS if (value := getattr(wished, name))]
    return (", " if speaker.english else "，").join([text, *settings])


def _apart(speaker: Speaker, wished: Wish) -> tuple[str, Wish]:
    """Some of a kind, each told: `two balloons, one red and one blue`."""
    rng = speaker.rng
    kind, count = wished.things[0].kind, rng.choice((2, 2, 2, 3, 3))
    kind = kind if kind in COLOURABLE else rng.choice(COLOURABLE)
    hats = kind in HATTED and rng.random() < 0.3
    colours = rng.sample(COLOURS, count)
    things = tuple(Wanted(kind, None if hats else hue, hue if hats else None) for hue in colours)
    twice = count == 2 and rng.random() < 0.15 and not hats
    things = tuple(one for one in things for _ in range(2)) if twice else things
    section = ("apart_hats" if hats else "apart") + ("_two" if count == 2 else "_three")
    words = {gap: speaker.colour(hue) for gap, hue in zip("cde", colours, strict=False)}
    words = words if speaker.english else {gap: word.removesuffix("的") for gap, word in words.items()}
    number = NUMBER[speaker.language][len(things)]
    measure = MEASURES[kind][0]
    noun = {"k": speaker.noun(kind), "ks": speaker.noun(kind, many=True), "m": measure}
    text = speaker.form("apart_four" if twice else section).format(q=number, **words, **noun)
    settings = [speaker.setting(name, value) for name in SETTINGS if (value := getattr(wished, name))]
    text = (", " if speaker.english else "，").join([text, *settings])
    return text, replace(wished, things=things, relations=(), sign=None)


def _in_emoji(speaker: Speaker, wished: Wish) -> tuple[str, Wish]:
    """Things, each as often as it is wished, and settings in emoji, now and then with a word between."""
    rng, pictures = speaker.rng, emoji()
    things = tuple(Wanted(one.kind) for one in wished.things)
    parts = [rng.choice(pictures["kind", one.kind]) for one in things]
    told = {name: value for name in SETTINGS if (value := getattr(wished, name))}
    shown = {name: value for name, value in told.items() if (name, value) in pictures}
    for name, value in shown.items():
        picture = rng.choice(pictures[name, value])
        parts.append(picture * rng.choice((1, 1, 1, 2, 3)))
    gap = rng.choice(("", "", "", " ", "+"))
    words = [speaker.setting(name, value) for name, value in told.items() if name not in shown]
    return speaker.gap.join([gap.join(parts), *words]), Wish(things, **told)


def _without(speaker: Speaker, wished: Wish, text: str) -> str:
    """Something that is not wanted, said behind."""
    rng = speaker.rng
    things = {one.kind for one in wished.things}
    kind = sample_kind(rng)
    way = rng.random()
    if way < 0.5 and kind not in things:
        many, one = (
            speaker.lexicon.pick(rng, "kind", "many" if speaker.english else "one", kind, 0.6),
            speaker.lexicon.pick(rng, "kind", "one", kind, 0.6),
        )
    elif way < 0.75 and all(thing.hat in (None, NO) for thing in wished.things):
        many, one = ("hats", "hat") if speaker.english else ("帽子", "帽子")
    elif not wished.weather:
        weather = rng.choice(("cloudy", "rain", "snowfall"))
        many = one = speaker.lexicon.pick(rng, "weather", "noun", weather, 0.6)
    else:
        return text
    return (
        text
        + rng.choice((", ", " ", ". ") if speaker.english else ("，", "，", "。"))
        + speaker.form("without").format(n=many, n1=one)
    )


def named(rng: Random, language: str) -> Asked:
    """A name by itself, of a thing, a shade with it, a setting, or of what the world does not have: a word to learn."""
    speaker = Speaker(rng, language)
    speaker.usual, way = 0.05, rng.random()
    if way < 0.3:
        word = speaker.stranger()
        text = article(word) if speaker.english and rng.random() < 0.3 else word
        return Asked(text, Wish(), (word,))
    if way < 0.42:
        name = rng.choice(list(SETTINGS))
        value = rng.choice(SETTINGS[name])
        told: dict[str, Any] = {name: value}
        return Asked(speaker.setting(name, value, noun=rng.random() < 0.5), Wish(**told))
    kind = sample_kind(rng, NAMED_CLIPART)
    one = Wanted(kind, rng.choice(COLOURS) if kind in COLOURABLE and rng.random() < 0.3 else None)
    words = speaker.noun(one.kind)
    if one.colour:
        colour = speaker.lexicon.pick(
            rng, "colour", "adj" if speaker.english or rng.random() < 0.5 else "short", one.colour, 0.1
        )
        words = f"{colour}{speaker.gap}{words}"
    return Asked(with_article(words) if speaker.english and rng.random() < 0.25 else words, Wish((one,)))


def asked(rng: Random, language: str, outside: float = 0.3) -> Asked:
    """A wish in somebody's words; in a share of the cases it names something that the world does not have."""
    wished, speaker = drawn(rng), Speaker(rng, language)
    if rng.random() < 0.04:
        return _beyond(speaker, wished)
    strange = None
    groups = speaker.groups(wished.things)
    if groups and rng.random() < outside:
        strange = rng.randrange(len(groups))
    way = rng.random()
    special = rng.random() if strange is None and wished.things and not wished.sign else 1.0
    if special < 0.05 and len(wished.things) == 1 and not wished.things[0].column and not wished.things[0].row:
        text = _restated(speaker, wished)
    elif special < 0.11:
        text, wished = _apart(speaker, wished)
    elif special < 0.14:
        text, wished = _in_emoji(speaker, wished)
    elif strange is None and way < 0.1 and wished.things:
        text, wished = _corrected(speaker, wished), replace(wished, sign=None)
    elif strange is None and way < 0.26 and len(wished.things) in (2, 3):
        text, wished = _related(speaker, wished)
    elif (
        len(wished.things) == 1
        and not wished.sign
        and not any(getattr(wished, name) for name in SETTINGS)
        and not wished.things[0].column
        and not wished.things[0].row
    ):
        text = _named(speaker, wished, strange)
    elif way < 0.55 and (wished.things or any(getattr(wished, name) for name in SETTINGS)):
        text = _keywords(speaker, wished, strange)
    else:
        text = _sentence(speaker, wished, strange)
    if strange is not None:
        taken = groups[strange][0]
        wished = replace(wished, things=tuple(one for one in wished.things if one != taken))
    if strange is None and rng.random() < 0.12:
        text, look = _looking(speaker, text, wished)
        speaker.unknown += look
    if rng.random() < 0.08:
        text = _without(speaker, wished, text)
    if rng.random() < 0.12:
        decoy = speaker.form("decoy").format(
            k=speaker.lexicon.pick(rng, "kind", "one", sample_kind(rng), 0.5), c=speaker.colour(rng.choice(COLOURS))
        )
        text = decoy + speaker.gap + text
    return Asked(text, wished, tuple(speaker.unknown))


def _beyond(speaker: Speaker, wished: Wish) -> Asked:
    """More things than fit, or a sign that is too long: the request's own words for that are named."""
    rng = speaker.rng
    kind = sample_kind(rng)
    colour = rng.choice((None, *COLOURS)) if kind in COLOURABLE else None
    setting = {name: value for name in ("place", "time") if (value := getattr(wished, name)) and rng.random() < 0.5}
    tail = "".join((" " if speaker.english else "，") + speaker.setting(name, value) for name, value in setting.items())
    if rng.random() < 0.4:
        number = speaker.form("too many")
        said = (speaker.colour(colour) + (" " if speaker.english else "") if colour else "") + speaker.noun(
            kind, many=True
        )
        text = f"{number} {said}" if speaker.english else number + rng.choice((MEASURES[kind][0], "个")) + said
        wished = Wish((Wanted(kind, colour),) * 6, **setting)
        return Asked(text + tail, wished, (number,))
    word = speaker.form("too long")
    one = (Wanted(kind, colour),) if rng.random() < 0.7 else ()
    things = "".join(speaker.things(Wish(one))) + (" " if speaker.english else "，") if one else ""
    return Asked(things + speaker.sign(word).replace(word.upper(), word) + tail, Wish(one, **setting), (word,))


def _looking(speaker: Speaker, text: str, wished: Wish) -> tuple[str, list[str]]:
    """A look, a style or a place that the world does not have, said behind or before."""
    rng, outside = speaker.rng, speaker.lexicon.outside
    sort = rng.choice(
        [sort for sort in ("style", "style", "place", "place", "weather") if not getattr(wished, sort)] or [""]
    )
    if not sort:
        return text, []
    word = rng.choice(outside[sort])
    if speaker.english:
        said = rng.choice(
            ("in {} style", "as {}", "{} style", ", {}")
            if sort == "style"
            else (", {}", "and {}", "{}", "with {}")
            if sort == "weather"
            else ("in the {}", "in a {}", ", {}", "at the {}")
        ).format(word)
        said = said.replace("the the ", "the ").replace("a the ", "the ")
        return (text + said if said[0] == "," else f"{text} {said}"), [word]
    said = rng.choice(
        ("，{}风格", "，{}", "，画成{}", "，{}的")
        if sort == "style"
        else ("，{}", "，要{}")
        if sort == "weather"
        else ("，在{}", "，{}里", "，背景是{}")
    ).format(word)
    return text + said, [word]
