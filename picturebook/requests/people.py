"""What people wrote, filled anew: how one line becomes thousands of exercises.

The names of the lexicon in a line's text are gaps: they are filled anew with other values, the same everywhere in the
line, and what the line demands follows. What the lexicon does not find, or may mean otherwise, stays as it was written.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import pairwise
from random import Random

from ..language.lexicon import HATTED_GROUP, MOVING, OUTSIDE, STANDING, Lexicon, Span, lexicon, plural, strange_emoji
from ..language.plain import Wanted, Wish
from ..language.speaker import MEASURES
from ..language.words import article
from ..world.scene import CLIPART, COLOURABLE, COLOURS, HATTED, KINDS
from .lines import SETTINGS, Line
from .relabel import spans_of, training_lines
from .sign_words import sign_word

VALUES = {"kind": KINDS, "colour": COLOURS, **SETTINGS}
FREE = frozenset(
    ["nothing-named", "pronoun", "everything", "time", "weather", "place", "style", "sign", "scene", "position"]
)
BOUND = frozenset(["remove", "replace", "move", "synonym", "trap", "relation"])
PEOPLE = re.compile(r"\b(he|she|him|her|his|hers|who|guy|lady|themselves)\b|[他她谁]|俩人")
SORTS = re.compile(
    r"animal|vehicle|pet\b|pets\b|plant|creature|living|building|动物|宠物|交通工具|植物|生物|建筑|活的", re.IGNORECASE
)
HATS = re.compile(r"\b(hats?|caps?|beanie|helmet|wear\w*|head|bonnet|hood)\b|帽|戴|头")
_COLOUR_ASKED = re.compile(r"colou?r|same|paint|色|颜", re.IGNORECASE)
AS_CLIPART = 0.45  # of lines whose things' colours are not said: they become clip art

Map = dict[str, dict[str, str]]  # attribute -> old value -> new value


@dataclass(frozen=True)
class Written:
    """A line prepared for filling anew: its gaps, and which values of an attribute may change."""

    line: Line
    gaps: tuple[Span, ...]
    fixed: dict[str, frozenset[str]] = field(default_factory=dict)
    hatted: bool = False
    people: bool = False


def _said(wished: Wish) -> dict[str, set[str]]:
    return {
        "kind": {one.kind for one in wished.things},
        "colour": {value for one in wished.things for value in (one.colour, one.hat) if value in COLOURS},
        **{name: {value} if (value := getattr(wished, name)) else set() for name in SETTINGS},
    }


def prepared(line: Line, language: str) -> Written:
    """Where a line's gaps are, and what has to stay."""
    words, taken = lexicon(language), [match.span() for match in _unknown_places(line)]
    gaps = tuple(
        span
        for span in spans_of(line, language)
        if span.name.attribute in (*VALUES, "column")
        and not any(span.start < end and start < span.end for start, end in taken)
    )
    doubts, found = (
        words.doubts(line.text),
        {name: {s.name.value for s in gaps if s.name.attribute == name} for name in VALUES},
    )
    given, wanted = _said(line.source) if line.source else {name: set() for name in VALUES}, _said(line.result)
    loose = bool(line.tags & FREE) and not line.tags & BOUND
    fixed = {}
    for name in VALUES:
        must = {value for attribute, value in doubts if attribute == name} | (set(line.forbidden) - found[name])
        if line.source is None or name != "kind":
            must |= (wanted[name] - given[name]) - found[name]
        if line.source is not None and name == "kind" and not loose:
            must |= (given[name] | wanted[name]) - found[name]
        if line.task == "ask" and not found[name] and line.answer in ("yes", "no"):
            must |= set(VALUES[name])
        fixed[name] = frozenset(must)
    if SORTS.search(line.text):
        fixed["kind"] = frozenset(KINDS)
    hatted = bool(HATS.search(line.text)) or any(
        one.hat for one in (*line.result.things, *(line.source or Wish()).things)
    )
    return Written(line, gaps, fixed, hatted, bool(PEOPLE.search(line.text)))


