"""How people type: slips of the keyboard, spaces, marks, traditional characters; what is meant stays the same.

Parts that must stay letter for letter (the word of a sign, what the world does not have) are kept.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from random import Random

_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_NEAR = {
    letter: "".join(
        row[at + step] for step in (-1, 1) if 0 <= at + step < len(row)
    ) + "".join(other[at] for other in _ROWS if abs(_ROWS.index(other) - number) == 1 and at < len(other))
    for number, row in enumerate(_ROWS) for at, letter in enumerate(row)
}  # fmt: skip
FOLDER = Path(__file__).parent / "lexicon"


def _pairs(file: str) -> list[tuple[str, str]]:
    """`written<tab>typed` lines of a file of the lexicon."""
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [(old, new) for line in lines if not line.startswith("#") for old, _, new in [line.partition("\t")]]


_SPOKEN = _pairs("typing.en.txt")
_ALIKE = dict(_pairs("typing.zh.txt"))
_TRADITIONAL = dict(_pairs("traditional.txt"))


def simplified() -> dict[str, str]:
    """The simplified character of each traditional one, as far as the world's words go."""
    return {new: old for old, new in _TRADITIONAL.items()}


def _slip(word: str, rng: Random) -> str:
    """One slip of the keyboard."""
    at = rng.randrange(1, len(word)) if rng.random() < 0.9 else 0
    way = rng.random()
    if way < 0.28:
        return word[:at] + word[at + 1 :]
    if way < 0.5 and at + 1 < len(word):
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if way < 0.68:
        return word[:at] + word[at] + word[at:]
    near = _NEAR.get(word[at].lower())
    return word[:at] + rng.choice(near) + (word[at + 1 :] if way < 0.9 else word[at:]) if near else word


def _misspelt(text: str, rng: Random, kept: Callable[[str], bool]) -> str:
    words = re.split(r"(\W+)", text)
    fitting = [
        at for at, word in enumerate(words) if len(word) > 2 and word.isascii() and word.isalpha() and not kept(word)
    ]
    for at in rng.sample(fitting, min(len(fitting), rng.choice((1, 1, 2, 3, 5)))):
        words[at] = _slip(words[at], rng)
    return "".join(words)


def _as_spoken(text: str, rng: Random, kept: Callable[[str], bool]) -> str:
    """Spelt as it sounds, or as one writes in a chat."""
    ways = [(old, new) for old, new in _SPOKEN if old in text]
    for old, new in rng.sample(ways, min(len(ways), rng.choice((1, 2, 2, 3)))):
        words = re.split(r"(\s+)", text)
        text = "".join(word if kept(word) else word.replace(old, new, 1) for word in words)
    return text


def _spaced(text: str, rng: Random, kept: Callable[[str], bool]) -> str:
    """Spaces lost, or too many."""
    parts = text.split(" ")
    if len(parts) < 2:
        return text
    if rng.random() < 0.2 and len(parts) < 8 and not any(map(kept, parts)):
        return "".join(parts)
    lost = rng.randrange(len(parts) - 1)
    if kept(parts[lost]) or kept(parts[lost + 1]):
        return text.replace(" ", "  ", 2)
    joint = "" if rng.random() < 0.7 else "   "
    return " ".join([*parts[:lost], parts[lost] + joint + parts[lost + 1], *parts[lost + 2 :]])


def _marked(text: str, rng: Random, chinese: bool) -> str:
    """Marks of every sort, or none."""
    end = rng.choice(
        ("!!!", "...", "!!", "??", " :)", "~", " ...", "?!", " <3", "!")
        if not chinese
        else ("！！！", "。。。", "~", "！", "…", "～～", "!!", "哈", "？？")
    )
    way = rng.random()
    if way < 0.5 and text[-1:] not in "?？\"'”":
        return text.rstrip(".。!！") + end
    if way < 0.7 and '"' not in text:
        return re.sub("[,，、]" if chinese else ",", " ", text)
    if way < 0.85:
        return re.sub("[,，]", rng.choice(("...", "。。。", " - ", "; ", "/")), text)
    return text.replace("，", ",").replace("。", ".") if chinese else text.replace(", ", ",")


def traditional(text: str) -> str:
    """A text in traditional characters, as far as the world's words go."""
    return "".join(_TRADITIONAL.get(letter, letter) for letter in text)


def _traditional(text: str, rng: Random, kept: Callable[[str], bool]) -> str:
    del rng
    return "".join(letter if kept(letter) else _TRADITIONAL.get(letter, letter) for letter in text)


def _alike(text: str, rng: Random, kept: Callable[[str], bool]) -> str:
    """Another character that sounds or looks alike, a doubled or a lost one."""
    fitting = [at for at, letter in enumerate(text) if letter in _ALIKE and not kept(letter)]
    if not fitting:
        return text
    at = rng.choice(fitting)
    way = rng.random()
    new = rng.choice(_ALIKE[text[at]]) if way < 0.75 else text[at] * 2
    return text[:at] + new + text[at + 1 :]


def typed(text: str, language: str, rng: Random, keep: tuple[str, ...] = (), share: float = 0.3) -> str:
    """The text as somebody types it; in this share of the cases with something odd about it."""
    if not text or rng.random() > share:
        return text

    def kept(part: str) -> bool:
        return any(part and (part in word or word in part) for word in keep)

    way = rng.random()
    if language == "en":
        odd = (_misspelt(text, rng, kept) if way < 0.5 else _as_spoken(text, rng, kept) if way < 0.62
               else _spaced(text, rng, kept) if way < 0.8 else _marked(text, rng, chinese=False))  # fmt: skip
    else:
        odd = (_alike(text, rng, kept) if way < 0.3 else _traditional(text, rng, kept) if way < 0.6
               else _marked(text, rng, chinese=True))  # fmt: skip
    return odd if all(word.lower() in odd.lower() for word in keep) else text
