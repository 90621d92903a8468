"""Every pass of the GPU targets against the graph before it, on ONNX Runtime's CPU provider."""

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import onnxruntime as ort
import pytest
from checkpoints import SHAPES
from conftest import Exported

from edgevlo.export.graph import Network, write_graph
from edgevlo.quantization import quantize
from edgevlo.quantization.passes.dequantize_matmul import DequantizedProductsPass
from edgevlo.quantization.passes.fixed_shapes import MAX_TOP_K, FixedCapacityPass, StaticTopKPass
from edgevlo.quantization.passes.half_precision import HalfPrecisionPass
from edgevlo.quantization.passes.matmul_nbits import MatMulNBitsPass
from edgevlo.quantization.passes.without_top_p import WithoutTopPPass
from edgevlo.quantization.recipes import INT4
from edgevlo.quantization.targets.gpu import gpu_passes
from edgevlo.quantization.targets.operators_schema import infer_types
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle, seal
from edgevlo.runtime.errors import BundleError, RequestError
from edgevlo.runtime.manifest.schema import read_manifest

CAPACITY = 48
FLOAT, HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16

on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    # As written: dequantised products would become MatMulNBits over int8 activations.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(model: ir.Model, folder: Path, feeds: dict[str, Array], outputs: list[str] | None = None) -> list[Array]:
    write_graph(model, folder / "graph.onnx")
    return list(session(folder / "graph.onnx").run(outputs, feeds))


def error(found: Array, exact: Array) -> float:
    return float(np.linalg.norm(found.astype(np.float64) - exact) / np.linalg.norm(exact.astype(np.float64)))


def backbone_calls(path: Path, bundle: Path, cache: npt.DTypeLike) -> list[Array]:
    """Return what a prompt of ragged rows, then steps of one and of several tokens behind it, give."""
    shape, random = read_manifest(bundle).backbone, np.random.default_rng(0)
    opened = session(path)
    kept = {
        f"{side}.{layer}": np.zeros((2, shape.kv_heads, CAPACITY, shape.head_dim), cache)
        for layer in range(shape.layers)
        for side in ("keys", "values")
    }
    lengths, given = np.zeros(2, np.int64), list[Array]()
    for counts in ((9, 5), (1, 1), (2, 2), (4, 2)):
        embeds = random.standard_normal((2, max(counts), shape.hidden_size)).astype(np.float32)
        feeds = {"inputs_embeds": embeds, "past_lengths": lengths, "token_counts": np.array(counts, np.int64)}
        names = ["hidden", "last_hidden", *(f"present_{name}" for name in kept)]
        hidden, last, *presents = opened.run(names, feeds | {f"past_{name}": array for name, array in kept.items()})
        kept = dict(zip(kept, presents, strict=True))
        lengths = lengths + counts
        given += [hidden[row, :count] for row, count in enumerate(counts)]
        given.append(last)
    return given


def random_hidden(rows: int, size: int) -> Array:
    return np.random.default_rng(1).standard_normal((rows, size)).astype(np.float32)


# Half precision.


@on_one
def test_the_backbone_in_half_precision_stays_near(exported: Exported, tmp_path: Path) -> None:
    model = ir.load(exported.portable / "backbone.onnx")
    for rewrite in gpu_passes("tensorrt", "backbone", half="fp16", capacity=CAPACITY):
        rewrite(model)
    write_graph(model, tmp_path / "backbone.onnx")

    exact = backbone_calls(exported.portable / "backbone.onnx", exported.portable, np.float32)
    near = backbone_calls(tmp_path / "backbone.onnx", exported.portable, np.float16)

    errors = [error(ours, theirs) for ours, theirs in zip(near, exact, strict=True)]
    assert 1e-5 < max(errors) < 1e-2  # rounded, and no more than rounded


