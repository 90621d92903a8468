"""Looking for a picture in a log: as a whole in any size, then as a piece cut out of one in its own size.

A piece is encoded once for each place where its cells may begin, so a tokenizer of 16x16 pixels runs 256 times.
Knows no models: `encode` gives the codes of a picture whose sides are whole cells.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from PIL import Image

from ..arrays import Codes
from .log import Entry
from .similarity import Bits, Shares, shares, weights

Encode: TypeAlias = Callable[[Image.Image], Codes]
Shapes: TypeAlias = dict[tuple[int, ...], list[Entry]]

MATCH: Final = 0.8  # share of equal cells from which a picture is one of the log (benchmarks/results/fingerprints.json)
DISTINCT: Final = 8  # codes that a picture or piece must have; plainer ones are equal to too many
_SAME_RATIO: Final = 1.04  # of two pictures' proportions, as rounding to pixels changes them


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The entry most like a picture, or like what it is a `piece` of; `distinct` is how many codes were compared."""

    entry: Entry | None = None
    share: float = 0.0
    distinct: int = 0
    piece: bool = False

    @property
    def is_match(self) -> bool:
        """Whether the picture is this entry's."""
        return self.share >= MATCH and self.distinct >= DISTINCT

    def facts(self) -> dict[str, object]:
        """Return what was found, for programs."""
        numbers = {"share": round(self.share, 3), "distinct_codes": self.distinct, "piece": self.piece}
        if self.entry is None or not self.is_match:
            return {"match": None, "day": None, **numbers}
        return {"match": "painted" if self.entry.is_painted else "source", "day": self.entry.day, **numbers}

    def told(self) -> str:
        """Return what was found, in a line for people."""
        if self.entry is None:
            return "no picture in the log that it could be compared with"
        like = f"{self.share:.0%} of {self.distinct} distinct codes equal"
        if self.distinct < DISTINCT:
            return f"too plain to tell ({like})"
        if not self.is_match:
            return f"not in the log; the likest picture: {like}"
        what = "a piece of one that was" if self.piece else "one that was"
        return (
            f"{what} {'painted' if self.entry.is_painted else 'given to be edited'} here on {self.entry.day} ({like})"
        )


def search(picture: Image.Image, entries: Sequence[Entry], encode: Encode, bits_of: Bits, cell: int) -> Found:
    """Return the entry most like an RGB picture; of several equally like it the oldest.

    `bits_of` are the hashes of the codes, `cell` the pixels of a side of one.
    """
    by_shape: Shapes = defaultdict(list)
    for entry in entries:
        by_shape[entry.bits.shape].append(entry)
    whole = _best(_wholes(picture, by_shape, encode, bits_of, cell), Found())
    if whole.is_match:
        return whole
    pieces = _pieces(picture, by_shape, encode, bits_of, cell)
    return _best(pieces, whole)


def _best(found: Iterator[Found], best: Found) -> Found:
    """Return the likest; a match ends the search, and what is too plain does not count."""
    for one in found:
        if (one.distinct >= DISTINCT and (one.share > best.share or best.distinct < DISTINCT)) or best.entry is None:
            best = one
        if best.is_match:
            break
    return best


def _wholes(picture: Image.Image, by_shape: Shapes, encode: Encode, bits_of: Bits, cell: int) -> Iterator[Found]:
    for (rows, columns), entries in by_shape.items():
        ratio = picture.width * rows / (picture.height * columns)
        if 1 / _SAME_RATIO <= ratio <= _SAME_RATIO:
            codes = encode(picture.resize((columns * cell, rows * cell), Image.Resampling.LANCZOS))
            logged = np.stack([one.bits for one in entries])
            yield _likest(bits_of[codes], weights(codes), logged, entries, piece=False)


def _pieces(picture: Image.Image, by_shape: Shapes, encode: Encode, bits_of: Bits, cell: int) -> Iterator[Found]:
    larger = {
        shape: np.stack([one.bits for one in entries])
        for shape, entries in by_shape.items()
        if picture.height <= shape[0] * cell
        and picture.width <= shape[1] * cell
        and picture.size != (shape[1] * cell, shape[0] * cell)
    }
    for top, left in np.ndindex(cell, cell) if larger else ():
        rows, columns = (picture.height - top) // cell, (picture.width - left) // cell
        if rows * columns < DISTINCT:
            continue
        codes = encode(picture.crop((left, top, left + columns * cell, top + rows * cell)))
        bits, weight = bits_of[codes], weights(codes)
        for shape, logged in larger.items():
            for down, right in np.ndindex(shape[0] - rows + 1, shape[1] - columns + 1):
                window = logged[:, down : down + rows, right : right + columns]
                yield _likest(bits, weight, window, by_shape[shape], piece=True)


def _likest(bits: Bits, weight: Shares, logged: Bits, entries: Sequence[Entry], *, piece: bool) -> Found:
    found = shares(bits, weight, logged)
    best = int(np.argmax(found))
    return Found(entry=entries[best], share=float(found[best]), distinct=round(float(weight.sum())), piece=piece)
