"""What a grid of codes must be for a model to decode it. Knows no graphs."""

import numpy as np

from ..arrays import Codes
from ..errors import RequestError
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
