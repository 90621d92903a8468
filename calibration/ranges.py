"""From a histogram of absolute values to the largest number a quantised tensor shall hold. Knows no graphs.

`max` keeps everything that was seen. `percentile` cuts off the largest values, so few that the rest gains precision.
`entropy` takes the cut after which 128 levels say most of what the histogram says (Migacz, "8-bit inference with
TensorRT", 2017), searched by ONNX Runtime's own calibrater.
"""

import logging
from typing import Any, Final, Literal, TypeAlias, get_args

import numpy as np

from .statistics import Counts, Statistics

Method: TypeAlias = Literal["max", "percentile", "entropy"]
METHODS: Final[tuple[Method, ...]] = get_args(Method)

LEVELS: Final = 128  # of a symmetric signed byte on one side of zero
_SEARCHED: Final = 512  # bins on each side that the search for an entropy works on: 0.4 s a tensor, and 1.5 for 1024


def threshold(statistics: Statistics, method: Method, percentile: float) -> float:
    """Return the absolute value from which on values are clipped; 0 where nothing but zeros was seen."""
    if statistics.peak == 0 or method == "max":
        return statistics.peak
    counts, width = statistics.counts, statistics.limit / len(statistics.counts)
    if method == "entropy":
        return entropy_threshold(counts[: int(np.ceil(statistics.peak / width))], width, statistics.peak)
    return min(percentile_bin(counts, percentile) * width, statistics.peak)


def percentile_bin(counts: Counts, percentile: float) -> int:
    """Return how many bins hold `percentile` of a hundred of what was counted."""
    shares = np.cumsum(counts) / counts.sum()
    return int(np.searchsorted(shares, percentile / 100)) + 1


def entropy_threshold(counts: Counts, width: float, peak: float) -> float:
    """Return the cut of least divergence between the histogram and what 128 levels on a side keep of it."""
    merged = -(-len(counts) // _SEARCHED)
    half = np.pad(counts, (0, -len(counts) % merged)).reshape(-1, merged).sum(axis=1)
    edge = len(half) * merged * width
    histogram = np.concatenate([half[::-1], half])
    edges = np.linspace(-edge, edge, len(histogram) + 1)
    extremes = (np.float64(-peak), np.float64(peak))
    _, cut = _collector().get_entropy_threshold((histogram, edges, *extremes), 2 * LEVELS)
    return float(cut)


def _collector() -> Any:
    handlers, level = logging.root.handlers[:], logging.root.level
    from onnxruntime.quantization.calibrate import HistogramCollector

    logging.root.handlers[:] = handlers  # the import configures the root logger
    logging.root.setLevel(level)
    return HistogramCollector("entropy", True, 2 * _SEARCHED, 2 * LEVELS, 100, "same")
