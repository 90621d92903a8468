"""What one watched tensor was seen to hold: a histogram of absolute values, channels' peaks and squares, places' peaks.

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
_TINY: Final = 1e-30  # what is smaller is as good as zero, and its bins would be no float32 numbers

Counts: TypeAlias = npt.NDArray[np.int64]


class NotFiniteError(ValueError):
    """An observation that holds NaN or infinity; says which."""


class Statistics:
    """Running figures of one tensor. `places` are where in a sequence a value stood, numbered by the caller."""

    def __init__(self) -> None:
        self.counts: Counts = np.zeros(BINS, dtype=np.int64)
        self.limit = 0.0  # right edge of the last bin; 0 until something other than zero was seen
        self.peak = 0.0
        self.channel_peaks: Floats = np.zeros(0, dtype=np.float32)  # (channels,)
        self.channel_squares: Doubles = np.zeros(0)  # (channels,), summed over `rows`
        self.rows = 0
        self.place_peaks: Floats = np.zeros(0, dtype=np.float32)  # (places,)

    @property
    def seen(self) -> int:
        """How many numbers were observed."""
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
        self.channel_peaks = _raised(self.channel_peaks, channels)
        squares = np.einsum("rc,rc->c", values, values, dtype=np.float64)
        self.channel_squares = squares if self.rows == 0 else self.channel_squares + squares
        self.rows += len(values)
        if place is not None:
            seen_here = np.zeros(place + 1, dtype=np.float32)
            seen_here[place] = peak
            self.place_peaks = _raised(self.place_peaks, seen_here)
        if self.limit == 0.0:
            self.counts[0] += sizes.size
            return
        bins = np.minimum(sizes.ravel() * np.float32(BINS / self.limit), BINS - 1).astype(np.int32)
        self.counts += np.bincount(bins, minlength=BINS)

    def _widen(self, peak: float) -> None:
        """Double the range until it holds the peak; zeros seen before stay in the first bin."""
        if peak > 0 and self.limit == 0.0:
            self.limit = 2.0 ** math.ceil(math.log2(max(peak, _TINY)))
        while peak > self.limit:
            halved = self.counts.reshape(-1, 2).sum(axis=1)
            self.counts = np.concatenate([halved, np.zeros(BINS // 2, dtype=np.int64)])
            self.limit *= 2

    def arrays(self) -> Iterator[tuple[str, Array]]:
        """Yield everything under names that `restored` takes back."""
        yield "counts", self.counts
        yield "limit", np.array([self.limit, self.peak, self.rows])
        yield "channel_squares", self.channel_squares
        yield "channel_peaks", self.channel_peaks
        yield "place_peaks", self.place_peaks


def restored(arrays: Mapping[str, Array]) -> Statistics:
    """Return the statistics whose `arrays` were kept; raise `ValueError` unless they are such arrays."""
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
            raise ValueError(f"{name} is missing or no {np.dtype(kind)} vector")
        if not np.all(np.isfinite(array)) or np.any(array < 0):
            raise ValueError(f"{name} holds NaN, infinity or a negative number")
    if arrays["counts"].shape != (BINS,) or arrays["limit"].shape != (3,):
        raise ValueError(f"counts has {arrays['counts'].size} bins instead of {BINS}")
    if arrays["channel_squares"].shape != arrays["channel_peaks"].shape:
        raise ValueError("channel_squares has not as many channels as channel_peaks")
    statistics.counts, statistics.channel_squares = arrays["counts"], arrays["channel_squares"]
    statistics.limit, statistics.peak, rows = map(float, arrays["limit"])
    statistics.rows = int(rows)
    statistics.channel_peaks, statistics.place_peaks = arrays["channel_peaks"], arrays["place_peaks"]
    return statistics


def _raised(peaks: Floats, others: Floats) -> Floats:
    """Return the larger of two vectors place by place; the shorter counts as zero behind its end."""
    raised = np.zeros(max(len(peaks), len(others)), dtype=np.float32)
    raised[: len(peaks)] = peaks
    np.maximum(raised[: len(others)], others, out=raised[: len(others)])
    return raised
