"""Statistics of one observed tensor: a histogram of absolute values, peaks and squares of channels, peaks of places.

Kept small and mergeable: a histogram never has more than `BINS` bins, because its range doubles by adding neighbours.
Knows numbers only, no graphs and no files.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final, TypeAlias

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.arrays import Array, Doubles, Floats

BINS: Final = 4096  # of which at least half are in use: a bin is at most 1/2048 of the peak
_TINY: Final = 1e-30  # smaller values count as zero: the width of their bins is not a float32

Counts: TypeAlias = npt.NDArray[np.int64]


class NotFiniteError(ValueError):
    """An observation with NaN or infinity; the message says which."""


class Statistics:
    """Running statistics of one tensor. Places are positions in a sequence, numbered by the caller."""

    def __init__(self) -> None:
        self.counts: Counts = np.zeros(BINS, dtype=np.int64)
        self.limit = 0.0  # right edge of the last bin; 0 as long as every value was zero
        self.peak = 0.0
        self.channel_peaks: Floats = np.zeros(0, dtype=np.float32)  # (channels,)
        self.channel_squares: Doubles = np.zeros(0)  # (channels,), summed over `rows`
        self.rows = 0
        self.place_peaks: Floats = np.zeros(0, dtype=np.float32)  # (places,)

    @property
    def count(self) -> int:
        """How many values were observed."""
        return int(self.counts.sum())

    def observe(self, values: Floats, place: int | None = None) -> None:
        """Add values `(anything, channels)`; raise `NotFiniteError` if one is NaN or infinite."""
        if not values.size:
            return
        sizes = np.abs(values)
        channels = sizes.max(axis=0)
        peak = float(channels.max())
        if not np.isfinite(peak):  # NaN passes through max
            raise NotFiniteError("NaN" if np.isnan(peak) else "infinity")
        self._widen(peak)
        self.peak = max(self.peak, peak)
        self.channel_peaks = _larger(self.channel_peaks, channels)
        squares = np.einsum("rc,rc->c", values, values, dtype=np.float64)
        self.channel_squares = squares if self.rows == 0 else self.channel_squares + squares
        self.rows += len(values)
        if place is not None:
            here = np.zeros(place + 1, dtype=np.float32)
            here[place] = peak
            self.place_peaks = _larger(self.place_peaks, here)
        if self.limit == 0.0:
            self.counts[0] += sizes.size
            return
        bins = np.minimum(sizes.ravel() * np.float32(BINS / self.limit), BINS - 1).astype(np.int32)
        self.counts += np.bincount(bins, minlength=BINS)

    def _widen(self, peak: float) -> None:
        """Double the range until it includes the peak; zeros observed before stay in the first bin."""
        if peak > 0 and self.limit == 0.0:
            self.limit = 2.0 ** math.ceil(math.log2(max(peak, _TINY)))
        while peak > self.limit:
            halved = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([halved, np.zeros(BINS // 2, dtype=np.int64)])
            self.limit *= 2

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Yield all arrays under the names that `restored` expects."""
        yield "counts", self.counts
        yield "limit", np.array([self.limit, self.peak, self.rows])
        yield "channel_squares", self.channel_squares
        yield "channel_peaks", self.channel_peaks
        yield "place_peaks", self.place_peaks


def restored(arrays: Mapping[str, Array]) -> Statistics:
    """Return the statistics of such `arrays`; raise `ValueError` if they are not."""
    statistics = Statistics()
    for name, kind, ndim in (
        ("counts", np.int64, 1),
        ("limit", np.float64, 1),
        ("channel_peaks", np.float32, 1),
        ("channel_squares", np.float64, 1),
        ("place_peaks", np.float32, 1),
    ):
        array = arrays.get(name)
        if array is None or array.dtype != kind or array.ndim != ndim:
            raise ValueError(f"{name} is missing or not a {np.dtype(kind)} vector")
        if not np.all(np.isfinite(array)) or np.any(array < 0):
            raise ValueError(f"{name} has NaN, infinity or a negative number")
    if arrays["counts"].shape != (BINS,) or arrays["limit"].shape != (3,):
        raise ValueError(f"counts has {arrays['counts'].size} bins instead of {BINS}")
    if arrays["channel_squares"].shape != arrays["channel_peaks"].shape:
        raise ValueError("channel_squares and channel_peaks differ in length")
    statistics.counts, statistics.channel_squares = arrays["counts"], arrays["channel_squares"]
    statistics.limit, statistics.peak, rows = map(float, arrays["limit"])
    statistics.rows = int(rows)
    statistics.channel_peaks, statistics.place_peaks = arrays["channel_peaks"], arrays["place_peaks"]
    return statistics


def _larger(peaks: Floats, others: Floats) -> Floats:
    """Return the larger of two vectors place by place; the shorter counts as zero behind its end."""
    larger = np.zeros(max(len(peaks), len(others)), dtype=np.float32)
    larger[: len(peaks)] = peaks
    np.maximum(larger[: len(others)], others, out=larger[: len(others)])
    return larger