def _unknown_places(line: Line) -> list[re.Match[str]]:
    words = [*line.unknown, *([line.result.sign] if line.result.sign else [])]
    return [match for word in words for match in re.finditer(re.escape(word), line.text, re.IGNORECASE)]


def _shuffled(rng: Random, values: tuple[str, ...], fixed: frozenset[str]) -> dict[str, str]:
    free = [value for value in values if value not in fixed]
    return dict(zip(free, rng.sample(free, len(free)), strict=True)) | {value: value for value in fixed}


def drawn_map(rng: Random, written: Written, keep: float) -> Map:
    """Which value stands for which in this exercise."""
    if rng.random() < keep:
        return {}
    found: Map = {
        name: _shuffled(rng, values, written.fixed[name]) for name, values in VALUES.items() if name != "kind"
    }
    fixed = written.fixed["kind"] | ({"person"} if written.people else set())
    groups: tuple[tuple[str, ...], ...]
    if rng.random() < 0.6 or written.people:
        groups = (
            HATTED_GROUP if written.hatted else (*HATTED_GROUP, "bird"),
            MOVING,
            STANDING,
            ("bird", "balloon") if written.hatted else ("balloon",),
        )
    elif written.hatted:
        groups = (HATTED_GROUP, tuple(kind for kind in COLOURABLE if kind not in HATTED))
    else:
        groups = (COLOURABLE,)
    found["kind"] = {}
    for group in groups:
        found["kind"] |= _shuffled(rng, group, frozenset(fixed & set(group)))
    if not written.people and rng.random() < AS_CLIPART:
        chosen = [kind for kind in _colourless(written) if kind not in fixed]
        others = [kind for kind in CLIPART if kind not in _said(written.line.result)["kind"]]
        found["kind"] |= dict(zip(chosen, rng.sample(others, len(chosen)), strict=True))
    mirrored = {"left": "right", "right": "left"} if rng.random() < 0.5 and _mirrors(written) else {}
    return {**found, "column": mirrored}


def _colourless(written: Written) -> list[str]:
    """The kinds of a line that may become clip art: nothing is said of their colours, and none wears a hat."""
    line = written.line
    if written.hatted or any(gap.name.attribute == "colour" for gap in written.gaps):
        return []
    things = line.result.things
    if any(word in COLOURS for word in re.split("[=, ]+", line.answer)):
        return []
    given = {one.kind: one.colour for one in line.source.things} if line.source else {}
    if line.source and (len(given) < len(line.source.things) or _COLOUR_ASKED.search(line.text)):
        return []
    return [
        kind
        for kind in dict.fromkeys(one.kind for one in things)
        if kind in COLOURABLE and all(one.colour in (None, given.get(kind)) for one in things if one.kind == kind)
    ]


def _mirrors(written: Written) -> bool:
    """Whether left and right may change places: every word for them is a gap."""
    text = written.line.text.lower()
    for gap in reversed(written.gaps):
        if gap.name.attribute == "column":
            text = text[: gap.start] + text[gap.end :]
    return not re.search(
        r"left|right|west|east|first|last|port\b|starboard|[左右东西]|⬅|➡|👈|👉|←|→|➡|第|头一|最后|then|从|:|：|挨个|、",
        text,
    )


def mapped(wished: Wish, values: Map) -> Wish:
    """The wish with other values."""

    def new(attribute: str, value: str | None) -> str | None:
        return values.get(attribute, {}).get(value, value) if value else value

    things = tuple(
        Wanted(
            kind := new("kind", one.kind) or one.kind,
            new("colour", one.colour) if kind in COLOURABLE else None,
            new("colour", one.hat),
            new("column", one.column),
            one.row,
        )
        for one in wished.things
    )
    mirrored = bool(values.get("column"))
    relations = tuple((b, r, a) if mirrored and r == "<" else (a, r, b) for a, r, b in wished.relations)
    told = {name: new(name, getattr(wished, name)) for name in SETTINGS}
    return replace(wished, things=things, relations=relations, **told)


