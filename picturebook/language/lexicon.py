"""What people call things: the lexicon by the thousand, and the names that a sentence holds.

A name says a value (dog, red, night) of an attribute (kind, colour, time ...) in a form: names of one form stand for
each other in a sentence. The files of `lexicon/` hold them; they know no sentence.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random

from ..world.scene import COLOURS, HATTED, IS_A, KINDS
from .noise import traditional
from .nouns import FOLDER, Noun, nouns
from .nouns import plural as plural
from .words import LANGUAGES, MEASURE

MOST_WORDS = 5  # of an English name
WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
TOKEN = re.compile(
    rf"{WORD.pattern}|[\U0001f000-\U0001faff\u2600-\u27bf]\ufe0f?(?:\u200d[\U0001f000-\U0001faff\u2600-\u27bf]\ufe0f?)*"
)
HATTED_GROUP, MOVING, STANDING = (
    ("dog", "cat", "person"),
    ("car", "bus", "boat"),
    ("house", "tree", "flower", "mushroom"),
)
OUTSIDE = "outside"
NARROWER = {general: tuple(kind for kind, one in IS_A.items() if one == general) for general in set(IS_A.values())}
NARROWED = 0.25  # share of the names of a coloured kind that are those of a narrower one
# Chinese names of one character that are searched for; those of the second string are a part of many other words
FREE, BOUND = (
    "狗猫鸟船树花舟红橙黄绿蓝紫粉棕褐橘左右",
    "车人房屋松梅马牛羊猪熊狼蛇龙虎鱼虾鬼梨桃书床伞鹿兔猴鹰鸭鸡象鼠鲸龟",
)
# what may stand before and after one of them that is a part of many words, too
BEFORE_ONE = (
    "辆台部架个名位口座栋间幢棵朵枝株只条匹头尾颗张把本摞顶群的红橙黄绿蓝紫粉棕褐橘色边，。、,. ；;：:"
    "和与跟同有画来要加+=*×一两二三四五六俩仨123456 \n|【[({（"
)
AFTER_ONE = "，。、,. ；;！!？?戴在旁左右停站和与跟同吧呢啊还要+×*()（{=:：\n|】])}～~…把给往前后放变换改也都有是"


@dataclass(frozen=True)
class Name:
    """A name and what it says; `plural` is for English nouns."""

    text: str
    attribute: str
    form: str
    value: str
    plural: bool = False


@dataclass(frozen=True)
class Span:
    """A name in a sentence: from which character to which."""

    start: int
    end: int
    name: Name


def _alone(text: str, at: int) -> bool:
    """Whether a character that is a part of many words stands for itself: 车 in 一辆车, not in 停车场."""
    if text[at] not in BOUND:
        return True
    before, after = text[at - 1 : at], text[at + 1 : at + 2]
    return (not before or before in BEFORE_ONE) and (not after or after in AFTER_ONE)


def _listed(file: str) -> list[str]:
    """The lines of a file of the lexicon."""
    lines = (FOLDER / file).read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def _lines(file: str) -> list[tuple[str, list[str]]]:
    """`head: names` lines of a file of the lexicon."""
    text = (FOLDER / file).read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            head, _, names = line.partition(": ")
            found.append((head, [name.strip() for name in names.split(",") if name.strip()]))
    return found


class Lexicon:
    """The names of one language: `said[attribute, form, value]`, plural nouns under the form `many`, and a finder."""

    def __init__(self, language: str) -> None:
        self.language = language
        self.said: dict[tuple[str, str, str], tuple[str, ...]] = {}
        self.find: dict[str, Name] = {}
        self.doubtful: dict[str, list[tuple[str, str]]] = defaultdict(list)  # said, not searched for: what it may say
        self.outside = {head: tuple(names) for head, names in _lines(f"outside.{language}.txt")}
        for kind, some in nouns(language).items():
            self._add_kind(kind, some)
        for head, names in _lines(f"settings.{language}.txt"):
            attribute, form, value = head.split()
            self._add(attribute, form, value, names)
        self.sorts = {kind: tuple(names) for kind, names in _lines("sorts.en.txt")} if language == "en" else {}
        for form, outsiders in self.outside.items():
            for text in outsiders if form != "rare" else ():
                self._know(Name(text, OUTSIDE, form, ""))
                if language == "en" and form == "thing":
                    self._know(Name(plural(text), OUTSIDE, form, "", plural=True))
        for (attribute, value), pictures in emoji().items():
            self.said[attribute, "emoji", value] = pictures
            for picture in pictures:
                self.find.setdefault(picture, Name(picture, attribute, "emoji", value))
        for picture in strange_emoji():
            self.find.setdefault(picture, Name(picture, OUTSIDE, "emoji", ""))
        for text in _listed(f"traps.{language}.txt"):
            self.find[text.lower()] = Name(text, "trap", "", "")
        self.longest = max(map(len, self.find))

    def _know(self, name: Name) -> None:
        self.find.setdefault(name.text.lower(), name)
        if self.language == "zh":
            self.find.setdefault(traditional(name.text).lower(), name)

    def _doubt(self, text: str, attribute: str, value: str) -> None:
        self.doubtful[text.lower()].append((attribute, value))

    def _is_doubtful(self, text: str) -> bool:
        return self.language == "zh" and len(text) == 1 and text not in FREE + BOUND

    def _add_kind(self, kind: str, names: tuple[Noun, ...]) -> None:
        for noun in names:
            if noun.doubtful or self._is_doubtful(noun.text):
                self._doubt(noun.text, "kind", kind)
            else:
                self._know(Name(noun.text, "kind", "one", kind))
                if noun.many:
                    self._know(Name(noun.many, "kind", "many", kind, plural=True))
        self.said["kind", "one", kind] = tuple(noun.text for noun in names)
        if self.language == "en":
            self.said["kind", "many", kind] = tuple(noun.many for noun in names)

    def _add(self, attribute: str, form: str, value: str, names: list[str]) -> None:
        for written in names:
            text = written.lstrip("~")
            if written.startswith("~") or self._is_doubtful(text):
                self._doubt(text, attribute, value)
            else:
                self._know(Name(text, attribute, form, value))
        self.said[attribute, form, value] = tuple(written.lstrip("~") for written in names)

    def pick(self, rng: Random, attribute: str, form: str, value: str, usual: float = 0.35) -> str:
        """A name of a value; the first, which is the usual one, in this share."""
        names = self.said[attribute, form, value]
        if rng.random() < usual:
            return names[0]
        if attribute == "kind" and rng.random() < 0.1 and self.sorts.get(value):
            sort = rng.choice(self.sorts[value])
            return plural(sort) if form == "many" else sort
        return rng.choices(names, cum_weights=_common(len(names)))[0]

    def pick_kind(
        self, rng: Random, kind: str, *, coloured: bool = False, many: bool = False, usual: float = 0.35
    ) -> str:
        """A name of a kind; `coloured`: of one that a colour is said of, `blue owl` is a blue bird."""
        if coloured and kind in NARROWER and rng.random() < NARROWED:
            kind = rng.choice(NARROWER[kind])
        return self.pick(rng, "kind", "many" if many and self.language == "en" else "one", kind, usual)

    def strange(self, rng: Random, sort: str) -> str:
        """A name of a sort that the world does not have, the common ones more often."""
        names = self.outside[sort]
        return rng.choices(names, cum_weights=_common(len(names)))[0] if sort == "thing" else rng.choice(names)

    def spans(self, text: str) -> list[Span]:
        """The names that a sentence holds, the longest first come, from left to right."""
        return self._english(text) if self.language == "en" else self._chinese(text)

    def _english(self, text: str) -> list[Span]:
        words = [(match.start(), match.end()) for match in TOKEN.finditer(text)]
        found, at = list[Span](), 0
        while at < len(words):
            for count in range(min(MOST_WORDS + 3, len(words) - at), 0, -1):
                start, end = words[at][0], words[at + count - 1][1]
                name = self.find.get(" ".join(text[start:end].lower().replace("’", "'").split()))
                if name:
                    found.append(Span(start, end, name))
                    at += count - 1
                    break
            at += 1
        return found

    def _chinese(self, text: str) -> list[Span]:
        found, at = list[Span](), 0
        while at < len(text):
            for length in range(min(self.longest, len(text) - at), 0, -1):
                name = self.find.get(text[at : at + length].lower())
                if name and (length > 1 or _alone(text, at)):
                    found.append(Span(at, at + length, name))
                    at += length - 1
                    break
            at += 1
        return found

    def doubts(self, text: str) -> set[tuple[str, str]]:
        """What a sentence may say by names that are too common to be searched for."""
        lower = text.lower()
        if self.language == "zh":
            return {say for name, says in self.doubtful.items() if name in lower for say in says}
        words = [match.group() for match in WORD.finditer(lower)]
        joined = f" {' '.join(words)} "
        return {say for name, says in self.doubtful.items() if f" {name} " in joined for say in says}


def meant(kind: str, *, coloured: bool, hatted: bool = False) -> str:
    """The kind that a name says together with what else is said of it.

    Clip art has colours of its own: `owl` is an owl, `blue owl` a blue bird. So it is with a hat where it fits on the
    broader kind's head alone: `farmer with a red hat` is a person. What is not one of a broader kind stays what it is.
    """
    general = IS_A.get(kind, kind)
    bare = hatted and kind not in HATTED and general in HATTED
    return general if coloured or bare else kind


@lru_cache
def _common(count: int) -> tuple[float, ...]:
    """Shares of so many names, summed up: the files have the common ones first."""
    return tuple(accumulate(1 / (rank + 12) for rank in range(count)))


@lru_cache
def lexicon(language: str) -> Lexicon:
    """The lexicon of a language."""
    return Lexicon(language)


@lru_cache
def emoji() -> dict[tuple[str, str], tuple[str, ...]]:
    """Emoji by attribute and value."""
    found = {}
    for line in (FOLDER / "emoji.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            head, _, pictures = line.partition(": ")
            attribute, _, value = head.partition(" ")
            found[attribute, value] = tuple(pictures.split())
    return found


@lru_cache
def strange_emoji() -> tuple[str, ...]:
    """Emoji of things that the world does not have."""
    return tuple((FOLDER / "outside.emoji.txt").read_text(encoding="utf-8").splitlines()[1].split())


def check() -> None:
    """Every value has its names in both languages."""
    for language in LANGUAGES:
        said = lexicon(language).said
        assert all(said["kind", "one", kind] for kind in KINDS)
        assert set(KINDS) == set(nouns(language))
        assert all(said["colour", "adj" if language == "en" else "short", colour] for colour in COLOURS)
    assert set(MEASURE) == set(KINDS)
