"""The arrays and callbacks that modules hand to each other, each named once. Imports nothing of ours."""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[Any]
ArrayShape: TypeAlias = tuple[int, ...]

Codes: TypeAlias = npt.NDArray[np.integer]  # (rows, columns): a picture's image tokens, counted from 0
Tokens: TypeAlias = npt.NDArray[np.int64]  # token ids, or how many of them each row has
Octets: TypeAlias = npt.NDArray[np.uint8]  # packed weights

Floats: TypeAlias = npt.NDArray[np.floating]
Doubles: TypeAlias = npt.NDArray[np.float64]
Pixels: TypeAlias = npt.NDArray[np.float32]  # (1, 3, height, width), as a picture graph reads and writes them
Logits: TypeAlias = npt.NDArray[np.float32]  # (..., tokens or codes)

Progress: TypeAlias = Callable[[str, int, int], None]  # what is being done, steps done, steps in all
