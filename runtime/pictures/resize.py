"""The size in which a picture is read. Knows the manifest's rules, not graphs."""

import math
from typing import Final

from PIL import Image

from ..manifest.pictures import Cover, FitPadSquare, Preprocess
from .limits import MAX_DECODED
from .sizes import GridRule, Shape, keeps_ratio

_RESAMPLING: Final = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}
_REACH: Final = 4  # pixels that a filter looks at to either side, one more than Lanczos does
_MAX_SCALED: Final = 16_000_000  # pixels of a picture that is scaled before it is cropped


def fitted(image: Image.Image, rule: Preprocess, grid: GridRule) -> Image.Image:
    """Return the picture in a size the model reads: its own, or one of its proportions, cropped where there is none."""
    if rule.fit_pad_square is not None:
        return fit_pad_square(image, rule.fit_pad_square, rule)
    size = _size(*image.size, rule, grid)
    if image.size == size or (rule.cover is None and _within_a_cell(image.size, size, grid)):
        return resize(image, size, rule)
    return cover(image, size, rule.cover or Cover(), rule)


def is_cropped(before: tuple[int, int], after: tuple[int, int], rule: Preprocess, grid: GridRule) -> bool:
    """Whether `fitted` cuts off more than a pixel of a picture, (width, height) each."""
    if rule.fit_pad_square is not None or (rule.cover is None and _within_a_cell(before, after, grid)):
        return False
    return cut_off(before, after)


def _within_a_cell(before: tuple[int, int], after: tuple[int, int], grid: GridRule) -> bool:
    """Whether scaling to a size changes the ratio by no more than the rounding to cells does."""
    shape = Shape(after[1] // grid.cell, after[0] // grid.cell)
    return keeps_ratio(shape, before[0] / before[1], grid.grid.step)


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


def resize(image: Image.Image, size: tuple[int, int], preprocess: Preprocess) -> Image.Image:
    """Return the picture in `size` (width, height), the same one if it has it."""
    return image if image.size == size else image.resize(size, _RESAMPLING[preprocess.resample])


def fit_pad_square(image: Image.Image, rule: FitPadSquare, preprocess: Preprocess) -> Image.Image:
    """Return the whole picture in the middle of a square of `rule.side` pixels; the rest has the rule's colour.

    The side is worked out as the references do, which differ by a pixel at some sizes: transformers rounds the side
    times a factor, deepseek-ai/Janus truncates the ratio times `rule.side`.
    """
    longest = max(image.size)

    def scaled(length: int) -> int:
        if rule.rounding == "round":
            return max(round(length * (rule.side / longest)), rule.min_side)
        return max(int(length / longest * rule.side), rule.min_side)

    if rule.pad_first:
        while longest**2 * 4 > MAX_DECODED:  # a square around a strip is far larger than the strip
            image = image.reduce(2)
            longest = max(image.size)
        square = Image.new("RGB", (longest, longest), rule.color)
        square.paste(image, ((longest - image.width) // 2, (longest - image.height) // 2))
        return resize(square, (rule.side, rule.side), preprocess)
    width, height = map(scaled, image.size)
    square = Image.new("RGB", (rule.side, rule.side), rule.color)
    square.paste(resize(image, (width, height), preprocess), ((rule.side - width) // 2, (rule.side - height) // 2))
    return square


def cover(image: Image.Image, size: tuple[int, int], rule: Cover, preprocess: Preprocess) -> Image.Image:
    """Return the middle of the picture in `size` (width, height), scaled so that nothing of the size stays empty."""
    while rule.halve and all(side >= rule.halve * wanted for side, wanted in zip(image.size, size, strict=True)):
        image = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    factor = max(size[0] / image.width, size[1] / image.height)
    width, height = (_covering(side, wanted, factor, rule) for side, wanted in zip(image.size, size, strict=True))
    left, top = (width - size[0]) // 2, (height - size[1]) // 2
    if width * height <= _MAX_SCALED:
        return resize(image, (width, height), preprocess).crop((left, top, left + size[0], top + size[1]))
    return _middle_first(image, (left, top), (image.width / width, image.height / height), size, preprocess)


def _middle_first(
    image: Image.Image, cut: tuple[int, int], scale: tuple[float, float], size: tuple[int, int], preprocess: Preprocess
) -> Image.Image:
    """Crop a strip before it is scaled: scaled, it would be larger than memory.

    Around what is kept some pixels stay, which the filters look at. Pillow takes the box in float32, so that a level
    may be off by one, which is why no other picture goes this way.
    """
    start = [offset * factor for offset, factor in zip(cut, scale, strict=True)]
    end = [at + wanted * factor for at, wanted, factor in zip(start, size, scale, strict=True)]
    low = [max(0, math.floor(at - _REACH * max(1, factor))) for at, factor in zip(start, scale, strict=True)]
    high = [
        min(side, math.ceil(at + _REACH * max(1, factor)))
        for side, at, factor in zip(image.size, end, scale, strict=True)
    ]
    box = (start[0] - low[0], start[1] - low[1], end[0] - low[0], end[1] - low[1])
    near = image.crop((low[0], low[1], high[0], high[1]))
    return near.resize(size, _RESAMPLING[preprocess.resample], box=box)


def _covering(side: int, wanted: int, factor: float, rule: Cover) -> int:
    """Return a side after scaling; the product is off by rounding errors, which truncation would make a pixel."""
    scaled = side * factor
    return max(wanted, round(scaled) if rule.rounding == "round" else int(scaled + 1e-6))


def cut_off(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a picture that covers a size loses more than a pixel of it, (width, height) each."""
    factor = max(after[0] / before[0], after[1] / before[1])
    return any(was * factor >= now + 1 for was, now in zip(before, after, strict=True))
