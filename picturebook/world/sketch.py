"""Drawing with labels instead of colours: one sketch gives the flat picture, the line drawing, the map and the edges.

A sketch is a map of small numbers at eight times the resolution. Every tile is a sum of few masks (each label's share
of each pixel) times colours, which is what lets a small linear tokenizer hold all of them.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from edgevlo.runtime.arrays import Doubles

Point = tuple[float, float]
SCALE = 8  # subpixels per pixel, each way
GROUND = "ground"


class Sketch:
    """A label map being drawn, in pixels; what is drawn later covers what was drawn before."""

    def __init__(self, width: int, height: int) -> None:
        self.width, self.height = width, height
        self.labels: list[str] = [GROUND]
        self.map = Image.new("L", (width * SCALE, height * SCALE), 0)
        self._draw = ImageDraw.Draw(self.map)

    def _number(self, label: str) -> int:
        if label not in self.labels:
            self.labels.append(label)
        return self.labels.index(label)

    def ellipse(self, label: str, x: float, y: float, rx: float, ry: float | None = None) -> None:
        """Centre and radii."""
        ry = rx if ry is None else ry
        box = [(x - rx) * SCALE, (y - ry) * SCALE, (x + rx) * SCALE - 1, (y + ry) * SCALE - 1]
        self._draw.ellipse(box, fill=self._number(label))

    def polygon(self, label: str, *points: Point) -> None:
        """Corners in order."""
        self._draw.polygon([(x * SCALE, y * SCALE) for x, y in points], fill=self._number(label))

    def box(self, label: str, x0: float, y0: float, x1: float, y1: float, radius: float = 0.0) -> None:
        """A rectangle, round at the corners."""
        corners = [x0 * SCALE, y0 * SCALE, x1 * SCALE - 1, y1 * SCALE - 1]
        self._draw.rounded_rectangle(corners, radius * SCALE, fill=self._number(label))

    def line(self, label: str, width: float, *points: Point) -> None:
        """A stroke with round joints."""
        path = [(x * SCALE, y * SCALE) for x, y in points]
        self._draw.line(path, fill=self._number(label), width=round(width * SCALE), joint="curve")

    def letter(self, label: str, character: str, x: float, y: float, size: float) -> None:
        """A character of Pillow's own font, centred."""
        font = ImageFont.load_default(size=size * SCALE)
        self._draw.text((x * SCALE, y * SCALE), character, font=font, fill=self._number(label), anchor="mm")

    def mask(self, label: str, where: NDArray[np.bool_]) -> None:
        """Whatever is true, at the sketch's own resolution."""
        labels = np.array(self.map)
        labels[where] = self._number(label)
        self._replace(labels)

    def wobbled(self, reach: float) -> Sketch:
        """A copy as a hand draws it: moved by up to so many pixels, the same way in every tile."""
        y, x = np.mgrid[: self.height * SCALE, : self.width * SCALE]
        wave = 2 * np.pi / (16 * SCALE)
        # no move across the border of two tiles: they must join
        dx = reach * SCALE * np.sin(wave * x) * np.cos(2 * wave * y + 1)
        dy = reach * SCALE * np.sin(wave * y) * np.cos(3 * wave * x + 2)
        copy = Sketch(self.width, self.height)
        copy.labels = list(self.labels)
        copy._replace(
            np.asarray(self.map)[np.rint(y + dy).astype(int) % len(y), np.rint(x + dx).astype(int) % x.shape[1]]
        )
        return copy

    def _replace(self, labels: NDArray[np.uint8]) -> None:
        self.map = Image.fromarray(labels)
        self._draw = ImageDraw.Draw(self.map)

    def outlined(self, width: float, label: str = "outline", shadow: str = "shadow") -> None:
        """Put an outline around everything but ground and shadow."""
        solid = self._solid(shadow)
        grown = np.asarray(Image.fromarray(solid).filter(ImageFilter.MaxFilter(2 * round(width * SCALE / 2) + 1))) > 0
        grown = (
            np.asarray(Image.fromarray(grown.astype(np.uint8) * 255).filter(ImageFilter.GaussianBlur(SCALE / 4))) > 127
        )
        labels = np.array(self.map)
        labels[grown & (solid == 0)] = self._number(label)
        self._replace(labels)

    def _solid(self, shadow: str) -> NDArray[np.uint8]:
        labels = np.asarray(self.map)
        hidden = [self.labels.index(name) for name in (GROUND, shadow) if name in self.labels]
        return np.where(np.isin(labels, hidden), 0, 255).astype(np.uint8)

    def shares(self) -> dict[str, Doubles]:
        """Each label's share of every pixel, (height, width); they add up to one."""
        labels = np.asarray(self.map)
        return {name: _shrunk((labels == number).astype(np.float64)) for number, name in enumerate(self.labels)}

    def silhouette(self, block: int) -> NDArray[np.bool_]:
        """Blocks of so many pixels each way that anything mostly covers, (height / block, width / block)."""
        return np.asarray(_shrunk(self._solid("shadow") / 255.0, SCALE * block) > 0.5)

    def lines(self, width: float, ignore: tuple[str, ...] = ("shadow",)) -> Doubles:
        """Share of every pixel near a border of two labels, (height, width); `ignore` counts as ground."""
        labels = np.array(self.map)
        for name in ignore:
            if name in self.labels:
                labels[labels == self.labels.index(name)] = 0
        image = Image.fromarray(labels)
        size = 2 * round(width * SCALE / 2) + 1
        low, high = image.filter(ImageFilter.MinFilter(size)), image.filter(ImageFilter.MaxFilter(size))
        return _shrunk((np.asarray(low) != np.asarray(high)).astype(np.float64))

    def coloured(self, colours: Mapping[str, Doubles]) -> Doubles:
        """The picture, (height, width, 3): each label in its colour, a single one or one per pixel."""
        picture = np.zeros((self.height, self.width, 3))
        for name, share in self.shares().items():
            picture += share[..., None] * colours[name]
        return picture


def _shrunk(mask: Doubles, by: int = SCALE) -> Doubles:
    height, width = mask.shape
    return np.asarray(mask.reshape(height // by, by, width // by, by).mean(axis=(1, 3)))
