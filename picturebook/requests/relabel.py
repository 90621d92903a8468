"""Lines written when the world was smaller, told anew: what they call unknown or by a broader kind may be drawn now.

Their texts stay. `dragon`, unknown once, is wished for where that leaves no doubt, else the line is dropped; `owl`,
once a bird of any colour, is an owl. The judge's texts are not told anew: an owl and a bird both count as what they
wish.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ..language.lexicon import OUTSIDE, Name, Span, lexicon, meant
from ..language.noise import simplified
from ..language.plain import Wanted
from ..world.scene import CLIPART, IS_A
from .lines import Line, read

NEW_SETTINGS = {
    "place": ("forest", "mountains", "park", "desert"),
    "style": ("oil", "watercolour", "pixel"),
}
UNCLEAR = frozenset(["correction", "negation", "decoy", "trap", "relation", "hat", "everything", "multi-hat"])
_COUNTED = re.compile(
    r"\d|\b(?:two|three|four|five|pair|couple|many|some|few|hats?)\b|[两二三四五几群帽]", re.IGNORECASE
)


def is_new(span: Span) -> bool:
    """Whether a name says what the world did not have once."""
    attribute, value = span.name.attribute, span.name.value
    return value in (CLIPART if attribute == "kind" else NEW_SETTINGS.get(attribute, ()))


def known_now(word: str, language: str) -> Span | None:
    """The new name that a word for the unknown is or ends with, as `flying dragon` does; None: still unknown."""
    language = "en" if word.isascii() else language
    words = lexicon(language)
    plain = word if language == "en" else "".join(simplified().get(letter, letter) for letter in word)
    if (found := words.find.get(plain.lower())) and found.attribute in (OUTSIDE, "trap"):
        return None
    spans = words.spans(plain)
    return spans[-1] if spans and spans[-1].end == len(plain) and is_new(spans[-1]) else None


def is_stale(line: Line, language: str) -> bool:
    """Whether a line calls unknown what the world has now."""
    return any(known_now(word, language) for word in line.unknown)


def spans_of(line: Line, language: str) -> list[Span]:
    """The names in a line's text, each with the kind that the line means: a `bird blue` is what its `owl` says."""
    kinds = {one.kind for wished in (line.source, line.result) if wished for one in wished.things}
    spans = lexicon(language).spans(line.text)
    broader = {
        kind: IS_A[kind]
        for kind in (span.name.value for span in spans if span.name.attribute == "kind")
        if kind in IS_A and kind not in kinds and IS_A[kind] in kinds
    }
    return [
        replace(span, name=replace(span.name, value=broader.get(span.name.value, span.name.value)))
        if span.name.attribute == "kind" else span
        for span in spans
    ]  # fmt: skip


def _added(line: Line, word: str, name: Name, language: str) -> tuple[Wanted, ...] | None:
    """A line's things with the one that it calls unknown, in the order said; None where that leaves a doubt."""
    text, things = line.text, line.result.things
    at = text.lower().find(word.lower())
    spans = [span for span in spans_of(line, language) if not span.start < at + len(word) or not at < span.end]
    said = [span.name.attribute for span in spans]
    named = [span for span in spans if span.name.attribute == "kind"]
    if {"column", "row", "hat"} & set(said) or any(one.hat for one in things) or line.tags & UNCLEAR:
        return None
    if [span.name.value for span in named] != [one.kind for one in things] or _COUNTED.search(text) or name.plural:
        return None
    if said.count("colour") != sum(one.colour is not None for one in things):
        return None
    before = sum(span.start < at for span in named)
    return (*things[:before], Wanted(name.value), *things[before:])


def _with_unknown(line: Line, language: str) -> Line | None:
    """The line with what it calls unknown wished for; None where that leaves a doubt."""
    stale = {word: found for word in line.unknown if (found := known_now(word, language))}
    rest = tuple(word for word in line.unknown if word not in stale)
    word, found = next(iter(stale.items()))
    name, result = found.name, line.result
    once = found.start == 0 and line.text.lower().count(word.lower()) == 1
    if line.source is not None or len(stale) > 1 or not once or line.forbidden or result.relations:
        return None
    if name.attribute == "kind":
        things = None if rest else _added(line, word, name, language)
        return replace(line, task="paint", result=replace(result, things=things), unknown=()) if things else None
    if getattr(result, name.attribute) is not None:
        return None
    told = replace(result, **dict[str, Any]({name.attribute: name.value}))
    return replace(line, task="outside" if rest else "paint", result=told, unknown=rest)


def _narrowed(line: Line, language: str) -> Line | None:
    """The line with the broader kind that its text calls by a narrower name as that; None where that leaves a doubt.

    Where the thing has a colour the name stands for the broader kind, and the line is right as it is.
    """
    spans = [span.name.value for span in lexicon(language).spans(line.text) if span.name.attribute == "kind"]
    things = list(line.result.things)
    for kind in dict.fromkeys(one for one in spans if one in IS_A):
        general = IS_A[kind]
        wished = [number for number, one in enumerate(things) if one.kind == general]
        given = any(one.kind == general for one in (line.source.things if line.source else ()))
        if line.task == "ask" and given and line.answer.partition("=")[0] in ("yes", "no", "count"):
            return None
        if all(things[number].colour for number in wished):
            continue
        if meant(kind, coloured=False, hatted=bool(things[wished[0]].hat)) == general:
            continue
        others = {other for other in spans if IS_A.get(other, other) == general} - {kind}
        if given or others or general in line.forbidden or any(things[number].colour for number in wished):
            return None
        for number in wished:
            things[number] = replace(things[number], kind=kind)
    return replace(line, result=replace(line.result, things=tuple(things)))


def relabelled(line: Line, language: str) -> Line | None:
    """A line of the training as the larger world has it; None where it tells nothing for sure any more."""
    known = _with_unknown(line, language) if is_stale(line, language) else line
    return known and _narrowed(known, language)


def training_lines(language: str) -> list[Line]:
    """What was written for training, as the larger world has it."""
    told = (relabelled(line, language) for line in read("people", language))
    return [line for line in told if line]
