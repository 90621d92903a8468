"""The toy model in numpy alone: its vocabulary, its weights, and its mathematics in float64 over whole sequences."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.generate.raster_loop import uniforms
from edgevlo.runtime.model import Model

LAYERS: Final = 2
HIDDEN: Final = 16
KV_HEADS: Final = 2
HEAD_DIM: Final = 8
COUNT: Final = 27  # codes: three levels a channel
CELL: Final = 4
MAX_POSITIONS: Final = 400

SPECIALS: Final = ("<unk>", "<bos>", "<eos>", "<image>", "<grid>", "<eol>", "<eoi>")
WORDS: Final = (
    *("a", "red", "blue", "green", "big", "car", "house", "tree", "ugly", "on", "the", "left", "where", "is", "it"),
    *("一", "辆", "红", "车", "find", "everything"),
)
SYMBOLS: Final = tuple("0123456789*.,;:?!-")
VOCABULARY: Final = {token: index for index, token in enumerate((*SPECIALS, *WORDS, *SYMBOLS))}
FIRST_TOKEN: Final = len(VOCABULARY)
TOKENS: Final = FIRST_TOKEN + COUNT


@dataclass(frozen=True, slots=True)
class Weights:
    """Every number of the model, in float32."""

    table: Floats  # (tokens, hidden)
    places: Floats  # (positions, hidden)
    layers: tuple[tuple[Floats, ...], ...]  # q, k, v, o for each layer
    image_head: Floats  # (hidden, codes)
    text_head: Floats  # (hidden, tokens)
    colours: Floats  # (codes, 3), in [-1, 1]


def make_weights() -> Weights:
    rng = np.random.default_rng(5)

    def normal(*shape: int, scale: float = 1.0) -> Floats:
        return rng.normal(0.0, scale, shape).astype(np.float32)

    square = (HIDDEN, HIDDEN)
    return Weights(
        table=normal(TOKENS, HIDDEN),
        places=normal(MAX_POSITIONS, HIDDEN, scale=0.5),
        layers=tuple(tuple(normal(*square, scale=0.6) for _ in range(4)) for _ in range(LAYERS)),
        image_head=normal(HIDDEN, COUNT, scale=1.5),
        text_head=normal(HIDDEN, TOKENS),
        colours=np.array([[r, g, b] for r in (-1, 0, 1) for g in (-1, 0, 1) for b in (-1, 0, 1)], dtype=np.float32),
    )


WEIGHTS: Final = make_weights()


class Reference:
    """The toy's backbone and head over a whole sequence at once, in float64."""

    def hidden(self, ids: Sequence[int]) -> Floats:
        """Return (tokens, hidden)."""
        x = WEIGHTS.table[list(ids)].astype(np.float64) + WEIGHTS.places[: len(ids)]
        future = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
        for matrices in WEIGHTS.layers:
            wq, wk, wv, wo = (matrix.astype(np.float64) for matrix in matrices)
            q, k, v = (
                (x @ w).reshape(len(ids), KV_HEADS, HEAD_DIM).transpose(1, 0, 2) for w in (wq, wk, wv)
            )  # (heads, tokens, head_dim)
            scores = q @ k.transpose(0, 2, 1) / np.sqrt(HEAD_DIM) + future
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            shares /= shares.sum(-1, keepdims=True)
            x = x + (shares @ v).transpose(1, 0, 2).reshape(len(ids), HIDDEN) @ wo
        return np.tanh(x)

    def image_logits(self, ids: Sequence[int]) -> Floats:
        """Return (codes,) after the last of `ids`."""
        logits: Floats = self.hidden(ids)[-1] @ WEIGHTS.image_head.astype(np.float64)
        return logits

    def text_logits(self, ids: Sequence[int]) -> Floats:
        """Return (tokens,) after the last of `ids`."""
        logits: Floats = self.hidden(ids)[-1] @ WEIGHTS.text_head.astype(np.float64)
        return logits


def draw(logits: Floats, temperature: float, top_k: int, top_p: float, uniform: float) -> int:
    """Draw as docs/bundle.md says, in float64."""
    if temperature == 0:
        return int(logits.argmax())
    if top_k:
        logits = np.where(logits < np.sort(logits)[-min(top_k, len(logits))], -np.inf, logits)
    shares = np.exp((logits - logits.max()) / temperature)
    if top_p < 1:
        falling = np.sort(shares)[::-1]
        needed = int((falling.cumsum() < top_p * shares.sum()).sum()) + 1
        shares = np.where(shares < falling[needed - 1], 0, shares)
    cumulative = np.cumsum(shares)
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


REFERENCE: Final = Reference()
EOL, EOI = VOCABULARY["<eol>"], VOCABULARY["<eoi>"]


def ids(words: str) -> list[int]:
    return [VOCABULARY[word] for word in words.split()]


def opener(rows: int, columns: int) -> list[int]:
    return ids(" ".join(["<image>", *str(rows), "*", *str(columns), "<grid>"]))


def shown(codes: Codes) -> list[int]:
    """Return the tokens of a picture in a prompt."""
    lines = [[*(FIRST_TOKEN + code for code in line), EOL] for line in codes.tolist()]
    return [*opener(*codes.shape), *itertools.chain.from_iterable(lines), EOI]


def reference_codes(
    branches: Sequence[tuple[float, Sequence[int]]],
    rows: int,
    columns: int,
    *,
    temperature: float = 1.0,
    top_k: int = 0,
    top_p: float = 1.0,
    seed: int = 0,
) -> list[list[int]]:
    """Paint with whole sequences in float64: weighted logits of the branches, one uniform a cell."""
    painted: list[int] = []
    codes: list[int] = []
    for uniform in uniforms(seed, rows * columns):
        logits = sum(weight * REFERENCE.image_logits([*prompt, *painted]) for weight, prompt in branches)
        assert isinstance(logits, np.ndarray)
        codes.append(draw(logits, temperature, top_k, top_p, uniform))
        painted += [FIRST_TOKEN + codes[-1]] + ([EOL] if len(codes) % columns == 0 else [])
    return np.array(codes).reshape(rows, columns).tolist()


def codes_of(model: Model, prompt: str, **options: Any) -> Codes:
    return list(model.paint_rows(prompt, **options))[-1].codes


def flat_picture(codes: npt.ArrayLike) -> Image.Image:
    """Return the picture that a grid of codes decodes to, made without the model."""
    colours = np.rint((WEIGHTS.colours[np.asarray(codes)] * 0.5 + 0.5) * 255).astype(np.uint8)
    return Image.fromarray(colours.repeat(CELL, axis=0).repeat(CELL, axis=1))
