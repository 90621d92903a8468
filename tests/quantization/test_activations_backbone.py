"""Smoothing, quantised activations and the int8 cache of whole backbones against the float graph, on ONNX Runtime."""

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime as ort
import pytest
from calibrated import Ready, calibrated, relative, session
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.quantization.passes.group_query_attention import GroupQueryAttentionPass
from edgevlo.quantization.passes.half_precision import HalfPrecisionPass
from edgevlo.quantization.passes.int8_kv_cache import LEAST_HALF, MARGIN, QuantizedCachePass
from edgevlo.quantization.passes.qdq import Kind, QuantizeDequantizePass
from edgevlo.quantization.passes.smoothquant import SmoothingPass, folds
from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.errors import CalibrationError
from edgevlo.runtime.manifest.schema import read_manifest

TYPES = {"tensor(float)": np.float32, "tensor(int64)": np.int64, "tensor(int8)": np.int8}

# One key-value head for all; none shared; three with biases.
pytestmark = pytest.mark.parametrize(
    "exported", [SHAPES[0], SHAPES[1], SHAPES[3]], indirect=True, ids=lambda shape: shape.name
)


@pytest.fixture(scope="module")
def ready(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return calibrated(exported.portable, tmp_path_factory.mktemp("ready"))


def read_tokens(graph: ort.InferenceSession, portable: Path) -> Array:
    """Return the hidden states of two rows of a prompt and some codes, read in two calls over one cache."""
    manifest = read_manifest(portable)
    shape, first, random = manifest.backbone, manifest.codes.first_token, np.random.default_rng(0)
    table = np.fromfile(portable / manifest.token_embedding.file, "<f4").reshape(manifest.token_embedding.shape)
    if manifest.code_embedding is not None:
        codes = np.fromfile(portable / manifest.code_embedding.file, "<f4").reshape(manifest.code_embedding.shape)
        table = np.concatenate([table, codes])
    ids = np.concatenate([random.integers(11, 40, (2, 5)), random.integers(first, len(table), (2, 15))], axis=1)
    inputs = {value.name: value for value in graph.get_inputs()}
    caches = {
        name: np.zeros((2, shape.kv_heads, 32, shape.head_dim), TYPES[value.type])
        for name, value in inputs.items()
        if name.startswith("past_") and name != "past_lengths"
    }
    found, length = [], 0
    for part in (ids[:, :13], ids[:, 13:]):
        width = part.shape[1]
        feeds = {"inputs_embeds": table[part], "past_lengths": np.full(2, length), "token_counts": np.full(2, width)}
        names = ["hidden", *(name.replace("past_", "present_") for name in caches)]
        hidden, *presents = graph.run(names, feeds | caches)
        caches = dict(zip(caches, presents, strict=True))
        found.append(hidden)
        length += width
    return np.concatenate(found, axis=1)


def error(ready: Ready, change: Callable[[ir.Model], object], folder: Path) -> float:
    """Return how far the changed backbone's hidden states are from the float graph's."""
    model = ready.graph("backbone")
    exact = read_tokens(session(ready.graph("backbone"), folder), ready.portable)
    change(model)
    return relative(read_tokens(session(model, folder), ready.portable), exact)


@pytest.mark.parametrize("alpha", [0.3, 0.5, 0.8])
def test_a_smoothed_graph_is_the_same_function(ready: Ready, tmp_path: Path, alpha: float) -> None:
    smoothing = SmoothingPass(alpha, ready.peaks("backbone"))
    assert error(ready, smoothing, tmp_path) < 1e-5
    layers = read_manifest(ready.portable).backbone.layers
    assert len(list(folds(ready.graph("backbone").graph))) == 4 * layers  # qkv, o, gate and up, down
    assert len(smoothing.divisors) == 5 * layers  # and the values that enter the cache
    assert all(np.ptp(np.log(divisor)) > 0.1 for divisor in smoothing.divisors.values())  # something was divided


def test_smoothing_evens_out_what_the_products_read(ready: Ready) -> None:
    peaks = ready.peaks("backbone")
    smoothing = SmoothingPass(0.5, peaks)
    smoothing(ready.graph("backbone"))
    before, after = (
        np.mean([np.std(np.log(one[name] + 1e-9)) for name in smoothing.divisors])
        for one in (peaks, {name: peaks[name] / divisor for name, divisor in smoothing.divisors.items()})
    )
    assert after < 0.8 * before


@pytest.mark.parametrize(("kind", "limit"), [("int8", 0.15), ("fp8", 0.35)])
def test_a_quantised_backbone_is_near(ready: Ready, tmp_path: Path, kind: Kind, limit: float) -> None:
    measured = error(ready, QuantizeDequantizePass(kind, ready.thresholds("backbone")), tmp_path)
    assert 1e-3 < measured < limit  # the weights of these checkpoints, twelve times the usual size, exaggerate it


def test_every_linear_of_a_quantised_backbone_is_quantised(ready: Ready) -> None:
    model = ready.graph("backbone")
    QuantizeDequantizePass("int8", ready.thresholds("backbone"))(model)
    layers = read_manifest(ready.portable).backbone.layers
    for node in model.graph:
        if node.op_type == "MatMul":
            assert all(value is not None and value.producer().op_type == "DequantizeLinear" for value in node.inputs)  # type: ignore[union-attr]
    kinds = Counter(node.op_type for node in model.graph)
    assert (kinds["MatMul"], kinds["QuantizeLinear"]) == (7 * layers, 4 * layers)


def cache_peaks(ready: Ready) -> dict[str, Floats]:
    peaks = ready.peaks("backbone")
    return {
        str(node.inputs[0].name).removeprefix("past_"): peaks[str(node.inputs[1].name)]  # type: ignore[union-attr]
        for node in ready.graph("backbone").graph
        if node.op_type == "TensorScatter"
    }


def fused(passes: QuantizedCachePass) -> Callable[[ir.Model], object]:
    def change(model: ir.Model) -> None:
        GroupQueryAttentionPass()(model)
        passes(model)
        for value in (*model.graph.inputs, *model.graph.outputs):
            if "keys" in str(value.name) or "values" in str(value.name):
                assert value.dtype == ir.DataType.INT8

    return change


def test_an_int8_cache_is_near_in_both_forms(ready: Ready, tmp_path: Path) -> None:
    shape = read_manifest(ready.portable).backbone
    quantised = QuantizedCachePass("int8", cache_peaks(ready), head_dim=shape.head_dim)
    in_operator, at_border = error(ready, fused(quantised), tmp_path), error(ready, quantised, tmp_path)
    assert 1e-3 < in_operator < 0.06
    assert in_operator == pytest.approx(at_border, rel=0.1)


def test_the_scales_of_a_cache_are_those_of_its_channels(ready: Ready) -> None:
    shape = read_manifest(ready.portable).backbone
    model, peaks = ready.graph("backbone"), cache_peaks(ready)
    fused(QuantizedCachePass("int8", peaks, head_dim=shape.head_dim))(model)
    for layer, node in enumerate(node for node in model.graph if node.op_type == "GroupQueryAttention"):
        keys, values = (node.inputs[place].const_value.numpy() for place in (12, 13))  # type: ignore[union-attr]
        np.testing.assert_allclose(values, peaks[f"values.{layer}"] * MARGIN / 127, rtol=1e-6)
        halves = peaks[f"keys.{layer}"].reshape(shape.kv_heads, 2, -1)  # a rotation mixes channel i with i + Dh / 2
        expected = np.repeat(halves.max(axis=1, keepdims=True), 2, axis=1).reshape(-1)
        np.testing.assert_allclose(keys, expected * MARGIN / 127, rtol=1e-6)


def test_an_fp8_cache_is_a_valid_graph(ready: Ready, tmp_path: Path) -> None:
    """No CPU kernel runs it; names and types are those of CUDA's."""
    shape = read_manifest(ready.portable).backbone
    model = ready.graph("backbone")
    GroupQueryAttentionPass()(model)
    QuantizedCachePass("fp8", cache_peaks(ready), head_dim=shape.head_dim)(model)
    ir.save(model, tmp_path / "graph.onnx", external_data="graph.data")
    onnx.checker.check_model(tmp_path / "graph.onnx")
    types = {value.name: value.type.tensor_type.elem_type for value in onnx.load(tmp_path / "graph.onnx").graph.input}
    assert types["past_keys.0"] == types["past_values.0"] == onnx.TensorProto.FLOAT8E4M3FN


def test_the_smallest_channels_of_a_cache_fit_half_precision(ready: Ready) -> None:
    shape, model = read_manifest(ready.portable).backbone, ready.graph("backbone")
    tiny = {name: np.full_like(peaks, 1e-7) for name, peaks in cache_peaks(ready).items()}
    QuantizedCachePass("int8", tiny, head_dim=shape.head_dim, least=LEAST_HALF)(model)
    HalfPrecisionPass("fp16", caches=True)(model)
    factors = [value for name, value in model.graph.initializers.items() if ".factors" in name]
    assert len(factors) == 2 * shape.layers
    for one in factors:
        assert one.const_value is not None
        assert (one.const_value.dtype, one.const_value.numpy().min()) == (ir.DataType.FLOAT16, 2.0**-14)


@pytest.mark.parametrize("peaks", [{}, {"keys.0": np.zeros(4, np.float32)}])
def test_a_cache_that_was_never_seen_is_named(ready: Ready, peaks: dict[str, Array]) -> None:
    shape = read_manifest(ready.portable).backbone
    with pytest.raises(CalibrationError, match=r"never filled keys\.0 of the KV cache"):
        QuantizedCachePass("int8", peaks, head_dim=shape.head_dim)(ready.graph("backbone"))
