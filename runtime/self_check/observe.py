"""What a bundle computes on this device: its graphs run the way that painting and answering run them. Judges nothing.

Draws go through the buffers, captured graphs and heads that users' requests go through; only what is fed is fixed. The
logits are computed beside them, from the same hidden states.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

import numpy as np
from PIL import Image

from ..arrays import Array, Codes, Floats, Logits
from ..engine import Engine, Painter
from ..manifest.graphs import GraphRole
from ..manifest.guidance import Sampling
from ..manifest.interfaces import takes_top_p
from ..manifest.schema import Manifest
from ..pictures.codes_to_pixels import from_pixels
from ..pictures.pixel_values import to_pixel_values

Feed: TypeAlias = Callable[[int, int], tuple[int, ...] | None]  # draw and choice -> the tokens to read; None ends

_FEW: Final = (2, 4)  # rows and columns
_GREEDY: Final = Sampling(temperature=0.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Prompts, one a guidance branch with its weight, and the head that draws after them; `more` tokens follow."""

    head: Literal["image_head", "text_head"]
    prompts: tuple[tuple[int, ...], ...]
    weights: tuple[float, ...]
    more: int


@dataclass(slots=True)
class Seen:
    """What was computed at each draw: the likeliest code or token, (rows, hidden_size), and all logits."""

    chosen: list[int] = field(default_factory=list)
    hidden: list[Floats] = field(default_factory=list)
    logits: list[Logits] = field(default_factory=list)


def walk(engine: Engine, manifest: Manifest, asked: Asked, feed: Feed) -> Seen:
    """Read the prompts, then draw and read what `feed` gives for each draw until it ends."""
    seen = Seen()
    with engine.painter(asked.prompts, asked.more) as painter:
        weights = np.array(asked.weights, dtype=np.float32)
        if asked.head == "image_head":
            painter.head.set(weights, _GREEDY)
        while True:
            hidden = np.array(painter.backbone.last_hidden, dtype=np.float32)
            logits = _logits(engine, manifest, asked.head, hidden, weights)
            seen.hidden.append(hidden)
            seen.logits.append(logits)
            seen.chosen.append(_choice(engine, painter, asked.head, logits))
            tokens = feed(len(seen.chosen) - 1, seen.chosen[-1])
            if tokens is None:
                return seen
            painter.backbone.step(tokens)


def _logits(engine: Engine, manifest: Manifest, head: GraphRole, hidden: Floats, weights: Floats) -> Logits:
    feeds: dict[str, Array] = {"hidden": hidden}
    if head == "image_head":
        feeds = {
            "hidden": hidden[np.newaxis],
            "weights": weights,
            "temperature": np.zeros((), dtype=np.float32),
            "top_k": np.zeros(1, dtype=np.int64),
            "uniform": np.zeros(1, dtype=np.float32),
        }
        if takes_top_p(manifest):
            feeds["top_p"] = np.ones(1, dtype=np.float32)
    (logits,) = engine.compute(head, ["logits"], feeds)
    return np.array(logits[0], dtype=np.float32)


def _choice(engine: Engine, painter: Painter, head: GraphRole, logits: Logits) -> int:
    """Return what is drawn; -1 where it would be drawn from numbers that are none."""
    if head == "image_head":
        return painter.head.draw(0.0)
    return engine.text_choice(painter.backbone)() if np.isfinite(logits).all() else -1


def decoded(engine: Engine, manifest: Manifest, codes: Codes, stride: int) -> Array:
    """Return every `stride`-th pixel (height, width, 3) of a code grid's picture, in levels, or NaN if one has none."""
    (found,) = engine.compute("image_decoder", ["pixels"], {"codes": codes[np.newaxis].astype(np.int64)})
    pixels = np.asarray(found, dtype=np.float32)
    if not np.isfinite(pixels).all():
        return np.full((*pixels.shape[2:], 3), np.nan)[::stride, ::stride]
    return np.asarray(from_pixels(pixels, manifest.postprocess))[::stride, ::stride]


def read_codes(engine: Engine, manifest: Manifest) -> Codes:
    """Return the codes (cells,) of the test card in a small size that the tokenizer reads."""
    shape, cell = small_grid(manifest, (manifest.grid.rows[0], manifest.grid.columns[0])), manifest.codes.cell
    card = test_card(shape[1] * cell, shape[0] * cell, cell)
    feeds = {"pixel_values": to_pixel_values(card, manifest.preprocess)}
    (codes,) = engine.compute("image_tokenizer", ["codes"], feeds)
    return np.asarray(codes).ravel()


def features(engine: Engine, manifest: Manifest) -> Floats | None:
    """Return the features of the test card, all in one vector; None for an encoder without a square of its own."""
    square = manifest.preprocess.fit_pad_square
    if square is None:
        return None
    card = test_card(square.side, square.side, max(1, square.side // 8))
    feeds = {"pixel_values": to_pixel_values(card, manifest.preprocess)}
    (found,) = engine.compute("vision_encoder", ["features"], feeds)
    return np.asarray(found, dtype=np.float32).ravel()


def small_grid(manifest: Manifest, least: tuple[int, int]) -> tuple[int, int]:
    """Return rows and columns of a grid of at least `least`, and of a few cells where the model has larger ones."""
    (rows, columns), most = least, (manifest.grid.rows[1], manifest.grid.columns[1])
    return min(max(rows, _FEW[0]), most[0]), min(max(columns, _FEW[1]), most[1])


def test_card(width: int, height: int, cell: int) -> Image.Image:
    """Return a picture made of integers alone: red grows to the right, green downwards, blue is a chessboard."""
    down, right = np.mgrid[0:height, 0:width]
    levels = np.stack([right * 255 // width, down * 255 // height, (right // cell + down // cell) % 2 * 200], axis=-1)
    return Image.fromarray(levels.astype(np.uint8))
