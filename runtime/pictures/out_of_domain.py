"""How much of a picture a narrow image tokenizer could not represent, in numbers and words. Knows no graphs."""

import numpy as np
from PIL import Image

from ..manifest.pictures import Domain


def share_outside(picture: Image.Image, rebuilt: Image.Image, cell: int, tolerance: float) -> float:
    """Return the share of cells, 0 to 1, in which two RGB pictures of one size differ by more than `tolerance`.

    `cell` is the side of a cell in pixels and divides both sides of the pictures; the difference of a cell is the root
    mean square over its pixels and channels, in levels from 0 to 255.
    """
    difference = np.asarray(picture, dtype=np.float32) - np.asarray(rebuilt, dtype=np.float32)
    rows, columns = difference.shape[0] // cell, difference.shape[1] // cell
    squares = np.square(difference).reshape(rows, cell, columns, cell, 3).mean(axis=(1, 3, 4))
    return float(np.mean(squares > tolerance**2))


def outside(domain: Domain, share: float) -> str:
    """Return the note on a picture of which `share`, above 0, is outside the domain."""
    how_much = "all" if share == 1 else f"{min(max(round(100 * share), 1), 99)} %"
    where = "not" if share >= 0.5 else "only partly"
    more = f" (see {domain.see})" if domain.see else ""
    return f"is {where} from {domain.name}: {how_much} of it was read as the nearest {domain.cells}{more}"
