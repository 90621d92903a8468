"""Image codes become a picture: their grid is checked, the image decoder runs, its numbers become colours."""

import numpy as np
from PIL import Image

from ..arrays import Codes, Pixels
from ..bundle import Bundle
from ..errors import RequestError
from ..graphs.failures import check_finite, one_line
from ..graphs.protocols import Runner
from ..manifest.pictures import Postprocess
from ..manifest.schema import Manifest

_MAX_SIDE = 4096


def check_codes(codes: Codes, manifest: Manifest) -> None:
    """Raise `RequestError` unless `codes` is a grid [rows, columns] of the model's codes that it has room for."""
    if not isinstance(codes, np.ndarray) or codes.ndim != 2 or not codes.size or codes.dtype.kind not in "iu":
        given = f"{codes.dtype}{list(codes.shape)}" if isinstance(codes, np.ndarray) else type(codes).__name__
        raise RequestError(f"codes are a grid of whole numbers, [rows, columns]; this is {given}.")
    if codes.min() < 0 or codes.max() >= manifest.codes.count:
        raise RequestError(
            f"codes run from 0 to {manifest.codes.count - 1}; these run from {codes.min()} to {codes.max()}."
        )
    if max(codes.shape) > _MAX_SIDE or codes.size > manifest.backbone.max_positions:
        raise RequestError(f"a grid of {codes.shape[0]}x{codes.shape[1]} codes is larger than this model paints.")


def decode(codes: Codes, decoder: Runner, bundle: Bundle) -> Pixels:
    """Return the decoder's output (1, 3, height, width) for a code grid (rows, columns)."""
    feeds = {"codes": codes[np.newaxis].astype(np.int64)}
    with one_line(bundle, "image_decoder"):
        (pixels,) = decoder.run(["pixels"], feeds)
    check_finite(pixels, bundle, "image_decoder")
    return np.asarray(pixels, dtype=np.float32)


def from_pixels(pixels: Pixels, postprocess: Postprocess) -> Image.Image:
    """Return the picture of a decoder's output (1, 3, height, width)."""
    levels = np.clip((pixels[0] * postprocess.scale + postprocess.offset) * 255, 0, 255)
    if postprocess.rounding == "round":
        levels = np.rint(levels)
    return Image.fromarray(np.ascontiguousarray(levels.transpose(1, 2, 0)).astype(np.uint8))
