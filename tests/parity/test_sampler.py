"""The draw inside `image_head` against the same rule in float64 numpy, and against transformers' warpers."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import onnxruntime as ort
import pytest
import torch
from transformers import TemperatureLogitsWarper, TopKLogitsWarper, TopPLogitsWarper

from edgevlo.export.graphs.graph_builder import Network
from edgevlo.export.graphs.sampler import draw
from edgevlo.runtime.arrays import Doubles, Floats

Draw = Callable[..., npt.NDArray[np.int64]]


def drawer(count: int) -> Draw:
    """Return a session over the draw alone: `logits [N,K]` in, `code [N]` out."""
    net = Network("draw", 20)
    logits = net.input("logits", ir.DataType.FLOAT, ("N", count))
    temperature = net.input("temperature", ir.DataType.FLOAT, ())
    top_k = net.input("top_k", ir.DataType.INT64, (1,))
    top_p = net.input("top_p", ir.DataType.FLOAT, (1,))
    uniform = net.input("uniform", ir.DataType.FLOAT, ("N",))
    net.output(draw(net, logits, count, temperature, top_k, top_p, uniform), "code", ir.DataType.INT64, ("N",))
    session = ort.InferenceSession(ir.to_proto(net.model()).SerializeToString(), providers=["CPUExecutionProvider"])

    def run(
        logits: Floats,
        *,
        uniform: npt.ArrayLike,
        temperature: float = 1.0,
        top_k: int = 0,
        top_p: float = 1.0,
    ) -> npt.NDArray[np.int64]:
        feeds = {
            "logits": logits,
            "temperature": np.array(temperature, np.float32),
            "top_k": np.array([top_k], np.int64),
            "top_p": np.array([top_p], np.float32),
            "uniform": np.broadcast_to(np.asarray(uniform, np.float32), len(logits)).copy(),
        }
        code: npt.NDArray[np.int64] = session.run(None, feeds)[0]
        return code

    return run


@pytest.fixture(scope="module", params=[64, 32768])
def case(request: pytest.FixtureRequest) -> tuple[int, Draw]:
    return request.param, drawer(request.param)


def some_logits(rows: int, count: int, seed: int = 0) -> Floats:
    return (3 * np.random.default_rng(seed).standard_normal((rows, count))).astype(np.float32)


@pytest.mark.parametrize("top_k", [0, 1, 5, 50])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_codes_are_those_of_the_inverted_distribution(case: tuple[int, Draw], top_k: int, temperature: float) -> None:
    count, run = case
    logits = some_logits(200, count)
    uniform = np.random.default_rng(1).random(200).astype(np.float32)

    codes = run(logits, uniform=uniform, temperature=temperature, top_k=top_k)

    kept = np.where(logits >= np.sort(logits)[:, [-(top_k or count)]], logits.astype(np.float64), -np.inf)
    shares = np.exp((kept - kept.max(1, keepdims=True)) / temperature)
    cdf = shares.cumsum(1) / shares.sum(1, keepdims=True)
    expected = (cdf <= uniform[:, None]).sum(1)
    differing = np.flatnonzero(codes != expected)
    assert len(differing) <= (2 if count == 64 else 20)
    for row in differing:  # a step of the distribution lies within float32 rounding of the uniform
        step = cdf[row, min(codes[row], expected[row])]
        assert abs(step - uniform[row]) < 3e-5


@pytest.mark.parametrize("top_k", [0, 1, 2, 40])
@pytest.mark.parametrize("uniform", [0.0, np.nextafter(np.float32(1), np.float32(0)), 1.0])
def test_the_ends_of_the_distribution_are_kept_codes(case: tuple[int, Draw], top_k: int, uniform: float) -> None:
    count, run = case
    logits = some_logits(50, count, seed=2)
    logits[:, [0, -1]] = -30  # the outermost codes are dropped

    codes = run(logits, uniform=uniform, top_k=top_k)

    assert codes.min() >= 0
    assert codes.max() < count
    least = np.sort(logits)[:, [-(top_k or count)]]
    assert np.all(np.take_along_axis(logits, codes[:, None], 1) >= least)


def test_temperature_0_takes_the_largest_whatever_the_uniform(case: tuple[int, Draw]) -> None:
    count, run = case
    logits = some_logits(50, count)
    for uniform in (0.0, 0.3, 0.999):
        np.testing.assert_array_equal(run(logits, uniform=uniform, temperature=0.0, top_k=7), logits.argmax(1))


def test_a_top_k_beyond_the_codes_keeps_all(case: tuple[int, Draw]) -> None:
    count, run = case
    logits, uniform = some_logits(50, count), np.linspace(0, 0.99, 50)
    expected = run(logits, uniform=uniform, top_k=0)
    np.testing.assert_array_equal(run(logits, uniform=uniform, top_k=count + 1000), expected)


def test_codes_that_tie_with_the_last_kept_are_kept() -> None:
    logits = np.array([[0.0, 2.0, 1.0, 1.0, -5.0]], np.float32)
    run = drawer(5)
    drawn = {int(run(logits, uniform=uniform, top_k=2)[0]) for uniform in np.linspace(0, 0.99, 50)}
    assert drawn == {1, 2, 3}


def test_a_certain_code_is_drawn_at_any_uniform() -> None:
    logits = np.full((1, 64), -1e4, np.float32)
    logits[0, 40] = 1e4
    run = drawer(64)
    assert {int(run(logits, uniform=uniform)[0]) for uniform in (0.0, 0.5, 0.9999)} == {40}


def warped(logits: Floats, temperature: float, top_k: int, top_p: float) -> tuple[npt.NDArray[np.bool_], Doubles]:
    """Return which codes transformers keeps, in its order of processors, and their probabilities."""
    scores, none = torch.from_numpy(logits).double(), torch.zeros(1, 1, dtype=torch.long)
    scores = TemperatureLogitsWarper(temperature)(none, scores)
    if top_k:
        scores = TopKLogitsWarper(top_k)(none, scores)
    scores = TopPLogitsWarper(top_p)(none, scores)
    return torch.isfinite(scores).numpy(), scores.softmax(-1).numpy()


@pytest.mark.parametrize("top_p", [0.05, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("top_k", [0, 5, 200])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("count", [300, 8192])
def test_top_p_draws_from_transformers_distribution(count: int, temperature: float, top_k: int, top_p: float) -> None:
    run, logits = drawer(count), some_logits(100, count, seed=3)
    kept, shares = warped(logits, temperature, top_k, top_p)
    uniform = np.random.default_rng(1).random(100).astype(np.float32)

    codes = run(logits, uniform=uniform, temperature=temperature, top_k=top_k, top_p=top_p)

    cdf = shares.cumsum(1)
    expected = (cdf <= uniform[:, None]).sum(1)
    differing = np.flatnonzero(codes != expected)
    assert len(differing) <= 5
    for row in differing:  # one code more or less at the edge, or a step within float32 rounding of the uniform
        assert kept[row, codes[row]] or shares[row][kept[row]].min() < 1e-3
        assert abs(cdf[row, min(codes[row], expected[row])] - uniform[row]) < 3e-3
    assert top_p > 0.5 or kept.sum() < 100 * (top_k or count)


@pytest.mark.parametrize("top_p", [1e-30, 0.001])
def test_a_top_p_below_the_likeliest_keeps_that_alone(case: tuple[int, Draw], top_p: float) -> None:
    count, run = case
    logits = some_logits(50, count)
    for uniform in (0.0, 0.5, 0.9999):
        np.testing.assert_array_equal(run(logits, uniform=uniform, temperature=0.3, top_p=top_p), logits.argmax(1))


def test_top_p_counts_what_top_k_has_kept() -> None:
    logits = np.log(np.array([[0.4, 0.3, 0.2, 0.1]], np.float32))
    run = drawer(4)

    def drawn(top_k: int, top_p: float) -> set[int]:
        uniforms = np.linspace(0, 0.9999, 400)
        return {int(run(logits, uniform=uniform, top_k=top_k, top_p=top_p)[0]) for uniform in uniforms}

    assert drawn(0, 0.6) == {0, 1}  # .4 is too little, .4 + .3 is enough
    assert drawn(2, 0.6) == {0, 1}  # of two the first has 4/7
    assert drawn(2, 0.55) == {0}
    assert drawn(0, 1.0) == {0, 1, 2, 3}


def test_codes_that_tie_with_the_last_counted_are_kept() -> None:
    logits = np.log(np.array([[0.25, 0.5, 0.25]], np.float32))
    run = drawer(3)
    assert {int(run(logits, uniform=uniform, top_p=0.6)[0]) for uniform in np.linspace(0, 0.99, 50)} == {0, 1, 2}