def spelt(new: str, old: str) -> str:
    """A word in the capitals of the word that it stands for."""
    if len(old) > 1 and old.isupper():
        return new.upper()
    return new[0].upper() + new[1:] if old[:1].isupper() else new


_COUNTED = re.compile(rf"(?<=[一二两三四五六俩几每这那\d])[{''.join(sorted(set(''.join(MEASURES.values()))))}支]")


def filled(text: str, changes: list[tuple[int, int, str, str]], language: str, rng: Random) -> str:
    """A text with some parts anew: (start, end, new words, their kind); articles and measure words follow."""
    changes = sorted(changes)
    if language == "zh":
        counted = []
        for match in _COUNTED.finditer(text):
            after = next((change for change in changes if change[0] >= match.end() and change[3]), None)
            if after and after[0] - match.end() <= 10 and not any(s <= match.start() < e for s, e, _, _ in changes):
                kind = after[3] if after[3] in MEASURES else ""
                measure = (
                    "个"
                    if rng.random() < 0.12
                    else MEASURES[kind][0]
                    if rng.random() < 0.7
                    else rng.choice(MEASURES[kind])
                )
                counted.append((match.start(), match.end(), measure, ""))
        changes = sorted([*changes, *{change[:1]: change for change in counted}.values()])
    for start, end, words, _ in reversed(changes):
        before = text[:start]
        if language == "en" and (found := re.search(r"\b([Aa])n?( +)$", before)):
            letter = found[1] + ("n" if article(words).startswith("an ") else "")
            before = before[: found.start()] + letter + found[2]
        text = before + words + text[end:]
    return text


def _named(rng: Random, words: Lexicon, gap: Span, value: str) -> str | None:
    form = gap.name.form
    if (gap.name.attribute, form, value) not in words.said:
        return None
    return words.pick(rng, gap.name.attribute, form, value, 0.3)


@dataclass(frozen=True)
class Anew:
    """A line filled anew."""

    line: Line
    values: Map


def anew(rng: Random, written: Written, language: str, keep: float = 0.25) -> Line:
    """The line with its gaps filled anew, now and then as it was written."""
    line, words = written.line, lexicon(language)
    values = drawn_map(rng, written, keep)
    if not values and rng.random() < 0.5:
        return line
    changes = list[tuple[int, int, str, str]]()
    for gap in written.gaps:
        attribute, old = gap.name.attribute, line.text[gap.start : gap.end]
        value = values.get(attribute, {}).get(gap.name.value, gap.name.value)
        if attribute == "column" and value == gap.name.value:
            continue
        if value == gap.name.value and rng.random() < 0.5:
            continue
        new = _named(rng, words, gap, value)
        if attribute == "column":
            new = _mirrored(old)
        if new is None:
            return line
        changes.append((gap.start, gap.end, spelt(new, old), value if attribute == "kind" else ""))
    result, unknown = mapped(line.result, values), list(line.unknown)
    text_before = line.text
    for number, word in enumerate(line.unknown):
        other = _other_unknown(rng, words, word, language)
        place = text_before.lower().find(word.lower())
        if other and place >= 0 and text_before.lower().count(word.lower()) == 1 and rng.random() < 0.75:
            changes.append(
                (
                    place,
                    place + len(word),
                    spelt(other, text_before[place : place + len(word)]),
                    "" if language == "en" else "?",
                )
            )
            unknown[number] = other
    if result.sign and text_before.lower().count(result.sign.lower()) == 1 and rng.random() < 0.7:
        place = text_before.lower().find(result.sign.lower())
        if not any(start < place + len(result.sign) and place < end for start, end, _, _ in changes):
            kept = line.source is not None and line.source.sign == result.sign
            sign = sign_word(rng)
            if not kept:
                changes.append((place, place + len(result.sign), spelt(sign, result.sign), ""))
                result = replace(result, sign=sign)
    changes.sort()
    if any(one[1] > other[0] for one, other in pairwise(changes)):
        return line
    text = filled(text_before, changes, language, rng)
    source = mapped(line.source, values) if line.source else None
    forbidden = tuple(_new_value(value, values) for value in line.forbidden)
    return Line(line.task, line.tags, text, source, result, forbidden, _new_answer(line.answer, values), tuple(unknown))


