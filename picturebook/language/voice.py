"""Who asks: a language, chance, and whether in words that training knows or in those kept for judging."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from .forms import REQUESTS
from .phrases import AFTER, BEFORE


@dataclass(frozen=True)
class Voice:
    """Who asks: chance, a language, and whether in the forms that are kept for judging."""

    rng: Random
    language: str
    held_out: bool = False

    def pick(self, request: str) -> str:
        """One of the forms of this voice's language."""
        if self.held_out:
            return self.rng.choice(REQUESTS[request].held_out[self.language])
        return self.rng.choice(self.rng.choice(REQUESTS[request].training[self.language]))

    def say(self, request: str, **words: str) -> str:
        """One of the forms with its gaps filled; what an empty gap leaves over is dropped."""
        said = " ".join(self.pick(request).format(**words).split())
        return said.replace(" ,", ",").replace(" ?", "?").strip()

    def wrapped(self, request: str) -> str:
        """Now and then the request with words around it that change nothing, capitals and a full stop."""
        english, rng = self.language == "en", self.rng
        if self.held_out:
            return request
        gap = " " if english else ""
        if rng.random() < 0.35:
            request = rng.choice(BEFORE[self.language]) + gap + request
        if rng.random() < 0.15:
            request = _followed(request, rng.choice(AFTER[self.language]), gap)
        if english and rng.random() < 0.15:
            request = request[0].upper() + request[1:]
        if rng.random() < 0.1 and request[-1] not in "?？":
            request += rng.choice((".", "!") if english else ("。", "！"))
        return request


def _followed(request: str, words: str, gap: str) -> str:
    """The request and words behind it; after a question, only such as a comma would part."""
    apart = words[0] in ",，"
    if request[-1] in "?？":
        return request + gap + words.lstrip(",， ") if apart else request
    return request + (words if apart else gap + words)
