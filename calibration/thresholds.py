"""From a histogram of absolute values to the threshold at which a quantised tensor is clipped. Knows no graphs.

`max` clips nothing. `percentile` clips the largest values, so few that the rest gains precision.
`entropy` takes the threshold at which 128 levels preserve most of the histogram (Migacz, "8-bit inference with
TensorRT", 2017), as ONNX Runtime's calibrater does it, and to the same result, but fifty times as fast.
"""

from typing import Final, Literal, TypeAlias, get_args

import numpy as np
import numpy.typing as npt

from .tensor_statistics import Counts, Statistics

Method: TypeAlias = Literal["max", "percentile", "entropy"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

LEVELS: Final = 128  # of a symmetric signed byte on one side of zero
_SEARCHED: Final = 1024  # bins on each side that the search for an entropy works on, at most
_EPSILON: Final = 1e-4  # what an empty bin counts as

Divisor: TypeAlias = npt.NDArray[np.float32]
Shares: TypeAlias = npt.NDArray[np.float64]


def threshold(statistics: Statistics, method: Method, percentile: float) -> float:
    """Return the absolute value at which a tensor is clipped; 0 if it was always zero."""
    if statistics.peak == 0 or method == "max":
        return statistics.peak
    counts, width = statistics.counts, statistics.limit / len(statistics.counts)
    if method == "entropy":
        return entropy_threshold(counts[: int(np.ceil(statistics.peak / width))], width, statistics.peak)
    return min(percentile_bin(counts, percentile) * width, statistics.peak)


def signal_to_noise(statistics: Statistics, clipped_at: float, divisor: Divisor | None = None) -> float:
    """Return the signal over noise, in dB, of int8 with this threshold; infinite for a tensor of zeros.

    With a `divisor` (channels,) it is that of the smoothed tensor, which is not clipped.
    """
    squares = statistics.channel_squares / max(statistics.rows, 1)
    step = clipped_at / (LEVELS - 1)
    noise = step**2 / 12
    if divisor is not None:
        squares = squares / np.square(divisor, dtype=np.float64)
    elif clipped_at < statistics.peak:
        width = statistics.limit / len(statistics.counts)
        over = np.maximum((np.arange(len(statistics.counts)) + 0.5) * width - clipped_at, 0)
        noise += float(np.sum(statistics.counts * over**2) / statistics.count)
    signal = float(squares.mean()) if squares.size else 0.0
    return float(10 * np.log10(signal / noise)) if signal > 0 and noise > 0 else float("inf")


def percentile_bin(counts: Counts, percentile: float) -> int:
    """Return how many bins contain `percentile` per cent of the values."""
    shares = np.cumsum(counts) / counts.sum()
    return int(np.searchsorted(shares, percentile / 100)) + 1


def entropy_threshold(counts: Counts, width: float, peak: float) -> float:
    """Return the threshold of least divergence between the histogram and its 128 levels on a side."""
    merged = -(-len(counts) // _SEARCHED)
    half = np.pad(counts, (0, -len(counts) % merged)).reshape(-1, merged).sum(axis=1)
    return min(entropy_cut(np.concatenate([half[::-1], half])) * merged * width, peak)


def entropy_cut(counts: Counts) -> int:
    """Return how many bins to keep on either side of zero, of a histogram with as many on both."""
    return min(LEVELS + int(np.argmin(divergences(counts))) + 1, len(counts) // 2)


def divergences(counts: Counts) -> Shares:
    """Return the divergence of every threshold, from the one that keeps `LEVELS` + 1 bins on either side of zero."""
    middle, before = len(counts) // 2, np.concatenate([[0], np.cumsum(counts)])
    return np.array([_divergence(counts, before, middle, reach, 2 * LEVELS) for reach in range(LEVELS, middle + 1)])


def _divergence(counts: Counts, before: Counts, middle: int, reach: int, levels: int) -> float:
    """Return the Kullback-Leibler divergence of the clipped histogram from its levels.

    Bins left over when they are divided among the levels belong to the last one, and are not spread again.
    """
    start, end = middle - reach, min(middle + reach + 1, len(counts))
    kept = counts[start:end]
    clipped = kept.copy()
    clipped[0] += before[start]
    clipped[-1] += before[-1] - before[end]
    each = len(kept) // levels
    shared = levels * each
    filled = clipped != 0
    totals = kept[:shared].reshape(levels, each).sum(axis=1)
    totals[-1] += kept[shared:].sum()
    members = filled[:shared].reshape(levels, each).sum(axis=1)
    spread = np.zeros(len(kept), dtype=np.int64)
    spread[:shared] = np.repeat(totals // np.maximum(members, 1) * (members > 0), each)
    exact, other = _smoothed(clipped), _smoothed(spread)
    if exact is None or other is None:
        return float("inf")
    return float(np.sum(exact * np.log(exact / other)))


def _smoothed(counts: Counts) -> Shares | None:
    """Return shares without zeros, as little as possible taken from the others; None if everything is zero."""
    empty = counts == 0
    zeros = int(empty.sum())
    if zeros == len(counts):
        return None
    taken = _EPSILON * zeros / (len(counts) - zeros)
    shares = np.where(empty, _EPSILON, counts - taken)
    result: Shares = shares / shares.sum()
    return result
