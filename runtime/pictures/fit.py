"""The size in which a picture is read. Knows the manifest's rules, not graphs."""

from PIL import Image

from ..manifest.pictures import Preprocess
from .load import cover, fit_pad_square, resize
from .sizes import GridRule, Shape


def fitted(image: Image.Image, rule: Preprocess, grid: GridRule) -> Image.Image:
    """Return the picture in a size the model reads: its own, or one of about its proportions."""
    if rule.fit_pad_square is not None:
        return fit_pad_square(image, rule.fit_pad_square, rule)
    size = _size(*image.size, rule, grid)
    if rule.cover is None or image.size == size:
        return resize(image, size, rule)
    return cover(image, size, rule.cover, rule)


def _size(width: int, height: int, rule: Preprocess, grid: GridRule) -> tuple[int, int]:
    """Return width and height in which a picture of this size is read."""
    if rule.cover is not None and rule.cover.full:
        return grid.size(grid.fullest(width, height))
    cell = grid.cell
    fits = width % cell == 0 and height % cell == 0 and grid.allows(Shape(height // cell, width // cell))
    if fits and rule.min_pixels <= width * height <= rule.max_pixels:
        return width, height
    if rule.smart_resize and grid.allows(shape := grid.rounded(width, height, (rule.min_pixels, rule.max_pixels))):
        return grid.size(shape)
    area = min(max(width * height, rule.min_pixels), rule.max_pixels)
    factor = (area / (width * height)) ** 0.5
    return grid.size(grid.nearest(width * factor, height * factor))
