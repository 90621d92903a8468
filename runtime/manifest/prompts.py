"""The manifest's prompts: the pieces that a sequence is written from, and how an image stands in it."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta

from .values import Index, Record, ShortText, Side

Field: TypeAlias = Literal["text", "images", "rows", "columns", "width", "height"]


class Tag(Record, frozen=True, kw_only=True):
    """A number as a special token: `prefix`, then `offset + number / unit` in so many `digits`, then `suffix`."""

    prefix: ShortText
    suffix: ShortText = ""
    digits: Annotated[int, Meta(ge=1, le=9)] = 1
    offset: Index = 0
    unit: Side = 1

    def name(self, number: int) -> str:
        """Return the name of the token that stands for a number."""
        return f"{self.prefix}{self.offset + number // self.unit:0{self.digits}d}{self.suffix}"


class Piece(Record, frozen=True, kw_only=True):
    """A piece of a prompt: exactly one of a special token by name, literal text, or a field to fill in.

    `rows` and `columns` count cells, `width` and `height` pixels; they are written as decimal text, or as a `tag`.
    """

    token: ShortText | None = None
    text: ShortText | None = None
    field: Field | None = None
    tag: Tag | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.token, self.text, self.field)) != 1:
            raise ValueError("a piece is exactly one of token, text and field")
        if self.tag is not None and self.field not in ("rows", "columns"):
            raise ValueError("only the fields rows and columns have a tag")


Pieces: TypeAlias = Annotated[tuple[Piece, ...], Meta(max_length=256)]


class ImageBlock(Record, frozen=True, kw_only=True):
    """How an image stands in the sequence, read or painted: opener, rows each ended by the suffix, closer.

    A picture that is read shows its `codes`, row by row, or what `vision_encoder` makes of it: embeddings that need no
    rows. `separator` is the text between two pictures that are read.
    """

    open: Pieces
    row_suffix: Annotated[tuple[ShortText, ...], Meta(max_length=64)] = ()
    suffix_last_row: bool = True
    close: Annotated[tuple[ShortText, ...], Meta(max_length=64)] = ()
    features: Literal["codes", "vision_encoder"] = "codes"
    separator: ShortText = ""