@on_one
@pytest.mark.parametrize(
    ("role", "feed"),
    [
        ("image_decoder", lambda manifest: {"codes": np.arange(12).reshape(1, 3, 4) % manifest.codes.count}),
        (
            "text_head",
            lambda manifest: {"hidden": random_hidden(1, manifest.backbone.hidden_size)},
        ),
    ],
)
@pytest.mark.parametrize("target", ["cuda", "tensorrt"])
def test_other_graphs_in_half_precision_stay_near(
    exported: Exported, tmp_path: Path, target: str, role: Any, feed: Any
) -> None:
    feeds = feed(open_bundle(exported.portable).manifest)
    (exact,) = session(exported.portable / f"{role}.onnx").run(None, feeds)
    model = ir.load(exported.portable / f"{role}.onnx")
    for rewrite in gpu_passes(target, role, half="fp16", capacity=CAPACITY):
        rewrite(model)
    (near,) = run(model, tmp_path, feeds)
    assert near.dtype == np.float32
    assert 1e-7 < error(near, exact) < 2e-2


@on_one
def test_the_image_tokenizer_stays_as_it_is(exported: Exported) -> None:
    assert gpu_passes("cuda", "image_tokenizer", half="fp16", capacity=CAPACITY) == []
    rewrites = gpu_passes("tensorrt", "image_tokenizer", half="fp16", capacity=CAPACITY)
    model = ir.load(exported.portable / "image_tokenizer.onnx")
    assert not any(rewrite(model).modified for rewrite in rewrites)


@on_one
def test_norms_and_the_interface_stay_float32_and_the_caches_do_not(exported: Exported) -> None:
    model = ir.load(exported.portable / "backbone.onnx")
    before = [(value.name, value.dtype) for value in (*model.graph.inputs, *model.graph.outputs)]
    HalfPrecisionPass("fp16", caches=True)(model)
    after = [(value.name, value.dtype) for value in (*model.graph.inputs, *model.graph.outputs)]
    for (name, old), (same, new) in zip(before, after, strict=True):
        assert name == same
        cache = str(name).startswith(("past_keys", "past_values", "present_keys", "present_values"))
        assert new == (HALF if cache else old)
    infer_types(model)
    kinds = {(node.op_type, node.outputs[0].dtype) for node in model.graph}
    assert ("RMSNormalization", FLOAT) in kinds
    assert ("RMSNormalization", HALF) not in kinds
    for kind in ("MatMul", "Attention", "TensorScatter", "RotaryEmbedding"):
        assert (kind, HALF) in kinds
        assert (kind, FLOAT) not in kinds


@pytest.mark.parametrize("half", ["fp16", "bf16"])
def test_types_are_those_that_operators_allow(tmp_path: Path, half: Any) -> None:
    net = Network("resized", 20)
    x = net.input("x", FLOAT, (1, 1, "h", "w"))
    scales = net.constant(np.array([1, 1, 2, 2]), np.float32)
    y = net.op("Resize", net.op("Mul", x, net.constant(2.0, np.float32)), None, scales, mode="nearest")
    net.output(y, "y", FLOAT, (1, 1, "H", "W"))
    model = net.model()
    HalfPrecisionPass(half)(model)
    resize = next(node for node in model.graph if node.op_type == "Resize")
    assert resize.inputs[2] is not None
    assert resize.inputs[2].dtype == FLOAT  # its scales are float32 in every version
    assert resize.inputs[0] is not None
    assert resize.inputs[0].dtype != FLOAT
    if half == "fp16":
        (found,) = run(model, tmp_path, {"x": np.ones((1, 1, 2, 2), np.float32)})
        np.testing.assert_array_equal(found, np.full((1, 1, 4, 4), 2, np.float32))


def product(matrix: Array, opset: int = 20) -> ir.Model:
    net = Network("product", opset)
    x = net.input("x", FLOAT, ("N", matrix.shape[0]))
    y = net.op("MatMul", x, net.weight("matrix", matrix.shape, lambda: matrix), name="linear")
    net.output(y, "y", FLOAT, ("N", matrix.shape[1]))
    return net.model()


@pytest.mark.parametrize(("half", "kind"), [("fp16", np.float16), ("bf16", ml_dtypes.bfloat16)])
def test_weights_are_rounded_to_the_nearest(tmp_path: Path, half: Any, kind: npt.DTypeLike) -> None:
    matrix = np.random.default_rng(0).standard_normal((8, 3)).astype(np.float32)
    model = product(matrix)
    HalfPrecisionPass(half)(model)
    write_graph(model, tmp_path / "graph.onnx")
    (weight,) = ir.load(tmp_path / "graph.onnx").graph.initializers.values()
    assert weight.const_value is not None
    np.testing.assert_array_equal(weight.const_value.numpy().astype(np.float32), matrix.astype(kind).astype(np.float32))


