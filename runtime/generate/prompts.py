"""Prompts: words and pictures in the order of the manifest's pieces, as token ids. Knows no graphs and no families."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from ..arguments import as_names
from ..arrays import Codes, Floats
from ..errors import ArgumentError, RequestError
from ..manifest.abilities import Ability
from ..manifest.prompts import ImageBlock, Piece
from ..manifest.schema import Manifest
from ..pictures.sizes import Shape
from ..tokenizer.text_tokenizer import TextTokenizer

MAX_PROMPT_CHARACTERS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Features:
    """A picture as embeddings, `rows` (tokens, hidden_size), which stand in a prompt as they are.

    Where a prompt shows `codes` too, they follow as a picture of their own.
    """

    rows: Floats
    codes: Codes | None = None


# A picture that a prompt shows: its code grid (rows, columns), or its features.
Source: TypeAlias = Codes | Features


def check_text(text: str, what: str) -> str:
    """Return the text stripped; raise `RequestError` if it is empty, too long or not Unicode."""
    if not isinstance(text, str):
        raise ArgumentError(f"the {what} is of type {type(text).__name__}; give text.")
    stripped = text.strip()
    if not stripped:
        raise RequestError(f"the {what} is empty; say what you want in a few words.")
    if len(stripped) > MAX_PROMPT_CHARACTERS:
        raise RequestError(
            f"the {what} has {len(stripped)} characters; at most {MAX_PROMPT_CHARACTERS} are read. Shorten it."
        )
    try:
        stripped.encode()
    except UnicodeEncodeError as error:
        raise RequestError(f"the {what} is not valid Unicode at character {error.start}; type it again.") from error
    return stripped


def request_text(ability: Ability, name: str, objects: Sequence[str]) -> str:
    """Return the words that the manifest has for an ability without free text, with the objects filled in."""
    request = ability.request
    if request is None:
        return ""
    listed = as_names("objects", objects)
    words = request.separator.join(check_text(word, "name of an object") for word in listed) or request.everything
    if "{objects}" in request.text and not words:
        raise RequestError(f"{name} of this model needs names of objects; name at least one.")
    return request.text.replace("{objects}", words)


def special_tokens(manifest: Manifest) -> set[str]:
    """Return every special token that a prompt or an answer of the model can need."""
    block, grid = manifest.image_block, manifest.grid
    pieces = [*block.open]
    for ability in manifest.abilities.values():
        pieces += ability.prompt
    for branch in manifest.guidance.branches:
        pieces += branch.prompt
    names = {piece.token for piece in pieces if piece.token is not None}
    for piece in block.open:
        if piece.tag is not None:
            low, high = grid.rows if piece.field == "rows" else grid.columns
            names |= {piece.tag.name(number) for number in range(low, high + 1) if number % grid.step == 0}
    if manifest.guidance.pad is not None:
        names.add(manifest.guidance.pad)
    return names.union(manifest.answer.stop, block.row_suffix, block.close)


class PromptWriter:
    """Fills the manifest's pieces with text, source pictures and a grid header."""

    def __init__(
        self, tokenizer: TextTokenizer, block: ImageBlock, first_token: int, *, cell: int = 1, pad: str | None = None
    ) -> None:
        self._tokenizer = tokenizer
        self._block = block
        self._first_token = first_token
        self._cell = cell
        self.row_suffix = tuple(tokenizer.special(name) for name in block.row_suffix)
        self._close = [tokenizer.special(name) for name in block.close]
        self._pad = None if pad is None else tokenizer.special(pad)
        self._separator = tokenizer.encode(block.separator) if block.separator else []

    def prompt(
        self,
        pieces: Iterable[Piece],
        text: str,
        sources: Sequence[Source],
        shape: Shape | None = None,
        *,
        pad_codes: bool = False,
    ) -> list[int]:
        """Return the ids of a prompt that shows `sources`, with pads in the place of their codes for `pad_codes`.

        -1 - i stands for row i of `stacked(sources)`; `shape` is the grid that will be painted.
        """
        images: list[int] = []
        features = 0
        for place, source in enumerate(sources):
            images += self._separator if place else []
            if isinstance(source, Features):
                rows = range(features, features + len(source.rows))
                images += [*self.opener(None), *(-1 - row for row in rows), *self._close]
                features = rows.stop
                images += [] if source.codes is None else self._image(source.codes, pad_codes=pad_codes)
            else:
                images += self._image(source, pad_codes=pad_codes)
        return self._fill(pieces, text, images, shape)

    def opener(self, shape: Shape | None) -> list[int]:
        """Return the ids that announce an image of this grid; None where the manifest's opener names none."""
        return self._fill(self._block.open, "", [], shape)

    def picture(self, codes: Codes) -> list[int]:
        """Return the ids of a picture, opener and closer included."""
        return self._image(codes, pad_codes=False)

    def pad_middle(self, prompt: Sequence[int]) -> list[int]:
        """Return the prompt with every token but the first and the last replaced by pads."""
        return [prompt[0], *self._pads(len(prompt) - 2), prompt[-1]] if len(prompt) > 2 else list(prompt)

    def _pads(self, count: int) -> list[int]:
        if self._pad is None:
            raise AssertionError("a manifest with a branch that pads names its pad")
        return [self._pad] * count

    def _image(self, codes: Codes, *, pad_codes: bool) -> list[int]:
        rows, columns = codes.shape
        ids = self.opener(Shape(rows, columns))
        for row, line in enumerate(codes.tolist(), start=1):
            ids += self._pads(columns) if pad_codes else [self._first_token + code for code in line]
            if row < rows or self._block.suffix_last_row:
                ids += self.row_suffix
        return ids + self._close

    def _fill(self, pieces: Iterable[Piece], text: str, images: list[int], shape: Shape | None) -> list[int]:
        """Concatenate pieces; neighbouring text is encoded in one go, as the reference tokenizes it."""
        ids: list[int] = []
        run = ""
        for piece in pieces:
            if piece.text is not None:
                run += piece.text
            elif piece.field == "text":
                run += text
            elif shape is not None and piece.tag is None and (number := self._number(piece, shape)) is not None:
                run += str(number)
            else:
                ids += self._tokenizer.encode(run) if run else []
                run = ""
                ids += images if piece.field == "images" else self._special(piece, shape)
        return ids + (self._tokenizer.encode(run) if run else [])

    def _number(self, piece: Piece, shape: Shape) -> int | None:
        """Return the number that a field stands for; None for another piece."""
        numbers = {"rows": shape.rows, "columns": shape.columns}
        numbers |= {"height": shape.rows * self._cell, "width": shape.columns * self._cell}
        return None if piece.field is None else numbers.get(piece.field)

    def _special(self, piece: Piece, shape: Shape | None) -> list[int]:
        """Return the special token of a piece, in a list; empty for a size without a shape."""
        if piece.token is not None:
            return [self._tokenizer.special(piece.token)]
        number = None if shape is None else self._number(piece, shape)
        return [] if piece.tag is None or number is None else [self._tokenizer.special(piece.tag.name(number))]


def shown_codes(source: Source) -> Codes | None:
    """Return the code grid of a picture that a prompt shows; None where it is shown as features alone."""
    return source.codes if isinstance(source, Features) else source


def stacked(sources: Sequence[Source]) -> Floats | None:
    """Return the features of all pictures in order, (features, hidden_size); None if there are none."""
    rows = [source.rows for source in sources if isinstance(source, Features)]
    return np.concatenate(rows) if rows else None
