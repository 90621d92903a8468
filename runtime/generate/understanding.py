"""What a request says, as the model reads it before it paints: words to paint from, and what it does not know.

The words of an answer to the ability `understand` are the model's own; only its marks are known here.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ..manifest.abilities import AbilityName
from ..manifest.schema import Manifest
from ..tokenizer.text_tokenizer import TextTokenizer
from .prompts import Features, Source
from .text import Answering

SHOWN: Final = 5  # unknown words that a note names


class PromptWarning(UserWarning):
    """The model does not know something that a request names: the words in `unknown`."""

    def __init__(self, message: str, unknown: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.unknown = tuple(unknown)


@dataclass(frozen=True, slots=True)
class Understood:
    """A request as typed, the words that are painted from, and its own words for what the model does not know."""

    request: str
    words: str
    unknown: tuple[str, ...] = ()

    @classmethod
    def read(cls, request: str, answer: str, unknown: str | None, tokenizer: TextTokenizer) -> "Understood":
        """Read an answer: words and, behind a mark `unknown` each, words of the request; no words: it itself."""
        words, *strange = answer.split(unknown) if unknown else [answer]
        named = dict.fromkeys(filter(None, (as_typed(word.strip(), request, tokenizer) for word in strange)))
        return cls(request, words.strip() or request, tuple(named))

    @property
    def note(self) -> str:
        """Name what is not known."""
        shown = ", ".join(repr(word) for word in self.unknown[:SHOWN])
        return shown + (f" and {len(self.unknown) - SHOWN} more" if len(self.unknown) > SHOWN else "")


class RequestReader:
    """Has requests to paint or edit read by the model, where its manifest has the ability `understand`.

    The latest one is remembered: the pictures of one request differ in their seeds alone.
    """

    def __init__(self, manifest: Manifest, answering: Answering, tokenizer: TextTokenizer) -> None:
        self._ability = manifest.abilities.get("understand")
        self._answering = answering
        self._tokenizer = tokenizer
        self._latest: tuple[bytes, Understood] | None = None

    def read(self, name: AbilityName, text: str, sources: Sequence[Source]) -> Understood:
        """Return what a request says; the request itself where the model does not read it."""
        ability = self._ability
        if ability is None or name not in ("paint", "edit"):
            return Understood(text, text)
        fewest, most = ability.images
        if not fewest <= len(sources) <= most:
            return Understood(text, text)
        asked = _digest(text, sources)
        latest = self._latest  # of any thread: read once
        if latest is None or latest[0] != asked:
            answer = self._answering.answer(ability, text, sources).text
            self._latest = latest = asked, Understood.read(text, answer, ability.unknown, self._tokenizer)
        return latest[1]


def _digest(text: str, sources: Sequence[Source]) -> bytes:
    """Return what tells a request from another: its words and everything that a prompt shows of its pictures."""
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass"))
    for source in sources:
        for array in (source.rows, source.codes) if isinstance(source, Features) else (source,):
            digest.update(b"\0" if array is None else f"\0{array.dtype}{array.shape}".encode() + array.tobytes())
    return digest.digest()


def as_typed(word: str, request: str, tokenizer: TextTokenizer) -> str:
    """Return a word as the request has it, in its capitals and characters; nothing if the request does not have it."""
    at = request.lower().find(word.lower())
    if at < 0:
        return tokenizer.find(word, request)
    same = len(request) == len(request.lower())  # else places in the one are not places in the other
    return request[at : at + len(word)] if same else tokenizer.find(word, request) or word
