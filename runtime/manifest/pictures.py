"""The manifest's pictures: codes and grids, how one is read and decoded, and which ones the model knows."""

from typing import Annotated, Literal

from msgspec import Meta

from .values import Area, Channel, Count, Finite, Index, Record, Side, Words


class Codes(Record, frozen=True, kw_only=True):
    """The image codes: how many, the token of code 0 (the others follow), and the side of a cell in pixels.

    Codes with a table of their own (`code_embedding`) are numbered after the last token of the vocabulary.
    """

    count: Annotated[int, Meta(ge=2, le=2**24)]
    first_token: Index
    cell: Annotated[int, Meta(ge=1, le=256)]


class Grid(Record, frozen=True, kw_only=True):
    """Which grids the model paints; all bounds inclusive, in cells. `max_ratio` bounds long side over short side.

    Rows and columns are multiples of `step`. A `fixed` grid is the only one that the model paints: every bound is that
    of `default`.
    """

    kind: Literal["free", "fixed"] = "free"
    rows: tuple[Side, Side]
    columns: tuple[Side, Side]
    cells: tuple[Count, Count]
    default: tuple[Side, Side]  # rows, columns
    max_ratio: Annotated[float, Meta(ge=1, le=1000)] = 1000.0
    step: Side = 1


class FitPadSquare(Record, frozen=True, kw_only=True):
    """The longest side becomes `side`, the other keeps the ratio but has `min_side` at least; the rest is `color`.

    `rounding` is that of the shorter side; the picture stands in the middle, one pixel up or left if it cannot. With
    `pad_first` the square is made around the picture as it is and scaled then.
    """

    side: Annotated[int, Meta(ge=1, le=4096)]
    min_side: Side = 1
    color: tuple[Channel, Channel, Channel]
    rounding: Literal["round", "truncate"] = "round"
    pad_first: bool = False


class Cover(Record, frozen=True, kw_only=True):
    """A picture is scaled until it covers the size, its ratio kept, and what stands out on both sides is cut off.

    `rounding` is that of the side that stands out. A picture `halve` times as large as the size both ways is halved by
    averaging until it no longer is; 0 never does. With `full` the size is the one nearest in ratio of those that a row
    and a column more would make larger than any.
    """

    rounding: Literal["round", "truncate"] = "round"
    halve: Annotated[int, Meta(ge=0, le=64)] = 0
    full: bool = False


class Preprocess(Record, frozen=True, kw_only=True):
    """From 8-bit RGB to `pixel_values`: a size, then `(x / 255 - mean) / std`.

    Pictures of an allowed grid within the limits are read as they are, others in the nearest grid, stretched or, with
    `cover`, cropped; with `fit_pad_square` all become the same square, whose pixels both limits are. With
    `smart_resize` the grid of another picture is that of its sides rounded to cells; beyond a limit, of its sides
    scaled to the limit, rounded down to stay below the upper one and up to stay above the lower one.
    """

    min_pixels: Area
    max_pixels: Area
    mean: tuple[Finite, Finite, Finite] = (0.5, 0.5, 0.5)
    std: tuple[
        Annotated[float, Meta(gt=0, le=1e6)], Annotated[float, Meta(gt=0, le=1e6)], Annotated[float, Meta(gt=0, le=1e6)]
    ] = (0.5, 0.5, 0.5)
    resample: Literal["bicubic", "lanczos", "bilinear", "nearest"] = "bicubic"
    fit_pad_square: FitPadSquare | None = None
    cover: Cover | None = None
    smart_resize: bool = False


class Postprocess(Record, frozen=True, kw_only=True):
    """From the decoder's output to 8-bit RGB: `(y * scale + offset) * 255`, clipped, then truncated or rounded."""

    scale: Finite = 0.5
    offset: Finite = 0.5
    rounding: Literal["truncate", "round"] = "truncate"


class Domain(Record, frozen=True, kw_only=True):
    """The only pictures that a narrow image tokenizer holds: decoding their codes gives them back.

    A cell of another picture that comes back further away than `tolerance`, the root mean square over its pixels and
    channels in levels from 0 to 255, is outside. `name` is what the pictures are called, `cells` what codes
    stand for in them, `see` where to read more.
    """

    name: Words
    cells: Words = "cells"
    tolerance: Annotated[float, Meta(ge=0, le=255)]
    see: Words | None = None
