"""Pictures of every mode become 8-bit RGB, band by band, so that no second copy of a large one is made."""

from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt
from PIL import Image

from ..errors import PictureError
from .formats.contents import OF_16_BITS, UNSIGNED_32_BITS

Box: TypeAlias = tuple[int, int, int, int]

_BAND: Final = 1 << 20  # pixels
_LAID_ON_WHITE: Final = "is transparent in places, which are laid on white"
_CONVERTIBLE: Final = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"}
_UPRIGHT: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def to_rgb(
    image: Image.Image, name: str, bits: int, *, is_negative: bool = False
) -> tuple[Image.Image, tuple[str, ...]]:
    """Return the picture in RGB, the same one if it is, and what was changed that can be seen.

    `bits` is how many the largest number has where they are more than 8; `is_negative`, whether 0 is white then.
    """
    if image.mode.startswith("I"):
        return _from_integers(image, bits, is_negative=is_negative)
    if image.mode not in _CONVERTIBLE:
        raise PictureError(f"{name} holds pixels of mode {image.mode}; save it as PNG or JPEG first.")
    if image.mode == "RGB" and not image.has_transparency_data:
        return image, ()
    result, seen_through = Image.new("RGB", image.size), False
    transparent = image.has_transparency_data
    for box in _bands(image.size):
        band = image.crop(box)
        if transparent:
            band = band.convert("RGBA")
            seen_through |= band.getchannel("A").getextrema() != (255, 255)
            band = Image.alpha_composite(Image.new("RGBA", band.size, "white"), band)
        result.paste(band.convert("RGB"), box)
    return result, (_LAID_ON_WHITE,) * seen_through


def upright(image: Image.Image, orientation: int) -> Image.Image:
    """Return the picture as EXIF says it stands."""
    method = _UPRIGHT.get(orientation)
    return image if method is None else image.transpose(method)


def _bands(size: tuple[int, int]) -> list[Box]:
    width, height = size
    rows = max(1, _BAND // width)
    return [(0, top, width, min(top + rows, height)) for top in range(0, height, rows)]


def _from_integers(image: Image.Image, bits: int, *, is_negative: bool) -> tuple[Image.Image, tuple[str, ...]]:
    """Scale integers to 8 bits: the upper ones of 16, or of as many as the largest number of 32 bits takes.

    Pictures of 32-bit integers do not say how large white is: here 255, 65535 or the largest number there is.
    """
    said = "has 16 bits a channel, of which the upper 8 are used"
    if bits > OF_16_BITS:
        largest = max(int(_numbers(image, box, bits).max()) for box in _bands(image.size))
        said = "has 32 bits a channel, of which the upper 8 are used"
        if largest < 1 << OF_16_BITS:
            bits = 8 if largest < 1 << 8 else OF_16_BITS
            said = f"has 32 bits a channel, of which the numbers take {bits}"
    result, hidden, seen_through = Image.new("RGB", image.size), image.info.get("transparency"), False
    for box in _bands(image.size):
        numbers = _numbers(image, box, bits)
        levels = np.clip(numbers >> (bits - 8), 0, 255).astype(np.uint8)
        if is_negative:
            levels = 255 - levels
        if isinstance(hidden, int):  # the one grey of a PNG that is transparent
            seen_through |= bool((numbers == hidden).any())
            levels[numbers == hidden] = 255
        result.paste(Image.fromarray(levels).convert("RGB"), box)
    return result, (said, *(_LAID_ON_WHITE,) * seen_through)


def _numbers(image: Image.Image, box: Box, bits: int) -> npt.NDArray[np.int64]:
    """Return a band's numbers; Pillow has those of unsigned 32 bits as signed ones."""
    numbers = np.asarray(image.crop(box)).astype(np.int64)
    return numbers & 0xFFFFFFFF if bits == UNSIGNED_32_BITS else numbers
