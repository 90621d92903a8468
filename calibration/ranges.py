"""From a histogram of absolute values to the largest number a quantised tensor shall hold. Knows no graphs.

`max` keeps everything that was seen. `percentile` cuts off the largest values, so few that the rest gains precision.
`entropy` takes the cut after which 128 levels say most of what the histogram says (Migacz, "8-bit inference with
TensorRT", 2017).
"""

from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from .statistics import Counts, Statistics

Method: TypeAlias = Literal["max", "percentile", "entropy"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

LEVELS: Final = 128  # of a symmetric signed byte on one side of zero
_SEARCHED: Final = 2048  # bins that the search for an entropy works on
_STEP: Final = 8  # and between the cuts that it tries

Shares: TypeAlias = npt.NDArray[np.float64]


def threshold(statistics: Statistics, method: Method, percentile: float) -> float:
    """Return the absolute value from which on values are clipped; 0 where nothing but zeros was seen."""
    if statistics.peak == 0 or method == "max":
        return statistics.peak
    counts, width = statistics.counts, statistics.limit / len(statistics.counts)
    if method == "percentile":
        cut = percentile_bin(counts, percentile) * width
    else:
        used = counts[: int(np.ceil(statistics.peak / width))]
        cut = entropy_bin(used) * width
    return min(cut, statistics.peak)


def percentile_bin(counts: Counts, percentile: float) -> int:
    """Return how many bins hold `percentile` of a hundred of what was counted."""
    shares = np.cumsum(counts) / counts.sum()
    return int(np.searchsorted(shares, percentile / 100)) + 1


def entropy_bin(counts: Counts) -> int:
    """Return after how many bins to cut for the least divergence between the histogram and what 128 levels keep."""
    merged = -(-len(counts) // _SEARCHED)
    padded = np.pad(counts, (0, -len(counts) % merged))
    searched = padded.reshape(-1, merged).sum(axis=1).astype(np.float64)
    searched[0] = searched[1] if len(searched) > 1 else searched[0]  # zeros are exact at any scale
    cuts = range(min(LEVELS, len(searched)), len(searched) + 1, _STEP)
    divergences = [_divergence(searched, cut) for cut in cuts]
    return min((cuts[int(np.argmin(divergences))]) * merged, len(counts))


def _divergence(counts: Shares, cut: int) -> float:
    """Return the Kullback-Leibler divergence of the clipped histogram from its version in 128 levels."""
    clipped = counts[:cut].copy()
    clipped[-1] += counts[cut:].sum()
    level = np.arange(cut) * LEVELS // cut
    filled = clipped > 0
    totals = np.bincount(level, weights=counts[:cut], minlength=LEVELS)
    members = np.bincount(level, weights=filled, minlength=LEVELS)
    spread = np.where(filled, totals[level] / np.maximum(members[level], 1), 0.0)
    exact, kept = clipped / clipped.sum(), spread / max(spread.sum(), 1e-300)
    if np.any(filled & (kept == 0)):
        kept = np.where(filled, np.maximum(kept, 1e-12), 0.0)  # what was cut off fell into an empty bin
    return float(np.sum(exact[filled] * np.log(exact[filled] / kept[filled])))
