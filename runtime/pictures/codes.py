"""What a grid of codes must be for a model to decode it. Knows no graphs."""

import numpy as np

from ..arrays import Codes
from ..errors import RequestError
from ..manifest.schema import Manifest

_MAX_SIDE = 4096


def check_codes(codes: Codes, manifest: Manifest) -> None:
    """Raise `RequestError` unless `codes` is a grid [rows, columns] of the model's codes that it has room for."""
    if not isinstance(codes, np.ndarray) or codes.ndim != 2 or codes.size == 0:
        shape = list(np.shape(codes))
        raise RequestError(f"codes must be a grid [rows, columns] of whole numbers; these have the shape {shape}.")
    if not np.issubdtype(codes.dtype, np.integer):
        raise RequestError(f"codes must be a grid [rows, columns] of whole numbers; these are {codes.dtype}.")
    if codes.min() < 0 or codes.max() >= manifest.codes.count:
        raise RequestError(
            f"codes run from 0 to {manifest.codes.count - 1}; these run from {codes.min()} to {codes.max()}."
        )
    if max(codes.shape) > _MAX_SIDE or codes.size > manifest.backbone.max_positions:
        raise RequestError(f"a grid of {codes.shape[0]}x{codes.shape[1]} codes is larger than this model paints.")
