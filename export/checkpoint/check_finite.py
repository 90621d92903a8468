"""Whether a checkpoint's numbers are finite. Knows no files."""

from pathlib import Path

import numpy as np

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.errors import CheckpointError


def check_finite(folder: Path, name: str, numbers: Floats) -> None:
    """Raise `CheckpointError` for a tensor with NaN or infinities: what is made of them is noise or black."""
    if not np.isfinite(numbers).all():
        raise CheckpointError(
            f"{folder}: tensor {name} has numbers that are not finite; download the checkpoint again, or take the one "
            "before the training that broke it."
        )
