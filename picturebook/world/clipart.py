"""Clip art as sketches: the SVG drawings of `clipart.json` (Fluent Emoji Flat), each of their colours a label.

Only `make_atlas.py` draws them, with resvg; the tiles that come of it are in the atlas.
"""

from __future__ import annotations

import io
import json
from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from edgevlo.runtime.arrays import Doubles

from .atlas import FOLDER
from .scene import DRAWINGS
from .sketch import SCALE, Sketch

FEET, TOP, WIDEST = 29.4, 1.9, 29.4  # px, where a drawing stands, how high and wide it may be
SOLID = 96  # of 255; what is fainter is left out
TURNED, RAISED = {"bat": 40}, {"bat": 7.5}  # degrees, px; else a quarter of its square would be empty
FEWEST = 0.6  # px in all; a colour with less is drawn in the nearest of the others


@cache
def _bodies() -> dict[str, str]:
    bodies: dict[str, str] = json.loads((FOLDER / "clipart.json").read_text(encoding="utf-8"))["bodies"]
    return bodies


def _drawn(body: str, transform: str = "") -> NDArray[np.uint8]:
    """Red, green, blue and alpha at eight times the resolution of 32x32, without anti-aliasing."""
    import resvg_py

    size = 32 * SCALE
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><g transform="{transform}">{body}</g></svg>'
    png = resvg_py.svg_to_bytes(
        svg_string=svg, width=size, height=size, skip_system_fonts=True, shape_rendering="crisp_edges"
    )
    with Image.open(io.BytesIO(bytes(png))) as image:
        return np.asarray(image.convert("RGBA"))


def _standing(body: str, raised: float) -> str:
    """The transform that puts a drawing's feet on the ground, centred, as large as fits."""
    solid = _drawn(body, "translate(4 4) scale(0.75)")[..., 3] >= SOLID  # room for what reaches over the border
    rows, columns = np.flatnonzero(solid.any(axis=1)), np.flatnonzero(solid.any(axis=0))
    top, bottom, left, right = (
        (value / SCALE - 4) / 0.75 for value in (rows[0], rows[-1] + 1, columns[0], columns[-1] + 1)
    )
    scale = min((FEET - TOP) / (bottom - top), WIDEST / (right - left))
    return f"translate({16 - scale * (left + right) / 2} {FEET - raised - scale * bottom}) scale({scale})"


def _colours(picture: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.intp]]:
    """The colours of a drawing's solid pixels, (colours, 3), and which of them each pixel has, (pixels,)."""
    found, which, counts = np.unique(picture, axis=0, return_inverse=True, return_counts=True)
    kept = np.flatnonzero(counts >= min(FEWEST * SCALE**2, counts.max()))
    distance = ((found[:, None].astype(int) - found[kept].astype(int)) ** 2).sum(axis=-1)
    return found[kept], distance.argmin(axis=1)[which.reshape(-1)]


def draw(sketch: Sketch, kind: str) -> None:
    """A clip art on its shadow, in a sketch of 32x32; every label but the shadow is a colour, `#rrggbb`."""
    body = f'<g transform="rotate({TURNED.get(kind, 0)} 16 16)">{_bodies()[DRAWINGS[kind]]}</g>'
    raised = RAISED.get(kind, 0.0)
    picture = _drawn(body, _standing(body, raised))
    solid = picture[..., 3] >= SOLID
    # glass and wings let white through
    alpha = picture[solid][:, 3:] / 255.0
    colours, which = _colours(np.rint(picture[solid][:, :3] * alpha + 255 * (1 - alpha)).astype(np.uint8))
    lowest = round((FEET - raised) * SCALE)
    feet = np.flatnonzero(solid[lowest - round(3.5 * SCALE) : lowest].any(axis=0)) / SCALE
    sketch.ellipse("shadow", (feet[0] + feet[-1]) / 2, FEET, min((feet[-1] - feet[0]) / 2 + 2, 14.6), 1.9)
    labels = np.full(solid.shape, -1)
    labels[solid] = which
    for number, (red, green, blue) in enumerate(colours):
        sketch.mask(f"#{red:02x}{green:02x}{blue:02x}", labels == number)


def label_colours(sketch: Sketch) -> dict[str, Doubles]:
    """The colours that a sketch's labels name."""
    return {
        name: np.array([int(name[at : at + 2], 16) for at in (1, 3, 5)], float)
        for name in sketch.labels
        if name.startswith("#")
    }
