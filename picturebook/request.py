"""A request: all the sentence forms that ask for one thing, those of the training and those kept for judging."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain

Words = dict[str, tuple[str, ...]]  # what is meant -> names for it
Forms = dict[str, tuple[str, ...]]  # language -> forms with gaps, `make {name} {word}`


def expanded(form: str) -> tuple[str, ...]:
    """`[make|paint] it` stands for `make it` and `paint it`; spaces left over are dropped."""
    start, bracket, rest = form.partition("[")
    if not bracket:
        return (" ".join(form.split()),)
    inside, _, end = rest.partition("]")
    return tuple(dict.fromkeys(chain.from_iterable(expanded(start + one + end) for one in inside.split("|"))))


def patterns(text: str) -> tuple[tuple[str, ...], ...]:
    """The forms of each pattern of a text; patterns stand on lines or between ` / `, and a form counts once."""
    found, seen = list[tuple[str, ...]](), set[str]()
    for line in text.splitlines():
        for pattern in filter(None, map(str.strip, line.split(" / "))):
            new = tuple(form for form in expanded(pattern) if form not in seen)
            seen.update(new)
            found += [new] if new else []
    return tuple(found)


@dataclass(frozen=True)
class Request:
    """Training forms by language, grouped in patterns that are drawn equally often, and the judge's forms."""

    training: dict[str, tuple[tuple[str, ...], ...]]
    held_out: Forms

    def forms(self, language: str) -> tuple[str, ...]:
        """Every training form."""
        return tuple(chain.from_iterable(self.training[language]))


def request(held_out: Forms, *, en: str, zh: str) -> Request:
    """A request from the text of its training patterns."""
    return Request({"en": patterns(en), "zh": patterns(zh)}, held_out)
