"""Weights that are not numbers, found before they are written."""

from typing import Any

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.errors import BundleError


def check_finite(name: object, numbers: npt.NDArray[Any]) -> None:
    """Raise `BundleError` naming a tensor that holds NaN or infinity."""
    if not np.isfinite(numbers).all():
        raise BundleError(f"{name} holds NaN or infinity; export the checkpoint again from sound weights.")
