"""How much of a picture's code grid is that of another, where of the other only four bits a cell are kept.

Codes that fill a picture's plain areas, as sky and paper do, are shared by many pictures and say little: a code that
fills ten cells of the picture in question counts as much as one that stands in a single cell.
"""

import hashlib
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ..arrays import Codes

Bits: TypeAlias = npt.NDArray[np.uint8]  # of cells, 0 to 15
Shares: TypeAlias = npt.NDArray[np.float64]


def hashes(count: int) -> Bits:
    """Return four bits for each of `count` codes, the same everywhere."""
    digests = (hashlib.blake2b(code.to_bytes(4, "little"), digest_size=1).digest()[0] for code in range(count))
    return np.fromiter((digest & 15 for digest in digests), dtype=np.uint8, count=count)


def weights(codes: Codes) -> Shares:
    """Return what each cell of a picture (rows, columns) counts; together as much as it has distinct codes."""
    _, which, times = np.unique(codes, return_inverse=True, return_counts=True)
    return np.asarray((1 / times)[which.reshape(codes.shape)])


def shares(bits: Bits, weight: Shares, logged: Bits) -> Shares:
    """Return the share of equal cells with each logged grid (pictures, rows, columns).

    `bits` (rows, columns) are the hashes of the picture in question, `weight` what its cells count. One distinct code
    in sixteen is equal by chance.
    """
    return np.asarray(((logged == bits) * weight).sum(axis=(1, 2)) / weight.sum())
