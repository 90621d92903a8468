"""How a style turns a sketch and its flat colours into a picture.

Textures repeat every tile and are added to whole pictures, whatever they show: so tiles join, and the tokenizer's
basis needs one dimension for each.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache

import numpy as np

from edgevlo.runtime.arrays import Doubles

from .atlas import CELL
from .palette import retro
from .sketch import Sketch

Colours = Mapping[str, Doubles]  # of each label: (3,), or an array that broadcasts to (height, width, 3)
PAPER = np.array([253.0, 250.0, 241.0])  # watercolour's
BLOCK = 2  # px, of the pixel style
LOUD = {"outline": 2.2, "dark": 1.5, "drop": 4.0, "flake": 4.0, "star": 6.0, "window": 1.6, "foam": 1.6}  # their votes
LEVEL = 24.0  # levels between two colours of the pixel style


def varnished(colour: Doubles) -> Doubles:
    """A colour under old varnish: darker, warmer, richer in contrast."""
    grey = (colour @ np.array([0.3, 0.59, 0.11]))[..., None]
    rich = np.clip(grey + 0.94 * (colour - grey), 0, 255) / 255
    return np.asarray(255 * (rich**1.35 * np.array([0.9, 0.84, 0.67]) + np.array([0.06, 0.04, 0.02])))


@cache
def _strokes(seed: int, steps: int, across: tuple[int, int], wide: float) -> Doubles:
    """Noise smeared along a direction, (16, 16), that joins itself on every side; spread 1."""
    noise = np.random.default_rng(seed).standard_normal((CELL, CELL))
    smeared = sum(np.roll(noise, (across[0] * step // 2, across[1] * step // 2), axis=(0, 1)) for step in range(steps))
    frequency = np.fft.fftfreq(CELL)
    low = np.exp(-(frequency[:, None] ** 2 + frequency**2) * wide)
    soft = np.fft.ifft2(np.fft.fft2(np.asarray(smeared)) * low).real
    return np.asarray((soft - soft.mean()) / soft.std())


def _tiled(texture: Doubles, sketch: Sketch) -> Doubles:
    return np.tile(texture, (sketch.height // CELL, sketch.width // CELL))[..., None]


def _oil(sketch: Sketch, colours: Colours) -> Doubles:
    """Brush strokes."""
    painted = sketch.wobbled(0.35).coloured(colours)
    strokes = 5.0 * _strokes(3, 7, (1, 2), 10.0) + 4.0 * _strokes(5, 6, (-1, 2), 10.0)
    return np.asarray(painted + _tiled(strokes, sketch) * np.array([1.0, 0.95, 0.8]))


def _blurred(picture: Doubles, radius: float) -> Doubles:
    weights = np.exp(-(np.arange(-2, 3) ** 2) / (2 * radius**2))
    for axis in (0, 1):
        padded = np.pad(picture, [(2, 2) if axis == one else (0, 0) for one in range(3)], mode="edge")
        size = picture.shape[axis]
        picture = sum(
            weight * padded.take(range(step, step + size), axis) for step, weight in enumerate(weights / weights.sum())
        )
    return picture


def washed(colour: Doubles) -> Doubles:
    """A thin wash of a colour on paper."""
    return np.asarray(PAPER - (PAPER - colour) * 0.78)


def _watercolour(sketch: Sketch, colours: Colours) -> Doubles:
    """Soft edges on rough paper; pigment gathers where a wash ends."""
    wobbly = sketch.wobbled(0.35)
    picture = _blurred(wobbly.coloured(colours), 0.6)
    rims = wobbly.lines(0.8, ("shadow",))[..., None]
    grain = _tiled(_strokes(11, 1, (0, 0), 4.0), sketch)
    pools = _tiled(_strokes(8, 1, (0, 0), 60.0), sketch) * np.array([1.0, 0.9, 0.6])
    return np.asarray(picture * (1 - 0.16 * rims) + 1.8 * grain + 3.0 * pools)


def _blocks(values: Doubles) -> Doubles:
    """Means of 2x2 pixels, (height, width, ...) -> half of each."""
    height, width, *more = values.shape
    return np.asarray(values.reshape(height // BLOCK, BLOCK, width // BLOCK, BLOCK, *more).mean(axis=(1, 3)))


def few(colour: Doubles) -> Doubles:
    """The nearest colour of few."""
    return np.clip(np.rint(colour / LEVEL) * LEVEL, 0, 255)


def _pixel(sketch: Sketch, colours: Colours) -> Doubles:
    """Blocks of 2x2 pixels, each of one label."""
    shares = {name: _blocks(share) for name, share in sketch.shares().items()}
    # thin dark lines would be outvoted everywhere
    votes = np.stack([share * LOUD.get(name, 1.0) for name, share in shares.items()])
    size = (sketch.height, sketch.width, 3)
    choices = np.stack([np.broadcast_to(colours[name], size)[::BLOCK, ::BLOCK] for name in shares])
    chosen = np.take_along_axis(choices, votes.argmax(axis=0)[None, ..., None], axis=0)[0]
    return np.asarray(chosen.repeat(BLOCK, axis=0).repeat(BLOCK, axis=1))


Tone = Callable[[Doubles], Doubles]
Hand = Callable[[Sketch, Colours], Doubles]
# what each style makes of a colour, and how it draws
STYLE: dict[str, tuple[Tone, Hand]] = {
    "flat": (np.asarray, Sketch.coloured),
    "retro": (retro, Sketch.coloured),
    "oil": (varnished, _oil),
    "watercolour": (washed, _watercolour),
    "pixel": (few, _pixel),
}


def painted(style: str, sketch: Sketch, colours: Colours, as_they_are: Colours) -> Doubles:
    """The picture in a style, (height, width, 3); the second colours are the style's own already."""
    tone, draw = STYLE[style]
    return draw(sketch, {name: tone(colour) for name, colour in colours.items()} | dict(as_they_are))
