"""Histograms against numpy, methods against ONNX Runtime's own calibraters."""

import logging
from typing import Any

import numpy as np
import pytest

from edgevlo.calibration.tensor_statistics import BINS, NotFiniteError, Statistics, restored
from edgevlo.calibration.thresholds import METHODS, Method, divergences, entropy_cut, signal_to_noise, threshold
from edgevlo.runtime.arrays import Array, Floats


def drawn(kind: str, seed: int = 0, count: int = 100_000) -> Floats:
    random = np.random.default_rng(seed)
    values = random.laplace(size=count) if kind == "laplace" else random.standard_normal(count)
    if kind == "outliers":
        values[:: count // 100] *= 30
    return values.astype(np.float32)


def seen(values: Floats, channels: int = 10, parts: int = 7) -> Statistics:
    statistics = Statistics()
    for part in np.array_split(values[: len(values) // channels * channels].reshape(-1, channels), parts):
        statistics.observe(part)
    return statistics


def test_the_histogram_counts_what_numpy_counts() -> None:
    values = drawn("outliers")
    statistics = seen(values)
    counted, _ = np.histogram(np.abs(values), bins=BINS, range=(0, statistics.limit))
    assert statistics.count == len(values)
    assert np.abs(statistics.counts - counted).sum() <= 20  # values on the edge of a bin
    assert np.abs(values).max() <= statistics.limit < 2 * np.abs(values).max()


def test_the_range_grows_as_larger_values_come() -> None:
    statistics = Statistics()
    for scale in (0.0, 1e-3, 1.5, 500.0, 2.0):
        statistics.observe(np.full((4, 2), scale, np.float32))
    assert (statistics.peak, statistics.count) == (500.0, 40)
    assert statistics.limit == 512.0
    assert statistics.counts[0] == 16  # zero and 0.001, smaller than a bin
    assert statistics.counts[int(1.5 * BINS / 512)] == 8


def test_channels_and_places_keep_their_peaks() -> None:
    statistics = Statistics()
    statistics.observe(np.array([[1, -5], [2, 0]], np.float32), place=0)
    statistics.observe(np.array([[-3, 4]], np.float32), place=2)
    assert statistics.channel_peaks.tolist() == [3, 5]
    assert statistics.place_peaks.tolist() == [5, 0, 4]


@pytest.mark.parametrize(("value", "name"), [(np.nan, "NaN"), (np.inf, "infinity"), (-np.inf, "infinity")])
def test_what_is_not_finite_is_named(value: float, name: str) -> None:
    with pytest.raises(NotFiniteError, match=name):
        Statistics().observe(np.array([[1.0, value]], np.float32))


def test_arrays_bring_statistics_back() -> None:
    statistics = seen(drawn("normal"))
    again = restored(dict(statistics.arrays()))
    more = drawn("outliers", seed=1).reshape(-1, 10)[:1000]
    for one in (statistics, again):
        one.observe(more)
    for (_, ours), (_, theirs) in zip(statistics.arrays(), again.arrays(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("broken", ["missing", "negative", "float", "short", "nan"])
def test_arrays_that_are_no_statistics_are_refused(broken: str) -> None:
    arrays: dict[str, Array] = dict(seen(drawn("normal")).arrays())
    match broken:
        case "missing":
            del arrays["limit"]
        case "negative":
            arrays["counts"] = arrays["counts"] - 1
        case "float":
            arrays["counts"] = arrays["counts"].astype(np.float64)
        case "short":
            arrays["counts"] = arrays["counts"][:-1]
        case "nan":
            arrays["limit"] = np.array([np.nan, 1.0])
    with pytest.raises(ValueError, match=r"missing|negative|NaN|bins"):
        restored(arrays)


def collector(method: str, percentile: float, bins: int) -> Any:
    """Return ONNX Runtime's collector."""
    handlers, level = logging.root.handlers[:], logging.root.level
    from onnxruntime.quantization.calibrate import HistogramCollector

    logging.root.handlers[:] = handlers  # the import configures the root logger
    logging.root.setLevel(level)
    return HistogramCollector(method, True, bins, 128, percentile, "same")


@pytest.mark.parametrize("kind", ["normal", "laplace", "outliers"])
@pytest.mark.parametrize("percentile", [99.0, 99.9, 99.99, 99.999])
def test_percentiles_are_onnxruntimes_and_numpys(kind: str, percentile: float) -> None:
    values = drawn(kind, count=99_970)  # so that no share falls exactly between two values
    found = threshold(seen(values), "percentile", percentile)
    width = seen(values).limit / BINS
    exact = np.percentile(np.abs(values), percentile, method="inverted_cdf")
    assert found == pytest.approx(exact, abs=1.01 * width)
    theirs = collector("percentile", percentile, BINS)
    theirs.collect({"x": values})
    assert found == pytest.approx(float(theirs.compute_collection_result()["x"][1]), abs=2 * width)


@pytest.mark.parametrize("kind", ["normal", "laplace", "outliers"])
@pytest.mark.parametrize("bins", [300, 512])
def test_entropy_is_onnxruntimes(kind: str, bins: int) -> None:
    half = drawn(kind, seed=bins)
    values = np.concatenate([half, -half])
    edge = float(np.abs(half).max())
    counts, edges = np.histogram(values, bins=2 * bins, range=(-edge, edge))
    histogram = (counts, edges, np.float64(-edge), np.float64(edge), edge)
    _, theirs = collector("entropy", 100, 2 * bins).get_entropy_threshold(histogram, 256)  # both sides of zero
    ours, at = divergences(counts), int(np.abs(edges[bins:] - theirs).argmin())
    cost = ours[-2:].min() if at == bins else ours[at - 129]  # the last two keep everything
    assert cost <= 1.001 * ours.min()  # theirs is in float32, which decides between equals
    if kind != "laplace":
        assert entropy_cut(counts) == at


def test_entropy_cuts_rare_outliers_off() -> None:
    values = drawn("outliers")
    assert 4 < threshold(seen(values), "entropy", 100) < 0.4 * np.abs(values).max()


@pytest.mark.parametrize("method", METHODS)
def test_no_method_exceeds_what_was_seen(method: Method) -> None:
    statistics = seen(drawn("laplace"))
    assert 0 < threshold(statistics, method, 100) <= statistics.peak
    nothing = Statistics()
    nothing.observe(np.zeros((5, 2), np.float32))
    assert threshold(nothing, method, 100) == 0


def test_max_keeps_everything() -> None:
    values = drawn("outliers")
    assert threshold(seen(values), "max", 99) == np.abs(values).max()


@pytest.mark.parametrize("share", [1.0, 0.5, 0.1])
@pytest.mark.parametrize("divided", [False, True])
def test_the_signal_over_noise_is_what_rounding_leaves(share: float, divided: bool) -> None:
    values = drawn("normal").reshape(-1, 10) * np.linspace(0.1, 3, 10, dtype=np.float32)
    statistics, divisor = Statistics(), np.linspace(0.3, 2, 10, dtype=np.float32)
    statistics.observe(values)
    rounded = values / divisor if divided else values
    at = float(np.abs(rounded).max()) * (1.0 if divided else share)
    error = np.clip(np.rint(rounded / at * 127), -128, 127) * at / 127 - rounded
    exact = 10 * np.log10(np.square(rounded, dtype=np.float64).mean() / np.square(error, dtype=np.float64).mean())
    assert signal_to_noise(statistics, at, divisor if divided else None) == pytest.approx(exact, abs=0.15)
