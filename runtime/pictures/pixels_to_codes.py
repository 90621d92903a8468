"""A picture becomes image codes (image tokenizer) or features (vision encoder): numbers that a prompt can show."""

import numpy as np

from ..arrays import Array, Codes, Floats, Pixels
from ..bundle import Bundle
from ..errors import BundleError
from ..graphs.failures import ADVICE, check_finite, one_line
from ..graphs.protocols import Runner


def encode(pixel_values: Pixels, tokenizer: Runner, bundle: Bundle) -> Codes:
    """Return the code grid (rows, columns) of `pixel_values` (1, 3, height, width)."""
    with one_line(bundle, "image_tokenizer"):
        (codes,) = tokenizer.run(["codes"], {"pixel_values": pixel_values})
    _check_codes(codes[0], bundle)
    return np.asarray(codes[0], dtype=np.int32)


def features(pixel_values: Pixels, encoder: Runner, bundle: Bundle) -> Floats:
    """Return the embeddings (tokens, hidden_size) that stand for `pixel_values` (1, 3, side, side) in a prompt."""
    with one_line(bundle, "vision_encoder"):
        (found,) = encoder.run(["features"], {"pixel_values": pixel_values})
    check_finite(found, bundle, "vision_encoder")
    return np.asarray(found[0], dtype=np.float32)


def _check_codes(codes: Array, bundle: Bundle) -> None:
    """Raise `BundleError` for what an image tokenizer may not give: anything but a grid of the bundle's codes."""
    count = bundle.manifest.codes.count
    if codes.ndim != 2 or codes.size == 0 or codes.min() < 0 or codes.max() >= count:
        raise BundleError(f"{bundle.folder}: image_tokenizer gave codes outside 0 to {count - 1}. {ADVICE}")
