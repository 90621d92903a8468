"""A picture becomes `pixel_values`: the normalised numbers that an image tokenizer or a vision encoder reads."""

import numpy as np
from PIL import Image

from ..arrays import Pixels
from ..manifest.pictures import Preprocess


def to_pixel_values(image: Image.Image, preprocess: Preprocess) -> Pixels:
    """Return `pixel_values` (1, 3, height, width), `(x / 255 - mean) / std`."""
    pixels = np.asarray(image, dtype=np.float32) / np.float32(255)
    normal = (pixels - np.array(preprocess.mean, dtype=np.float32)) / np.array(preprocess.std, dtype=np.float32)
    return np.ascontiguousarray(normal.transpose(2, 0, 1)[np.newaxis])