@pytest.mark.parametrize(
    ("value", "half", "match"),
    [
        (1e6, "fp16", "matrix holds numbers too large for fp16; choose bf16"),
        (np.nan, "fp16", "matrix holds NaN or infinity"),
        (np.inf, "bf16", "matrix holds NaN or infinity"),
    ],
)
def test_numbers_that_do_not_fit_are_named(tmp_path: Path, value: float, half: Any, match: str) -> None:
    matrix = np.full((64, 64), value, np.float32)
    model = product(matrix)
    HalfPrecisionPass(half)(model)
    with pytest.raises(BundleError, match=match):
        write_graph(model, tmp_path / "graph.onnx")


@on_one
@pytest.mark.parametrize("largest", [False, True])  # a small tensor stands in the graph, a large one beside it
def test_a_bundle_with_nan_in_it_is_refused_in_one_line(exported: Exported, tmp_path: Path, largest: bool) -> None:
    broken = Path(shutil.copytree(exported.portable, tmp_path / "broken"))
    model = ir.load(broken / "image_decoder.onnx")
    convolutions = [node for node in model.graph if node.op_type == "Conv"]
    weights = [value for node in convolutions for value in node.inputs[1:] if value is not None and value.const_value]
    spoilt = sorted(weights, key=lambda value: value.const_value.nbytes if value.const_value else 0)[-largest]
    assert spoilt.const_value is not None
    nan = np.full(spoilt.const_value.shape.numpy(), np.nan, np.float32)
    spoilt.const_value = ir.tensor(nan, name=spoilt.name)
    ir.save(model, broken / "image_decoder.onnx", external_data="image_decoder.onnx.data")
    manifest = read_manifest(broken)
    (broken / "manifest.json").unlink()
    seal(broken, manifest)
    with pytest.raises(BundleError, match=f"{spoilt.name} holds NaN or infinity"):
        quantize(broken, tmp_path / "new", target="cuda", weights="fp16")
    assert not (tmp_path / "new").exists()


def test_bf16_holds_what_fp16_does_not(tmp_path: Path) -> None:
    model = product(np.full((4, 2), 1e6, np.float32))
    HalfPrecisionPass("bf16")(model)
    write_graph(model, tmp_path / "graph.onnx")


# The cache's capacity.


