"""From picture files to arrays and back. Knows Pillow and the manifest's numbers, not models.

What had to be changed to use a picture is said in one line, as a `PictureWarning`.
"""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from ..arrays import Pixels
from ..errors import PictureError
from ..manifest.pictures import Cover, FitPadSquare, Postprocess, Preprocess

MAX_SIDE: Final = 32_768
MAX_PIXELS: Final = 64_000_000
_RESAMPLING: Final = {
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
}


# No others: Pillow would run Ghostscript for an EPS file.
_FORMATS: Final = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")
_NO_PICTURE: Final = "{} is not a picture that can be read (PNG, JPEG and WebP are). Choose another."
_CONVERTIBLE: Final = {"1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"}


class PictureWarning(UserWarning):
    """A picture was used, but not exactly as it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A picture as upright 8-bit RGB, what to call it, and what was changed: "is animated, ...", a verb first."""

    image: Image.Image
    name: str
    changes: tuple[str, ...] = ()


def load_picture(source: str | Path | Image.Image) -> Loaded:
    """Open a picture; raise `PictureError` when it is none or too large.

    Transparency is laid on white, CMYK, grey and 16-bit pictures are converted, EXIF rotation is applied, and of an
    animation the first frame is used; `changes` tells those that are seen.
    """
    name = "the picture" if isinstance(source, Image.Image) else str(source)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow's, on odd metadata; what it cannot read it raises
            if isinstance(source, Image.Image):
                return _to_rgb(source, name)
            with Image.open(source, formats=_FORMATS) as image:
                _check_size(image.size, name)
                animated = getattr(image, "n_frames", 1) > 1
                if animated:
                    image.seek(0)
                image.load()
                return _to_rgb(image, name, ("is animated, so its first frame is used",) if animated else ())
    except (PictureError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise PictureError(
            f"{name} has far more than the {MAX_PIXELS // 10**6} megapixels that are read. Scale it first."
        ) from error
    except OSError as error:
        if isinstance(error, UnidentifiedImageError):
            raise PictureError(_NO_PICTURE.format(name)) from error
        reason = error.strerror or "it is damaged or cut off"
        raise PictureError(f"{name} cannot be read: {reason}. Choose another picture.") from error
    except Exception as error:  # on damaged files Pillow raises errors of every kind
        raise PictureError(_NO_PICTURE.format(name)) from error


def _check_size(size: tuple[int, int], name: str) -> None:
    width, height = size
    if min(size) < 1 or max(size) > MAX_SIDE or width * height > MAX_PIXELS:
        raise PictureError(
            f"{name} is {width}x{height} pixels; sides from 1 to {MAX_SIDE} and up to {MAX_PIXELS // 10**6} megapixels "
            "are read. Scale it first."
        )


def _to_rgb(image: Image.Image, name: str, changes: tuple[str, ...] = ()) -> Loaded:
    _check_size(image.size, name)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):  # 16 bits a pixel, whatever the container calls it
        levels = np.clip(np.asarray(image).astype(np.int64) >> 8, 0, 255).astype(np.uint8)
        image = Image.fromarray(levels)
        changes += ("has 16 bits a channel, of which the upper 8 are used",)
    if image.mode not in _CONVERTIBLE:
        raise PictureError(f"{name} holds pixels of mode {image.mode}; save it as PNG or JPEG first.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        if image.getchannel("A").getextrema() != (255, 255):
            changes += ("is transparent in places, which are laid on white",)
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return Loaded(image=image.convert("RGB"), name=name, changes=changes)


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
    return resize(image, (width, height), preprocess).crop((left, top, left + size[0], top + size[1]))


def _covering(side: int, wanted: int, factor: float, rule: Cover) -> int:
    """Return a side after scaling; the product is off by rounding errors, which truncation would make a pixel."""
    scaled = side * factor
    return max(wanted, round(scaled) if rule.rounding == "round" else int(scaled + 1e-6))


def cut_off(before: tuple[int, int], after: tuple[int, int]) -> bool:
    """Whether a picture that covers a size loses more than a pixel of it, (width, height) each."""
    factor = max(after[0] / before[0], after[1] / before[1])
    return any(was * factor >= now + 1 for was, now in zip(before, after, strict=True))


def resized(before: tuple[int, int], after: tuple[int, int]) -> str:
    """Return what is to be said of a picture that was resized, (width, height) each."""
    was, now = ("x".join(map(str, size)) for size in (before, after))
    return f"was resized from {was} to {now}, a size that this model reads"


def warn_of_changes(name: str, changes: Sequence[str]) -> None:
    """Warn of all that was changed in a picture in one line, if anything was."""
    if changes:
        warnings.warn(f"{name} {'; '.join(changes)}", PictureWarning, stacklevel=1)


def to_pixel_values(image: Image.Image, preprocess: Preprocess) -> Pixels:
    """Return `pixel_values` (1, 3, height, width), `(x / 255 - mean) / std`."""
    pixels = np.asarray(image, dtype=np.float32) / np.float32(255)
    normal = (pixels - np.array(preprocess.mean, dtype=np.float32)) / np.array(preprocess.std, dtype=np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])


def from_pixels(pixels: Pixels, postprocess: Postprocess) -> Image.Image:
    """Return the picture of a decoder's output (1, 3, height, width)."""
    levels = np.clip((pixels[0] * postprocess.scale + postprocess.offset) * 255, 0, 255)
    if postprocess.rounding == "round":
        levels = np.rint(levels)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)).astype(np.uint8))
