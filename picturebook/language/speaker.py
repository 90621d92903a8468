"""Somebody who puts wishes into words: things, hats, places, settings and signs, each in one of many ways.

What is wished for is decided elsewhere; a speaker notes which of its words the world does not have.
"""

from __future__ import annotations

from random import Random

from ..world.scene import CLIPARTS, COLOURS, IS_A
from .forms import sections
from .lexicon import emoji, lexicon, strange_emoji
from .nouns import measures, plural
from .plain import NO, Wanted, Wish
from .words import LANGUAGES, NUMBER, article, with_article

FORMS = {language: sections("wishes", language) for language in LANGUAGES}
MEASURES = {**measures(), "": "个只台把"}

PAINTED = 0.1  # of clip art: a colour is said


def made_up(rng: Random, language: str) -> str:
    """A name that nobody has heard of."""
    return "".join(rng.choice(FORMS[language]["syllables"][0].split()) for _ in range(rng.choice((2, 2, 3))))


class Speaker:
    """Somebody who puts a wish into words."""

    def __init__(self, rng: Random, language: str) -> None:
        self.rng, self.language = rng, language
        self.lexicon, self.forms = lexicon(language), FORMS[language]
        self.english = language == "en"
        self.gap = " " if self.english else ""
        self.usual = rng.choice((0.1, 0.35, 0.6))
        self.pictures = rng.random() < 0.05  # in emoji where there are some
        self.other = lexicon("zh" if self.english else "en") if rng.random() < 0.04 else None  # mixes languages
        self.unknown = list[str]()
        self.looks = 0.4 if rng.random() < 0.11 else 0.0  # speaks of looks that the world does not have

    def look(self) -> str:
        """A colour, a pattern or another look that the world does not have, before a noun; it is noted."""
        common, looks = self.forms["look"], self.lexicon.outside["look"]
        word = self.rng.choice(
            common
            if self.rng.random() < 0.6
            else tuple(look for look in looks if not look.startswith(("with ", "in ", "on ")))
        )
        self.unknown.append(word)
        return word if self.english else word + "的"

    def form(self, section: str) -> str:
        """One of the forms of a section."""
        return self.rng.choice(self.forms[section])

    def colour(self, value: str, *, short: bool = False) -> str:
        """A colour before a noun."""
        if self.english:
            return self.lexicon.pick(self.rng, "colour", "adj", value, 0.6)
        form = "short" if short or self.rng.random() < 0.4 else "adj"
        word = self.lexicon.pick(self.rng, "colour", form, value, 0.6)
        return word + ("的" if self.rng.random() < (0.3 if form == "short" else 0.6) else "")

    def noun(self, kind: str, *, many: bool = False, coloured: bool = False) -> str:
        """A name of a kind; `coloured` where a colour is said before it."""
        if self.other and self.rng.random() < 0.6:
            return self.other.pick_kind(self.rng, kind, coloured=coloured, usual=0.6)
        if self.pictures and self.rng.random() < 0.7:
            return self.rng.choice(emoji()["kind", kind])
        return self.lexicon.pick_kind(self.rng, kind, coloured=coloured, many=many, usual=self.usual)

    def stranger(self, *, many: bool = False) -> str:
        """A name of something that the world does not have; it is noted."""
        if self.pictures and self.rng.random() < 0.7:
            word = self.rng.choice(strange_emoji())
        elif self.rng.random() < 0.15:
            word = made_up(self.rng, self.language)
        else:
            sort = self.rng.choice(("thing", "thing", "thing", "rare")) if self.english else "thing"
            word = self.lexicon.strange(self.rng, sort)
            word = plural(word) if many and self.english else word
        self.unknown.append(word)
        return word

    def painted(self, kind: str) -> str:
        """A colour for what has colours of its own, before its noun; noted unless it is one of these."""
        value = (
            self.rng.choice(CLIPARTS[kind].colours or COLOURS) if self.rng.random() < 0.5 else self.rng.choice(COLOURS)
        )
        word = self.colour(value)
        if value not in CLIPARTS[kind].colours:
            self.unknown.append(word if self.english else word.removesuffix("的"))
        return word

    def hat(self, thing: Wanted) -> str:
        """`with a red hat`, as an ending."""
        word = self.form("hat")
        colour = self.colour(thing.hat) if thing.hat in COLOURS else ""
        if self.english:
            return self.rng.choice(
                ("with {}", "wearing {}", "in {}", "with {} on", "that has {}", "with {} on its head")
            ).format(article(f"{colour} {word}".strip()))
        return self.rng.choice(("戴{}", "戴着{}", "戴了一顶{}", "头上戴着{}", "顶着{}", "戴个{}")).format(colour + word)

    def thing(self, one: Wanted, *, count: int = 1, articled: bool = True, stranger: bool = False) -> str:
        """A thing in words, without its place."""
        rng = self.rng
        colour = self.colour(one.colour) if one.colour in COLOURS else ""
        noun = self.stranger(many=count > 1) if stranger else self.noun(one.kind, many=count > 1, coloured=bool(colour))
        if not stranger and one.kind in CLIPARTS and one.kind not in IS_A and rng.random() < PAINTED:
            colour = self.painted(one.kind)
        cheer = self.form("cheer") if rng.random() < 0.12 else ""
        if not stranger and rng.random() < self.looks:
            cheer = self.look()
        if self.english:
            words = " ".join(filter(None, (cheer, colour, noun)))
            if count > 1:
                number = rng.choice(
                    (
                        NUMBER["en"][count],
                        NUMBER["en"][count],
                        str(count),
                        *(("a pair of", "a couple of") if count == 2 else ("a trio of",) if count == 3 else ()),
                    )
                )
                words = f"{number} {words}"
            elif articled:
                counted = with_article(words)
                words = f"one {words}" if counted == article(words) and rng.random() < 0.1 else counted
            if one.hat == NO:
                return f"{words} {rng.choice(('without a hat', 'with no hat', 'without hat', 'bare-headed'))}"
            return f"{words} {self.hat(one)}" if one.hat else words
        measure = MEASURES["" if stranger else one.kind]
        measure = measure[0] if rng.random() < 0.75 else rng.choice(measure + "个")
        numbers = {1: ("一", "一", "1", "") if articled else ("",), 2: ("两", "两", "2", "二"), 3: ("三", "3")}
        number = rng.choice(numbers.get(count, (NUMBER["zh"][count], str(count))))
        counted = number + measure if number else (measure if articled and rng.random() < 0.2 else "")
        if one.hat == NO:
            return counted + rng.choice(("没戴帽子的", "不戴帽子的", "光头没帽子的")) + colour + noun
        if one.hat and rng.random() < 0.65:
            return f"{counted}{self.hat(one)}的{cheer}{colour}{noun}"
        return counted + cheer + colour + noun + (self.hat(one) if one.hat else "")

    def setting(self, name: str, value: str, *, noun: bool = False) -> str:
        """A setting in words."""
        if self.pictures and (name, value) in emoji():
            return self.rng.choice(emoji()[name, value])
        said = self.lexicon.said
        forms = [form for form in ("noun",) if noun] or ["adv", "adv", "clause", "noun"]
        forms = [form for form in forms if (name, form, value) in said and (form != "noun" or noun or not self.english)]
        return self.lexicon.pick(self.rng, name, self.rng.choice(forms or ["noun"]), value, self.usual)

    def placed(self, one: Wanted, words: str) -> str:
        """A thing and where it stands."""
        spots = [
            self.lexicon.pick(self.rng, name, "adv", value, 0.5)
            for name, value in (("column", one.column), ("row", one.row))
            if value
        ]
        if not spots:
            return words
        if self.english:
            where = " ".join(spots)
            return self.rng.choice(
                (f"{words} {where}", f"{words} {where}", f"{words}, {where}", f"{where} {words}", f"{where}: {words}")
            )
        where = "".join(spots)
        return self.rng.choice(
            (f"{where}{words}", f"{where}有{words}", f"{where}放{words}", f"{words}在{where}", f"{where}是{words}")
        )

    def groups(self, things: tuple[Wanted, ...]) -> list[tuple[Wanted, int]]:
        """Things that are alike and stand anywhere are counted."""
        groups = list[tuple[Wanted, int]]()
        for one in things:
            if groups and groups[-1][0] == one and not one.column:
                groups[-1] = (one, groups[-1][1] + 1)
            else:
                groups.append((one, 1))
        return groups

    def things(self, wished: Wish, *, articled: bool = True, strange: int | None = None) -> list[str]:
        """The things, each in words; `strange` is the number of a group that the world does not have."""
        return [
            self.placed(one, self.thing(one, count=count, articled=articled, stranger=number == strange))
            for number, (one, count) in enumerate(self.groups(wished.things))
        ]

    def sign(self, word: str) -> str:
        """A sign in words."""
        shown = self.rng.choice((word, word.upper(), f'"{word}"', f'"{word.upper()}"', f"'{word}'"))
        if self.english:
            return self.rng.choice(
                (
                    "with a sign that says {}",
                    "and a sign saying {}",
                    "with a sign reading {}",
                    "sign: {}",
                    "with the word {}",
                    "a sign that reads {}",
                    "text {}",
                    "and it should say {} on a sign",
                )
            ).format(shown)
        return self.rng.choice(
            ("牌子上写着{}", "牌子写{}", "立个牌子写{}", "招牌{}", "加上文字{}", "写着{}的牌子", "标牌{}", "文字：{}")
        ).format(shown)