@on_one
def test_a_fixed_capacity_changes_no_number(exported: Exported, tmp_path: Path) -> None:
    model = ir.load(exported.portable / "backbone.onnx")
    assert FixedCapacityPass(CAPACITY)(model).modified
    write_graph(model, tmp_path / "backbone.onnx")
    exact = backbone_calls(exported.portable / "backbone.onnx", exported.portable, np.float32)
    found = backbone_calls(tmp_path / "backbone.onnx", exported.portable, np.float32)
    for ours, theirs in zip(found, exact, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    assert not any(node.op_type == "Shape" and node.inputs[0] in model.graph.inputs[3:] for node in model.graph)
    assert {value.shape[2] for value in model.graph.inputs[3:] if value.shape is not None} == {CAPACITY}


@on_one
@pytest.mark.parametrize("capacity", [0, -1, 513])
def test_a_capacity_that_the_model_does_not_hold(exported: Exported, tmp_path: Path, capacity: int) -> None:
    with pytest.raises(RequestError, match=f"a KV capacity of {capacity} is out of range: .* holds 1 to 512 tokens"):
        quantize(exported.portable, tmp_path / "new", target="cuda", weights="fp16", capacity=capacity)
    assert list(tmp_path.iterdir()) == []


# The top-k.


def head_feeds(count: int, size: int, top_k: int, temperature: float, seed: int) -> dict[str, Array]:
    random = np.random.default_rng(seed)
    return {
        "hidden": random.standard_normal((1, 2, size)).astype(np.float32),
        "weights": np.array([3, -2], np.float32),
        "temperature": np.array(temperature, np.float32),
        "top_k": np.array([top_k], np.int64),
        "uniform": random.random(1, dtype=np.float32),
    }


@on_one
def test_a_static_top_k_draws_the_same_codes(exported: Exported, tmp_path: Path) -> None:
    manifest = read_manifest(exported.portable)
    model = ir.load(exported.portable / "image_head.onnx")
    assert WithoutTopPPass()(model).modified
    assert "top_p" not in {value.name for value in model.graph.inputs}
    assert StaticTopKPass()(model).modified
    write_graph(model, tmp_path / "image_head.onnx")
    before, after = session(exported.portable / "image_head.onnx"), session(tmp_path / "image_head.onnx")
    count, drawn = manifest.codes.count, set[int]()
    for seed in range(40):
        for top_k in (0, 1, 2, 7, count - 1, count, count + 5):
            feeds = head_feeds(count, manifest.backbone.hidden_size, top_k, (0.0, 1.0, 1.7)[seed % 3], seed)
            everything = {"top_p": np.ones(1, np.float32)}
            (code,), (same,) = before.run(["code"], feeds | everything)[0], after.run(["code"], feeds)[0]
            assert code == same
            drawn.add(int(code))
    assert len(drawn) > 10
    (size,) = [node.inputs[1] for node in model.graph if node.op_type == "TopK"]
    assert size is not None
    assert size.const_value is not None


def test_a_top_k_above_the_limit_is_the_limit() -> None:
    net = Network("image_head", 20)
    logits = net.input("given", FLOAT, ("N", 5000))
    size = net.input("top_k", ir.DataType.INT64, (1,))
    found = ir.node("TopK", [logits, size], attributes={"axis": -1, "largest": 1, "sorted": 0}, num_outputs=2)
    net.graph.append(found)
    least = net.op("ReduceMin", found.outputs[0], net.constant([1], np.int64), keepdims=1)
    net.output(net.op("Identity", least), "least", FLOAT, ("N", 1))
    net.output(net.op("Identity", logits), "logits", FLOAT, ("N", 5000))
    model = net.model()
    StaticTopKPass()(model)
    (top_k,) = [node for node in model.graph if node.op_type == "TopK"]
    assert top_k.inputs[1] is not None
    assert top_k.inputs[1].const_value is not None
    assert top_k.inputs[1].const_value.numpy().tolist() == [MAX_TOP_K]


# Quantised weights.


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("inputs", "block"), [(64, 32), (256, 128), (100, 32)])  # 100: the last block is not whole
def test_dequantised_products_are_those_of_matmulnbits(tmp_path: Path, bits: int, inputs: int, block: int) -> None:
    random = np.random.default_rng(bits)
    matrix = random.standard_normal((inputs, 40)).astype(np.float32)
    matrix[:block, 3] = 0  # a block of zeros, whose scale is 0
    model = product(matrix)
    MatMulNBitsPass(replace(INT4, bits=bits, block_size=block))(model)
    for node in model.graph:
        node.attributes.pop("accuracy_level")  # products in float32, so that both sides are exact
    feeds = {"x": random.standard_normal((5, inputs)).astype(np.float32)}
    (exact,) = run(model, tmp_path, feeds)
    assert DequantizedProductsPass()(model).modified
    kinds = Counter(node.op_type for node in model.graph)
    assert kinds == ({"DequantizeLinear": 1, "MatMul": 1} if inputs % block == 0 else {"MatMul": 1})
    (found,) = run(model, tmp_path, feeds)
    # int8: where ORT's scale is negative, 128 becomes 127, one step in one weight of a block.
    np.testing.assert_allclose(found, exact, atol=1e-4 if bits == 4 else 0.15, rtol=0)
    assert error(found, exact) < (1e-6 if bits == 4 else 5e-3)