def _new_value(value: str, values: Map) -> str:
    return next((table[value] for table in values.values() if value in table), value)


def _new_answer(answer: str, values: Map) -> str:
    name, equals, said = answer.partition("=")
    if not equals or name == "count":
        return answer
    return f"{name}={','.join(_new_value(word.strip(), values) for word in said.split(','))}"


_MIRROR = {"left": "right", "right": "left", "左": "右", "右": "左"}


def _mirrored(words: str) -> str:
    return re.sub("left|right|[左右]", lambda match: _MIRROR[match.group()], words.lower())


def _other_unknown(rng: Random, words: Lexicon, word: str, language: str) -> str | None:
    """Another word of its sort that the world does not have; None where it is not known what sort it is."""
    if re.fullmatch(r"[^\w\s]+", word):
        return rng.choice(strange_emoji())
    name = words.find.get(word.lower())
    if name is None or name.attribute != OUTSIDE:
        return None
    if name.form == "thing" and rng.random() < 0.25 and "rare" in words.outside:
        other = rng.choice(words.outside["rare"])
    else:
        other = words.strange(rng, name.form)
    return plural(other) if name.plural and language == "en" else other


@lru_cache
def lines(language: str) -> dict[str, tuple[Written, ...]]:
    """What was written for training, by task, prepared."""
    found: dict[str, list[Written]] = {}
    for line in training_lines(language):
        found.setdefault(line.task, []).append(prepared(line, language))
    return {task: tuple(some) for task, some in found.items()}


Outsider = Callable[[Random, Written, str], Line | None]


def estranged(rng: Random, written: Written, language: str) -> Line | None:
    """The line with one of its things become one that the world does not have; None where that is not safe."""
    line, words = written.line, lexicon(language)
    result = line.result
    new = [
        one for one in result.things if not line.source or one.kind not in {given.kind for given in line.source.things}
    ]
    kinds = [one.kind for one in result.things]
    fitting = [
        gap for gap in written.gaps
        if gap.name.attribute == "kind" and kinds.count(gap.name.value) == 1
        and sum(other.name.value == gap.name.value for other in written.gaps) == 1
        and any(one.kind == gap.name.value for one in new)
    ]  # fmt: skip
    bad = {"correction", "negation", "decoy", "trap", "relation", "hat", "everything", "replace", "typo", "multi-hat"}
    if (
        not fitting
        or line.tags & bad
        or result.relations
        or line.forbidden
        or (len(gap_doubts := words.doubts(line.text)) > 1 and gap_doubts)
    ):
        return None
    gap = rng.choice(fitting)
    taken = next(index for index, one in enumerate(result.things) if one.kind == gap.name.value)
    if result.things[taken].hat:
        return None
    sort = "rare" if rng.random() < 0.25 and "rare" in words.outside else "thing"
    other = words.strange(rng, sort)
    if gap.name.plural:
        other = plural(other)
    old = line.text[gap.start : gap.end]
    text = filled(line.text, [(gap.start, gap.end, spelt(other, old), "?")], language, rng)
    things = tuple(one for index, one in enumerate(result.things) if index != taken)
    return replace(line, task="outside", text=text, result=replace(result, things=things), unknown=(other,))


def reworded(rng: Random, text: str, language: str, share: float = 0.5) -> str:
    """A sentence with other names for the same things; what stands in quotes stays."""
    words, changes = lexicon(language), list[tuple[int, int, str, str]]()
    quoted = [match.span() for match in re.finditer(r'"[^"]*"', text)]
    for span in words.spans(text):
        if span.name.attribute not in VALUES or rng.random() > share or any(s <= span.start < e for s, e in quoted):
            continue
        new = _named(rng, words, span, span.name.value)
        if new:
            changes.append(
                (
                    span.start,
                    span.end,
                    spelt(new, text[span.start : span.end]),
                    span.name.value if span.name.attribute == "kind" else "",
                )
            )
    return filled(text, changes, language, rng)
