"""The text tokenizer: text to token ids, and back. Knows no prompts."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unicodedata import combining

from tokenizers import Tokenizer

from ..arguments import wrong_type
from ..errors import BundleError, remedy


class TextTokenizer:
    """The bundle's text tokenizer. What a user types is always text, even where it spells a special token."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with self._one_line("is not a tokenizer"):
            self._tokenizer = Tokenizer.from_file(str(path))
        self._tokenizer.encode_special_tokens = True
        self._tokenizer.no_truncation()  # a file may ask for either; a prompt is what was typed, all of it
        self._tokenizer.no_padding()

    def special(self, name: str) -> int:
        """Return the id of a special token; raise `BundleError` if the tokenizer lacks it."""
        token: int | None = self._tokenizer.token_to_id(name)
        if token is None:
            raise BundleError(
                f"{self._path} lacks the token {name!r} that the manifest names. Export the bundle again."
            )
        return token

    def specials(self, names: Iterable[str]) -> set[int]:
        """Return the ids of special tokens."""
        return {self.special(name) for name in names}

    def encode(self, text: str) -> list[int]:
        """Return the ids of plain text, nothing added."""
        if not isinstance(text, str):
            raise wrong_type("text", text, "text")
        with self._one_line("cannot split these words"):
            ids: list[int] = self._tokenizer.encode(text, add_special_tokens=False).ids
        return ids

    def decode(self, ids: Sequence[int]) -> str:
        """Return the text of ids, special tokens left out."""
        with self._one_line("cannot join the answer's tokens"):
            text: str = self._tokenizer.decode(list(ids), skip_special_tokens=True)
        return text.strip()

    def find(self, words: str, text: str) -> str:
        """Return the first part of a text that is the same tokens as these words, as it is written; "" if none is."""
        sought = self.encode(words)
        with self._one_line("cannot split these words"):
            whole = self._tokenizer.encode(text, add_special_tokens=False)
        for begin in range(len(whole.ids) - len(sought) + 1 if sought else 0):
            end = begin + len(sought)
            if whole.ids[begin:end] == sought:
                before = whole.offsets[begin - 1][1] if begin else 0  # a space that was put in covers more than it is
                after = whole.offsets[end - 1][1]
                while combining(text[after : after + 1] or " "):  # an accent that was joined to its letter
                    after += 1
                if found := text[max(before, whole.offsets[begin][0]) : after].strip():
                    return found  # and not half of a character that became two
        return ""

    @contextmanager
    def _one_line(self, what: str) -> Iterator[None]:
        """Turn what the tokenizers library raises, panics of its Rust code among it, into a `BundleError`."""
        try:
            yield
        except BaseException as error:  # a panic is no Exception
            if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
                raise
            reason = " ".join(str(error).split())[:200]
            advice = remedy(error, "Export or download the bundle again")
            raise BundleError(f"{self._path} {what} ({reason}). {advice}") from error
