"""From a picture to what an encoder takes, and from what a decoder gives to a picture."""

import numpy as np
from PIL import Image

from ..arrays import Pixels
from ..manifest.pictures import Postprocess, Preprocess


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
