"""Nouns: what the kinds are called as the lexicon's files have it, and their plurals, articles and measure words.

Both files have a kind a line. English: `name`, `name/plural` where that is not regular, `name/=` for a name that is a
plural itself (grapes) and `name/-` for what is not counted (bread), each with how several are called behind it where
that is said otherwise (`bread/-loaves of bread`). Chinese: the measure words in brackets behind the kind. `~name` is
said and not searched for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

FOLDER = Path(__file__).parent / "lexicon"
COUNTED, PLURAL_ONLY, MASS = "", "=", "-"
_ALIKE = re.compile(r"(?:fish|sheep|deer|craft|(?<![aious])s)$")  # one and many
_IRREGULAR = (
    (r"((?:^|[ -])(?:wo|fire|police|snow|space|post|fisher)?m)an$", r"\1en"),
    (r"(^|[ -])mouse$", r"\1mice"),
    (r"(^|[ -])goose$", r"\1geese"),
    (r"(^|[ -])(foot|tooth)$", lambda found: found[1] + found[2].replace("oo", "ee")),
    (r"(^|[ -])child$", r"\1children"),
    (r"((?:kni|(?:^|[ -])wi))fe$", r"\1ves"),
    (r"((?:wol|cal|hal|shel|loa|lea|thie|scar)|(?:^|[ -])el)f$", r"\1ves"),
    (r"((?:tomat|potat|mosquit|her|volcan|tornad|torped|mang|buffal)o)$", r"\1es"),
    (r"([^aeiou])y$", r"\1ies"),
    (r"(s|x|z|ch|sh)$", r"\1es"),
)
# Said with `an`: a vowel that is spoken as one, a mute h, and letters and numbers that are read out
_AN = re.compile(
    r"(?!uni(?!n|m)|eu|ewe|ufo|u\.f|u-|one\b|once\b|us[eu]|ut[ei]|ukulele|ura)[aeiou]"
    r"|hour|heir|honest|honou?r|8|11\b|18\b|x-|[fhlmnrsx]\d|(?:f|h|l|m|n|r|s|x)-|suv\b|mpv\b|lcd\b|nba\b|hgv\b|lkw\b"
)


@dataclass(frozen=True)
class Noun:
    """A name of a kind: how several are called (English), how it is counted, and whether it is searched for."""

    text: str
    many: str = ""
    counted: str = COUNTED
    doubtful: bool = False


def _lines(language: str) -> list[tuple[str, str, str]]:
    """Kind, measure words and names of each line."""
    found = []
    for line in (FOLDER / f"kinds.{language}.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            head, _, names = line.partition(": ")
            kind, _, measures = head.partition(" (")
            found.append((kind, measures.rstrip(")"), names))
    return found


def _noun(written: str, language: str) -> Noun:
    text, slash, many = written.lstrip("~").partition("/")
    counted = many[0] if slash and many[0] in (PLURAL_ONLY, MASS) else COUNTED
    many = many.removeprefix(counted)
    if language == "en":
        many = many or (text if counted else regular_plural(text))
    return Noun(text, many, counted, written.startswith("~"))


@lru_cache
def nouns(language: str) -> dict[str, tuple[Noun, ...]]:
    """The names of every kind, the usual ones first."""
    return {
        kind: tuple(_noun(name.strip(), language) for name in names.split(",") if name.strip())
        for kind, _, names in _lines(language)
    }


@lru_cache
def measures() -> dict[str, str]:
    """The Chinese measure words of every kind, a character each, the usual one first."""
    return {kind: words for kind, words, _ in _lines("zh")}


@lru_cache
def _english() -> dict[str, Noun]:
    return {noun.text.lower(): noun for names in nouns("en").values() for noun in names}


def _known(phrase: str) -> tuple[str, Noun | None]:
    """What stands before the name that a phrase ends with, the longest one, and that name."""
    words = phrase.split(" ")
    for start in range(len(words)):
        noun = _english().get(" ".join(words[start:]).lower())
        if noun:
            return "".join(word + " " for word in words[:start]), noun
    return phrase, None


def regular_plural(noun: str) -> str:
    """The English plural of a noun's last word, by rule."""
    if _ALIKE.search(noun):
        return noun
    for pattern, ending in _IRREGULAR:
        changed, count = re.subn(pattern, ending, noun)
        if count:
            return changed
    return noun + "s"


def plural(phrase: str) -> str:
    """The English plural of a phrase that ends with a noun: `fluffy sheep`, `blue loaves of bread`."""
    before, noun = _known(phrase)
    return before + noun.many if noun else regular_plural(phrase)


def article(word: str) -> str:
    """`a` or `an` before an English word."""
    return f"an {word}" if _AN.match(word.lower()) else f"a {word}"


def with_article(phrase: str) -> str:
    """A phrase that ends with a noun, with the article that it has: `an owl`, `some popcorn`, `grapes`."""
    noun = _known(phrase)[1]
    if noun and noun.counted == MASS:
        return f"some {phrase}"
    only_plural = noun.counted == PLURAL_ONLY if noun else phrase.endswith("s") and regular_plural(phrase) == phrase
    return phrase if only_plural else article(phrase)
