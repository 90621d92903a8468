"""What a request says, as the model reads it before it paints: words to paint from, and what it does not know.

Knows no models: an answer to the ability `understand` is read here, whatever its words are.
"""

from dataclasses import dataclass
from typing import Final

SHOWN: Final = 5  # unknown words that a note names


class PromptWarning(UserWarning):
    """The model does not know something that a request names."""


@dataclass(frozen=True, slots=True)
class Understood:
    """A request as typed, the words that are painted from, and its own words for what the model does not know."""

    request: str
    words: str
    unknown: tuple[str, ...] = ()

    @classmethod
    def read(cls, request: str, answer: str, unknown: str | None) -> "Understood":
        """Read an answer: words and, behind a mark `unknown` each, words of the request; no words: it itself."""
        words, *strange = answer.split(unknown) if unknown else [answer]
        named = dict.fromkeys(filter(None, (as_typed(word.strip(), request) for word in strange)))
        return cls(request, words.strip() or request, tuple(named))

    @property
    def note(self) -> str:
        """Name what is not known."""
        shown = ", ".join(repr(word) for word in self.unknown[:SHOWN])
        return shown + (f" and {len(self.unknown) - SHOWN} more" if len(self.unknown) > SHOWN else "")


def as_typed(word: str, request: str) -> str:
    """Return the word in the capitals that it has in the request; nothing if the request does not have it."""
    at = request.lower().find(word.lower())
    if at < 0:
        return ""
    return request[at : at + len(word)] if len(request) == len(request.lower()) else word
