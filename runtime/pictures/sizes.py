"""Which sizes a model paints, and the allowed size nearest to any other. Knows pixels and cells, not pictures."""

import math
import re
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..arguments import is_whole, shown
from ..errors import RequestError
from ..manifest.pictures import Grid

Size: TypeAlias = tuple[int, int] | str

_SIZE: Final = re.compile(r"^(\d{1,6})[xX×](\d{1,6})$")
_LONGEST: Final = 10**9  # pixels; longer sides are all as far from what is painted
_RATIO: Final = re.compile(r"^(\d{1,4}):(\d{1,4})$")


@dataclass(frozen=True, slots=True)
class Shape:
    """A grid of cells."""

    rows: int
    columns: int

    @property
    def cells(self) -> int:
        """How many codes fill the grid."""
        return self.rows * self.columns


@dataclass(frozen=True, slots=True, kw_only=True)
class GridRule:
    """The manifest's grid and the side of a cell in pixels."""

    grid: Grid
    cell: int

    @property
    def default(self) -> Shape:
        """The grid that is painted when no size is given."""
        return Shape(*self.grid.default)

    def allows(self, shape: Shape) -> bool:
        """Whether the model paints this grid."""
        if not self.grid.rows[0] <= shape.rows <= self.grid.rows[1]:
            return False
        low, high = self._columns(shape.rows)
        return low <= shape.columns <= high and shape.columns % self.grid.step == 0

    def nearest(self, width: float, height: float) -> Shape:
        """Return the allowed grid nearest to `width` x `height`, by the factors that both sides would be scaled by.

        Factors, not differences: 512x512 is nearer to the largest square than to a larger oblong.
        """
        rows, columns = max(height / self.cell, 1e-3), max(width / self.cell, 1e-3)
        best, best_distance, step = self.default, math.inf, self.grid.step
        below, above = math.floor(columns / step) * step, math.ceil(columns / step) * step
        for candidate in range(self.grid.rows[0], self.grid.rows[1] + 1):
            low, high = self._columns(candidate)
            if low > high:
                continue
            for across in (min(max(below, low), high), min(max(above, low), high)):
                distance = math.hypot(math.log(candidate / rows), math.log(across / columns))
                if distance < best_distance:
                    best, best_distance = Shape(candidate, across), distance
        return best

    def rounded(self, width: int, height: int, pixels: tuple[int, int]) -> Shape:
        """Return the grid of both sides rounded to cells, kept between the fewest and the most `pixels`.

        The arithmetic is that of Qwen2-VL's and Emu3's image processors (`smart_resize`); the grid may not be allowed.
        """
        rows, columns, cell = round(height / self.cell), round(width / self.cell), self.cell
        low, high = pixels
        if rows * columns * cell * cell > high:
            factor = math.sqrt(height * width / high)
            return Shape(max(1, math.floor(height / factor / cell)), max(1, math.floor(width / factor / cell)))
        if rows * columns * cell * cell < low:
            factor = math.sqrt(low / (height * width))
            return Shape(math.ceil(height * factor / cell), math.ceil(width * factor / cell))
        return Shape(rows, columns)

    def fullest(self, width: int, height: int) -> Shape:
        """Return the allowed grid whose ratio is nearest to `width` by `height`, of those that leave no room.

        No room is left where one step more in both directions would exceed every grid; of two equally near the wider.
        """
        step, most = self.grid.step, self.grid.cells[1]
        best = (0.0, self.default.columns, self.default.rows)
        for rows in range(step, self.grid.rows[1] + 1, step):
            low, high = self._columns(rows)
            low = max(low, (most // (rows + step) - step) // step * step + step)  # the fewest that leave no room
            ideal = rows * width / height
            for near in (math.floor(ideal / step) * step, math.ceil(ideal / step) * step):
                columns = min(max(near, low), high)
                if columns >= low and self.allows(Shape(rows, columns)):
                    ratios = columns / width, rows / height
                    best = max(best, (min(ratios) / max(ratios), columns, rows))
        return Shape(best[2], best[1])

    def _columns(self, rows: int) -> tuple[int, int]:
        """Return the fewest and the most columns that go with so many rows; none where the first is larger."""
        grid = self.grid
        if rows % grid.step:
            return 1, 0
        low = max(grid.columns[0], math.ceil(grid.cells[0] / rows), math.ceil(rows / grid.max_ratio - 1e-9))
        high = min(grid.columns[1], grid.cells[1] // rows, math.floor(rows * grid.max_ratio + 1e-9))
        return -(-low // grid.step) * grid.step, high // grid.step * grid.step

    def size(self, shape: Shape) -> tuple[int, int]:
        """Return width and height in pixels."""
        return shape.columns * self.cell, shape.rows * self.cell

    def shape(self, size: tuple[int, int]) -> Shape:
        """Return the grid of exactly `(width, height)` pixels; raise `RequestError` naming the nearest allowed size."""
        width, height = size
        shape = Shape(height // self.cell, width // self.cell)
        if width % self.cell or height % self.cell or not self.allows(shape):
            near = self.size(self.nearest(*(min(side, _LONGEST) for side in size)))
            asked = f"{shown(width)}x{shown(height)}"
            if self.grid.kind == "fixed":
                raise RequestError(f"size {asked} is not what this model paints: {near[0]}x{near[1]} only.")
            raise RequestError(
                f"size {asked} is not one that this model paints; the nearest is {near[0]}x{near[1]} "
                f"(sides are multiples of {self.cell * self.grid.step} pixels)."
            )
        return shape


def read_size(size: Size, rule: GridRule) -> tuple[int, int]:
    """Return `(width, height)` in pixels of a size given as two numbers, as `WIDTHxHEIGHT`, or as a ratio `W:H`."""
    if isinstance(size, str):
        return parse_size(size, rule)
    if isinstance(size, tuple | list) and len(size) == 2 and all(map(is_whole, size)):
        return int(size[0]), int(size[1])
    raise RequestError(
        f"size {shown(size)} is not a pair of whole numbers: give (width, height) in pixels, or '128x128'."
    )


def keeps_ratio(shape: Shape, ratio: float, step: int = 1) -> bool:
    """Whether a grid has a ratio of width to height, up to one cell, or one step where a model paints in steps."""
    return abs(shape.columns - shape.rows * ratio) <= step or abs(shape.rows - shape.columns / ratio) <= step


def parse_size(text: str, rule: GridRule) -> tuple[int, int]:
    """Return `(width, height)` of a size in text; a ratio is the allowed size nearest to it in the default area."""
    if match := _SIZE.match(text):
        return int(match[1]), int(match[2])
    if (match := _RATIO.match(text)) and int(match[1]) and int(match[2]):
        ratio = int(match[1]) / int(match[2])
        side = math.sqrt(rule.default.cells) * rule.cell
        shape = rule.nearest(side * math.sqrt(ratio), side / math.sqrt(ratio))
        if not keeps_ratio(shape, ratio, rule.grid.step):
            width, height = rule.size(shape)
            raise RequestError(
                f"this model paints no picture of the ratio {text}; the nearest is {width}x{height}. Choose another."
            )
        return rule.size(shape)
    raise RequestError(f"size {text[:40]!r} is neither WIDTHxHEIGHT in pixels, like 128x128, nor a ratio, like 16:9.")


def tokens_fed(rows: int, columns: int, suffix: int) -> int:
    """Return how many tokens a backbone reads while painting: all but the last cell and what follows it."""
    return rows * columns - 1 + (rows - 1) * suffix
