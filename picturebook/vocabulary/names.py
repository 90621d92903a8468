"""Which words are one token each: the names of the lexicon, and what people often say around them.

A name that is one token is learned as one vector; one in pieces has to be put together by the layers first.
English words are written as byte-level BPE has them, inside a sentence with `Ġ` for the space before; Chinese words and
emoji as they are. The rare words of what the world does not have are left in pieces: to copy a word that nobody foresaw
has to be learned, too.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from functools import lru_cache

from ..language.forms import FOLDER
from ..language.lexicon import OUTSIDE, Lexicon, emoji, lexicon, strange_emoji
from ..language.noise import simplified

SPACE = "Ġ"  # what byte-level BPE writes for a space
RARE = "rare"  # things that the world does not have and that hardly anybody asks for
LONGEST_CHINESE = 5  # characters
ALONE = {"kind": "one", "colour": "adj", "place": "noun", "time": "noun", "weather": "noun"}  # forms that begin a text
OFTEN = 3  # times that people say a word in what they wrote
_PIECE = re.compile(r"[^\W\d_]+")
_CHINESE = re.compile(r"[\u4e00-\u9fff]{2,}")
SHADES = "[\ufe0f\U0001f3fb-\U0001f3ff]"  # how an emoji is shown: as a picture, in which tone of skin


def english_words(name: str) -> list[str]:
    """The words of a name as the tokenizer has them inside a sentence, `Ġhot Ġdog`."""
    return [SPACE + word for word in _PIECE.findall(name.lower()) if word.isascii() and len(word) > 1]


def plain_emoji(picture: str) -> str:
    """An emoji without how it is shown."""
    return re.sub(SHADES, "", picture)


def _said(names: Lexicon) -> dict[str, tuple[str, str]]:
    """Every name and the attribute and value that it says; outside the world the value is empty."""
    found = {}
    for (attribute, form, value), said in names.said.items():
        if form != "emoji":
            found.update(dict.fromkeys((one.lower() for one in said), (attribute, value)))
    for value, sorts in names.sorts.items():
        found.update(dict.fromkeys((sort.lower() for sort in sorts), ("kind", value)))
    for sort, outsiders in names.outside.items():
        if sort != RARE:
            found.update((one.lower(), (OUTSIDE, "")) for one in outsiders if one.lower() not in found)
    for text, name in names.find.items():
        if name.attribute == "trap":
            found.setdefault(text, (OUTSIDE, ""))
    return found


@lru_cache
def said(language: str) -> dict[str, tuple[str, str]]:
    """What every name of a language says: (attribute, value), (`outside`, ``) for what the world does not have."""
    return _said(lexicon(language))


def _written(language: str) -> list[str]:
    """What people wrote, the text of each line."""
    lines = (FOLDER / f"people.{language}.txt").read_text(encoding="utf-8").splitlines()
    return [line.split(" | ")[2] for line in lines if line.count(" | ") > 2 and not line.startswith("#")]


@lru_cache
def english() -> tuple[str, ...]:
    """The English words, each with the space before it; names of one word that may begin a text without it, too."""
    often = Counter(word for text in _written("en") for word in english_words(text))
    named: Iterable[str] = (word for name in said("en") for word in english_words(name))
    alone = (name.lower() for (attribute, form, _), some in lexicon("en").said.items() if form == ALONE.get(attribute)
             for name in some if name.isascii() and name.isalpha())  # fmt: skip
    return tuple(dict.fromkeys([*named, *(word for word, count in often.items() if count >= OFTEN), *alone]))


@lru_cache
def chinese() -> tuple[str, ...]:
    """The Chinese names of several characters, in simplified ones."""
    simple = simplified()
    named = ("".join(simple.get(letter, letter) for letter in name) for name in said("zh"))
    return tuple(dict.fromkeys(name for name in named if _CHINESE.fullmatch(name) and len(name) <= LONGEST_CHINESE))


@lru_cache
def pictures() -> dict[str, tuple[str, str]]:
    """The emoji, and what each says."""
    found = {plain_emoji(one): (OUTSIDE, "") for one in strange_emoji()}
    return found | {plain_emoji(one): meant for meant, some in emoji().items() for one in some}


def any_of(words: Iterable[str]) -> str:
    """A regular expression for the longest of some words, as a trie: a list of them is tried one after the other."""
    branches: dict[str, list[str]] = defaultdict(list)
    for word in words:
        if word:
            branches[word[0]].append(word[1:])
    written = []
    for letter, rests in sorted(branches.items()):
        longer = any_of(rests)
        written.append(re.escape(letter) + (f"(?:{longer}){'?' if '' in rests else ''}" if longer else ""))
    return "|".join(written)
