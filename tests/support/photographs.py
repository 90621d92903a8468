"""Pictures as cameras make them, which no drawn world holds."""

from functools import cache

import numpy as np
from PIL import Image

RESIZED = "was resized from 500x333 to 48x32, a size that this model reads"


def photograph(width: int = 500, height: int = 333) -> Image.Image:
    """Return a picture as cameras make them: colours that run into each other, and noise."""
    return _photograph(width, height).copy()


@cache
def _photograph(width: int, height: int) -> Image.Image:
    rows, columns = np.mgrid[:height, :width]
    bands = [120 + 80 * np.sin(columns / 40), 100 + 60 * np.cos((rows + columns) / 60), 90 + 100 * rows / height]
    noisy = np.stack(bands, axis=-1) + np.random.default_rng(0).normal(0, 30, (height, width, 3))
    return Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8))


def soft_noise(width: int, height: int, seed: int) -> Image.Image:
    """Return noise that resizing does not grey out."""
    noise = np.random.default_rng(seed).integers(0, 256, (6, 6, 3), dtype=np.uint8)
    return Image.fromarray(noise).resize((width, height), Image.Resampling.BICUBIC)