@pytest.mark.parametrize("bits", [4, 8])
def test_scales_are_what_tensorrt_takes(tmp_path: Path, bits: int) -> None:
    matrix = np.random.default_rng(0).standard_normal((64, 40)).astype(np.float32)
    matrix[:32, 3], matrix[32:, 5] = 0, 1e-12
    model = product(matrix)
    MatMulNBitsPass(replace(INT4, bits=bits, block_size=32))(model)
    DequantizedProductsPass()(model)
    HalfPrecisionPass("fp16")(model)
    write_graph(model, tmp_path / "graph.onnx")
    (node,) = [one for one in ir.load(tmp_path / "graph.onnx").graph if one.op_type == "DequantizeLinear"]
    weight, scale = (value.const_value for value in node.inputs[:2] if value is not None)
    assert weight is not None
    assert scale is not None
    assert (weight.dtype, scale.dtype) == ({4: ir.DataType.INT4, 8: ir.DataType.INT8}[bits], HALF)
    assert np.all(scale.numpy() != 0)
    assert bits == 4 or np.all(scale.numpy() > 0)
    assert len(node.inputs) == 2  # symmetric: no zero point


def nbits(**changes: Any) -> ir.Model:
    model = product(np.ones((32, 8), np.float32))
    MatMulNBitsPass(INT4)(model)
    (node,) = model.graph
    for name, value in changes.items():
        node.attributes[name] = ir.AttrInt64(name, value)
    return model


def test_zero_points_are_refused() -> None:
    model = nbits()
    (node,) = model.graph
    zero = ir.Value(name="zero", const_value=ir.tensor(np.zeros((8, 1), np.uint8), name="zero"))
    model.graph.register_initializer(zero)
    inputs, attributes = [*node.inputs, zero], dict(node.attributes)
    new = ir.node("MatMulNBits", inputs, attributes=attributes, domain=node.domain, name="linear")
    ir.convenience.replace_nodes_and_values(model.graph, node, [node], [new], node.outputs, new.outputs)
    with pytest.raises(BundleError, match="linear has zero points, and TensorRT quantises symmetrically"):
        DequantizedProductsPass()(model)


def test_two_bits_are_refused() -> None:
    with pytest.raises(BundleError, match="linear has weights of 2 bits, which TensorRT does not hold"):
        DequantizedProductsPass()(nbits(bits=2))


# Whole bundles.


@on_one
@pytest.mark.parametrize("target", ["cuda", "rtx", "tensorrt"])
@pytest.mark.parametrize("weights", ["fp16", "bf16", "int8", "int4"])
def test_a_bundle_says_what_it_holds(exported: Exported, tmp_path: Path, target: str, weights: str) -> None:
    quantize(exported.portable, tmp_path / "new", target=target, weights=weights, capacity=CAPACITY)
    manifest = open_bundle(tmp_path / "new").manifest
    assert manifest.target == target
    assert manifest.backbone.cache_dtype == ("bfloat16" if weights == "bf16" else "float16")
    half = "bf16" if weights == "bf16" else "fp16"
    quantised = weights if weights in ("int8", "int4") else half
    assert {role: graph.precision for role, graph in manifest.graphs.items()} == {
        "backbone": quantised,
        "text_head": quantised,
        "image_head": half,
        "image_decoder": "fp16",
        "image_tokenizer": "fp32",
    }
    for role, graph in manifest.graphs.items():
        model = ir.load(tmp_path / "new" / graph.file)
        for tensors, values in ((graph.inputs, model.graph.inputs), (graph.outputs, model.graph.outputs)):
            for tensor, value in zip(tensors, values, strict=True):
                assert (tensor.name, tensor.dtype) == (value.name, _named(value)), role
        kinds = {node.op_type for node in model.graph}
        assert ("MatMulNBits" in kinds) == (target == "cuda" and graph.precision in ("int8", "int4"))
        assert ("DequantizeLinear" in kinds) == (target != "cuda" and graph.precision in ("int8", "int4"))


def _named(value: ir.Value) -> str:
    names = {"FLOAT": "float32", "FLOAT16": "float16", "BFLOAT16": "bfloat16", "INT64": "int64"}
    return names[str(value.dtype)]


@on_one
@pytest.mark.parametrize("weights", ["fp32", "int3"])
def test_weights_that_gpus_do_not_have(exported: Exported, tmp_path: Path, weights: str) -> None:
    with pytest.raises(RequestError, match=f"rtx has no weights of kind '{weights}'; choose one of fp16"):
        quantize(exported.portable, tmp_path / "new", target="rtx", weights=weights)
