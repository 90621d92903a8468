"""Who asks: a language, chance, and whether in words that training knows or in those kept for judging."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .phrases import AFTER, BEFORE, HELD_OUT, Forms


@dataclass(frozen=True)
class Voice:
    """Who asks: chance, a language, and whether in the forms that are kept for judging."""

    rng: Random
    language: str
    held_out: bool = False

    def pick(self, forms: Forms) -> str:
        """One of the forms of this voice's language."""
        listed = forms[self.language]
        return self.rng.choice(listed[-HELD_OUT:] if self.held_out else listed[:-HELD_OUT])

    def say(self, forms: Forms, **words: str) -> str:
        """One of the forms with its gaps filled."""
        return self.pick(forms).format(**words).replace(" ,", ",").strip()

    def wrapped(self, request: str) -> str:
        """Now and then the request with words around it that change nothing, capitals and a full stop."""
        english, rng = self.language == "en", self.rng
        if self.held_out:
            return request
        gap = " " if english else ""
        if rng.random() < 0.25:
            request = rng.choice(BEFORE[self.language]) + gap + request
        if rng.random() < 0.1:
            request += gap + rng.choice(AFTER[self.language])
        if english and rng.random() < 0.15:
            request = request[0].upper() + request[1:]
        return request + rng.choice((".", "!")) if english and request[-1] != "?" and rng.random() < 0.1 else request
