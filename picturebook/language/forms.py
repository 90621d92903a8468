"""Requests: how people ask for one thing, in the sentence forms of training and in those kept for judging.

The forms stand in `forms/SUBJECT.LANGUAGE.txt`, in sections `== request`, one pattern a line; training draws none
of `language/forms/held_out.LANGUAGE.txt`. A form has gaps: `make {name} {word}`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from .words import LANGUAGES

Forms = dict[str, tuple[str, ...]]  # language -> forms

FOLDER = Path(__file__).parent / "forms"
SUBJECTS = ("edits", "scene", "questions", "descriptions", "perception")


def sections(name: str, language: str) -> Forms:
    """The lines of each section of a file."""
    _, *parts = (FOLDER / f"{name}.{language}.txt").read_text(encoding="utf-8").split("== ")
    return {lines[0]: tuple(lines[1:]) for part in parts if (lines := list(filter(None, part.splitlines())))}


def both(name: str, section: str) -> Forms:
    """A section of the files of all languages."""
    return {language: sections(name, language)[section] for language in LANGUAGES}


def expanded(form: str) -> tuple[str, ...]:
    """`[make|paint] it` stands for `make it` and `paint it`; spaces left over are dropped."""
    start, bracket, rest = form.partition("[")
    if not bracket:
        return (" ".join(form.split()),)
    inside, _, end = rest.partition("]")
    return tuple(dict.fromkeys(chain.from_iterable(expanded(start + one + end) for one in inside.split("|"))))


def unfolded(patterns: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The forms of each pattern; a form counts once."""
    found, seen = list[tuple[str, ...]](), set[str]()
    for pattern in patterns:
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


def _read() -> dict[str, Request]:
    held_out = {language: sections("held_out", language) for language in LANGUAGES}
    trained = {
        language: {name: lines for subject in SUBJECTS for name, lines in sections(subject, language).items()}
        for language in LANGUAGES
    }
    return {
        name: Request(
            {language: unfolded(trained[language][name]) for language in LANGUAGES},
            {language: held_out[language][name] for language in LANGUAGES},
        )
        for name in trained["en"]
    }


REQUESTS = _read()
