"""How blocks are rounded, held against a float64 reference, and what can be chosen module by module."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from dequantised import dequantised
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.quantization import Static, quantize
from edgevlo.quantization.modules import check_overrides
from edgevlo.quantization.passes._graph import matmuls, matrix_of
from edgevlo.quantization.passes.half_storage import HalfStoragePass
from edgevlo.quantization.precision_recipes import HALF, INT4, INT8, METHODS, Blocks, Method
from edgevlo.quantization.requested_precisions import Choice, override
from edgevlo.quantization.weight_only.gptq import inverse_hessian_factor
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.quantization.weight_only.methods import packed
from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import BundleError, RequestError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.model import Model

only_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


def read_through(matrix: Array, count: int) -> Floats:
    """Return what a layer may read, `(count, K)`: channels of many sizes that go together."""
    random = np.random.default_rng(5)
    mixed = random.standard_normal((len(matrix), len(matrix))) * np.exp(random.standard_normal(len(matrix)))
    return (random.standard_normal((count, len(matrix))) @ mixed).astype(np.float32)


def product_error(path: Path, matrix: Floats, x: Floats, weights: Blocks, **more: Any) -> float:
    """Return the error of ONNX Runtime's product with a quantised matrix, as a share of the exact product."""
    net = Network("product", 20)
    entering = net.input("x", ir.DataType.FLOAT, ("N", len(matrix)))
    y = net.op("MatMul", entering, net.weight("matrix", matrix.shape, lambda: matrix), name="product")
    net.output(y, "y", ir.DataType.FLOAT, ("N", matrix.shape[1]))
    model = net.model()
    assert MatMulNBitsPass(weights, **more)(model).modified
    (node,) = [node for node in model.graph if node.op_type == "MatMulNBits"]
    node.attributes["accuracy_level"] = ir.AttrInt64("accuracy_level", 1)  # float: only the weights are judged
    write_graph(model, path)
    (found,) = ort.InferenceSession(path).run(None, {"x": x})
    exact = x.astype(np.float64) @ matrix
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("weights", "most"), [(INT8, 0.012), (INT4, 0.13)], ids=["int8", "int4"])
@pytest.mark.parametrize("inputs", [128, 100])  # 100: the last block is padded
def test_every_method_is_near_the_exact_product(
    tmp_path: Path, method: Method, weights: Blocks, most: float, inputs: int
) -> None:
    matrix = np.random.default_rng(1).standard_normal((inputs, 40)).astype(np.float32)
    x = read_through(matrix, 400)
    moments = {"product": x.T @ x}
    changed = replace(weights, method=method, block_size=32)
    assert product_error(tmp_path / "product.onnx", matrix, x, changed, moments=moments) < most


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("bits", [4, 8])
def test_blocks_of_every_kind_keep_their_numbers(method: Method, bits: int) -> None:
    random = np.random.default_rng(6)
    columns = {
        "of one sign": random.uniform(0.5, 1, 64),
        "nearly equal": -random.uniform(1, 1.1, 64),
        "equal": np.full(64, -0.5),
        "zero": np.zeros(64),
        "tiny": 1e-6 * random.standard_normal(64),
    }
    matrix = np.stack(list(columns.values()), axis=1).astype(np.float32)
    moments = np.eye(64, dtype=np.float32)
    weights = replace(INT4, bits=bits, block_size=32, method=method)
    found = dequantised(packed("matrix", matrix, weights, inverse_hessian_factor(moments)), 64, bits)
    for place, name in enumerate(columns):
        exact = matrix[:, place].astype(np.float64)
        error = float(np.linalg.norm(found[:, place] - exact))
        assert error <= {4: 0.15, 8: 0.01}[bits] * float(np.linalg.norm(exact)), name


@only_one
@pytest.mark.parametrize(
    ("value", "match"), [(np.nan, "they are not finite"), (-1.0, "they are not positive definite")]
)
def test_moments_of_nothing_real_are_refused(exported: Exported, tmp_path: Path, value: float, match: str) -> None:
    graphs = [ir.load(exported.portable / f"{role}.onnx").graph for role in ("backbone", "image_head", "text_head")]
    shapes = {str(node.name): matrix_of(node) for graph in graphs for node in matmuls(graph)}
    moments = {
        name: np.float32(value) * np.eye(len(matrix.numpy()), dtype=np.float32)
        for name, matrix in shapes.items()
        if matrix is not None
    }
    with pytest.raises(BundleError, match=rf"GPTQ cannot use the second moments of the input of \S+: {match}"):
        quantize(exported.portable, tmp_path / "made", weights="int4", method="gptq", moments=moments, requests=0)
    assert list(tmp_path.iterdir()) == []


@only_one
def test_the_command_collects_what_gptq_needs(exported: Exported, tmp_path: Path) -> None:
    given: dict[str, Any] = {"method": "gptq", "block_size": 32, "requests": 2, "accept_loss": True}
    made = quantize(exported.portable, tmp_path / "made", weights="int4", **given)
    assert made.quality is not None
    quantize(exported.portable, tmp_path / "rtn", weights="int4", requests=0)
    layer = "model.text_model.layers.1.mlp.down_proj.weight.int4.32."
    gptq, rtn = (
        constants(tmp_path / name / "backbone.onnx", f"{layer}{method}")
        for name, method in (("made", "gptq"), ("rtn", "rtn"))
    )
    assert gptq.shape == rtn.shape
    assert 0.05 < (gptq != rtn).mean() < 0.9


def constants(path: Path, name: str) -> Array:
    return constant_of(ir.load(path).graph.initializers[name])


def test_a_matrix_that_two_products_read_is_each_what_was_chosen(tmp_path: Path) -> None:
    matrix = np.random.default_rng(8).standard_normal((64, 64)).astype(np.float32)
    net = Network("products", 20)
    x, weight = net.input("x", ir.DataType.FLOAT, ("N", 64)), net.weight("m", (64, 64), lambda: matrix)
    y = net.op("MatMul", net.op("MatMul", net.op("MatMul", x, weight, name="a"), weight, name="b"), weight, name="c")
    net.output(y, "y", ir.DataType.FLOAT, ("N", 64))
    model = net.model()
    passes = (
        MatMulNBitsPass(INT8, only=("a",)),
        MatMulNBitsPass(INT4, only=("b",)),
        HalfStoragePass(HALF, only=("c",)),
    )
    for one in passes:
        assert one(model).modified
    write_graph(model, tmp_path / "products.onnx")
    feed = np.random.default_rng(9).standard_normal((5, 64)).astype(np.float32)
    (found,) = ort.InferenceSession(tmp_path / "products.onnx").run(None, {"x": feed})
    exact = feed.astype(np.float64) @ matrix @ matrix @ matrix
    assert 0.01 < np.linalg.norm(found - exact) / np.linalg.norm(exact) < 0.15


def test_methods_that_search_are_better_than_the_nearest_number(tmp_path: Path) -> None:
    matrix = np.random.default_rng(2).standard_normal((256, 96)).astype(np.float32)
    seen, other = np.split(read_through(matrix, 2000), 2)
    moments = {"product": seen.T @ seen}
    errors = {
        method: product_error(
            tmp_path / f"{method}.onnx", matrix, other, replace(INT4, method=method, block_size=64), moments=moments
        )
        for method in METHODS
    }
    assert errors["gptq"] < 0.9 * errors["rtn"]
    assert errors["k_quant"] < errors["rtn"]
    assert errors["hqq"] < errors["rtn"]


def test_gptq_corrects_as_the_inverse_of_the_moments_says() -> None:
    x = read_through(np.zeros((24, 1)), 500).astype(np.float64)
    moments = x.T @ x
    damped = moments + 0.01 * np.diag(moments).mean() * np.eye(24)
    factor = inverse_hessian_factor(moments.astype(np.float32)).astype(np.float64)
    assert np.array_equal(factor, np.triu(factor))
    np.testing.assert_allclose(factor.T @ factor @ damped, np.eye(24), atol=2e-2)


def test_a_channel_that_was_never_seen_is_rounded_all_the_same() -> None:
    matrix = np.random.default_rng(3).standard_normal((64, 8)).astype(np.float32)
    moments = np.zeros((64, 64), dtype=np.float32)
    gptq = packed("matrix", matrix, replace(INT8, method="gptq"), inverse_hessian_factor(moments))
    rtn = packed("matrix", matrix, INT8)
    np.testing.assert_array_equal(gptq.blocks, rtn.blocks)
    np.testing.assert_allclose(gptq.scales, rtn.scales, rtol=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_numbers_that_are_none_are_named(method: Method) -> None:
    matrix = np.ones((64, 8), dtype=np.float32)
    matrix[3, 4] = np.nan
    with pytest.raises(BundleError, match=r"layers\.3\.weight holds NaN or infinity"):
        packed("layers.3.weight", matrix, replace(INT4, method=method), np.eye(64, dtype=np.float32))


def test_gptq_without_anything_seen_says_so() -> None:
    with pytest.raises(BundleError, match="GPTQ has no second moments of the input of layer"):
        packed("layer", np.ones((64, 8), dtype=np.float32), replace(INT4, method="gptq"))


@only_one
@pytest.mark.parametrize(("weights", "method"), [("int4", "k_quant"), ("int4", "hqq"), ("int8", "k_quant")])
def test_bundles_of_every_method_paint(exported: Exported, tmp_path: Path, weights: str, method: str) -> None:
    quantize(exported.portable, tmp_path / "made", weights=weights, method=method, block_size=64, requests=0)
    nodes = [node for node in ir.load(tmp_path / "made" / "backbone.onnx").graph if node.op_type == "MatMulNBits"]
    assert {node.attributes["block_size"].as_int() for node in nodes} == {64}
    assert {len(node.inputs) for node in nodes} == {4}
    Model.open(tmp_path / "made").paint("a red car", seed=1)


@only_one
def test_single_layers_and_modules_become_what_is_asked(exported: Exported, tmp_path: Path) -> None:
    wanted = ("*.down_proj=int8", "text_head=fp32", "*.layers.1.*=fp32", "tables=fp32", "*.q_proj=fp16")
    quantize(exported.portable, tmp_path / "made", weights="int4", overrides=wanted, requests=0)

    manifest = open_bundle(tmp_path / "made").manifest
    graph = ir.load(tmp_path / "made" / "backbone.onnx").graph
    bits = Counter(node.attributes["bits"].as_int() for node in graph if node.op_type == "MatMulNBits")
    whole = {str(node.name).rpartition("layers.")[2] for node in graph if node.op_type == "MatMul"}
    assert bits == {4: 2 * 5, 8: 2}
    halves = {f"{layer}.self_attn.q_proj" for layer in range(3)}
    assert whole == halves | {
        f"1.{name}" for name in (
            "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj"
        )
    }  # fmt: skip
    assert len([node for node in graph if node.op_type == "Cast" and "q_proj" in str(node.name)]) == len(halves)
    assert manifest.graphs["backbone"].precision == "int4"
    assert manifest.graphs["text_head"].precision == "fp32"
    assert manifest.token_embedding.dtype == "float32"
    Model.open(tmp_path / "made").paint("a red car", seed=1)


@only_one
@pytest.mark.parametrize("weights", ["fp16", "bf16"])
def test_half_precision_is_half_the_bytes_and_paints_alike(exported: Exported, tmp_path: Path, weights: str) -> None:
    made = quantize(exported.portable, tmp_path / "made", weights=weights, requests=0)
    portable = open_bundle(exported.portable).manifest
    assert made.graphs["backbone"].precision == weights
    for role in ("backbone", "text_head", "image_head"):
        name = f"{role}.onnx.data"
        assert made.files[name].bytes <= 0.6 * portable.files[name].bytes
    kind, least = {"fp16": (ir.DataType.FLOAT16, 2.0**-11), "bf16": (ir.DataType.BFLOAT16, 2.0**-8)}[weights]
    exact = ir.load(exported.portable / "backbone.onnx").graph.initializers
    halves = [value for value in ir.load(tmp_path / "made" / "backbone.onnx").graph.initializers.values()
              if value.dtype == kind]  # fmt: skip
    assert len(halves) >= 7 * 3
    for value in halves:
        numbers, rounded = (
            constant_of(one).astype(np.float64) for one in (exact[str(value.name).removesuffix(".half")], value)
        )
        normal = np.abs(numbers) > 1e-4  # of float16 the smaller ones have fewer digits
        assert 0 < np.abs(rounded[normal] / numbers[normal] - 1).max() <= least
    Model.open(tmp_path / "made").paint("a red car", seed=1)


def constant_of(value: ir.Value) -> Array:
    assert value.const_value is not None
    return value.const_value.numpy()


@only_one
@pytest.mark.parametrize("module", ["text_head", "image_head", "image_decoder"])
def test_a_whole_module_can_be_float32_on_a_gpu(exported: Exported, tmp_path: Path, module: GraphRole) -> None:
    options: dict[str, Any] = {"target": "tensorrt", "weights": "int8", "capacity": 192}
    usual = quantize(exported.portable, tmp_path / "usual", requests=0, **options)
    made = quantize(exported.portable, tmp_path / "made", overrides=[f"{module}=fp32"], requests=0, **options)
    assert made.graphs[module].precision == "fp32"
    assert {role for role in made.graphs if made.graphs[role] != usual.graphs[role]} == {module}
    values = ir.load(tmp_path / "made" / f"{module}.onnx").graph.initializers.values()
    assert not {value.dtype for value in values} & {ir.DataType.FLOAT16, ir.DataType.INT8}


@only_one
@pytest.mark.parametrize("target", ["rtx", "tensorrt"])
def test_fp8_weights_are_dequantised_in_front_of_their_products(
    exported: Exported, tmp_path: Path, target: str
) -> None:
    made = quantize(exported.portable, tmp_path / "made", target=target, weights="fp8", capacity=192, requests=0)
    assert made.graphs["backbone"].precision == "fp8"
    assert made.graphs["backbone"].activations is None
    graph = ir.load(tmp_path / "made" / "backbone.onnx").graph
    dequantised = [node for node in graph if node.op_type == "DequantizeLinear"]
    assert len(dequantised) == 7 * 3
    assert {node.inputs[0].dtype for node in dequantised if node.inputs[0]} == {ir.DataType.FLOAT8E4M3FN}


@only_one
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "best"}, "no method 'best'; choose one of rtn, k_quant, hqq, gptq, awq"),
        ({"method": "awq", "static": Static(cache="int8")}, "`method='awq'` scales the values that enter the KV cache"),
        ({"requests": -1}, "`requests=-1` is negative; 0 skips the quality check"),
        ({"block_size": 48}, "`block_size=48` is not supported; choose one of 32, 64, 128"),
        ({"overrides": ["backbone"]}, r"`overrides='backbone'` is not of the form PATTERN=fp32\|"),
        ({"overrides": ["backbone=int2"]}, "'backbone=int2'` is not of the form"),
        (
            {"overrides": ["bakcbone=int4"]},
            "`overrides` names 'bakcbone', which matches no module and no layer; did you mean 'backbone'",
        ),
        ({"overrides": ["*.nothing=int4"]}, "matches no module and no layer; modules are tables, backbone"),
        ({"overrides": ["tables=bf16"]}, "tables cannot be bf16, only fp32, fp16, int8 or int4"),
        ({"overrides": ["text_head=fp8"]}, "only targets rtx and tensorrt support fp8 weights"),
        ({"weights": "fp8"}, "cpu does not support 'fp8' weights"),
        ({"target": "cuda", "weights": "fp8"}, "cuda does not support 'fp8' weights"),
        (
            {"target": "rtx", "method": "hqq"},
            "`method='hqq'` needs zero points, which target 'rtx' does not support; choose one of rtn",
        ),
        ({"target": "cuda", "overrides": ["text_head=bf16"]}, "the half precision is that of `weights`; write fp16"),
        (
            {"target": "cuda", "overrides": ["back*=fp32"]},
            r"'back\*' cannot be fp32 on a GPU; .*: image_head, text_head",
        ),
        ({"target": "rtx", "overrides": ["tables=fp32"]}, "'tables' cannot be fp32 on a GPU"),
        (
            {"target": "rtx", "overrides": ["*.q_proj=fp32"]},
            r"'\*\.q_proj' cannot be fp32 on a GPU; only whole modules",
        ),
        ({"target": "cuda", "overrides": ["image_head=fp16"]}, "'image_head' is not quantised for cuda anyway"),
        ({"weights": "fp16", "method": "rtn"}, "no effect: fp16 quantises nothing in blocks"),
        ({"capacity": 512}, "`capacity` is for GPU bundles; leave it out for target 'cpu'"),
        (
            {"overrides": ["text_head=fp32"], "static": Static(activations="int8")},
            "cannot be combined with `activations`; use `keep`",
        ),
        ({"method": "gptq", "static": Static(activations="int8")}, "`method='gptq'` uses inputs from before smoothing"),
    ],
    ids=lambda value: " ".join(map(str, value.values())) if isinstance(value, dict) else "",
)
def test_choices_that_mean_nothing_are_refused(
    exported: Exported, tmp_path: Path, options: dict[str, Any], match: str
) -> None:
    with pytest.raises(RequestError, match=match):
        quantize(exported.portable, tmp_path / "made", **{"requests": 0, **options})
    assert list(tmp_path.iterdir()) == []


def test_a_module_without_linear_layers_cannot_be_quantised_in_blocks() -> None:
    names: dict[GraphRole, tuple[str, ...]] = {"backbone": ("layers.0.q_proj",), "image_decoder": ()}
    with pytest.raises(RequestError, match="'image_\\*' has no linear layers to become int4; choose fp16"):
        check_overrides(Choice({}, (override("image_*=int4", "cpu"),)), names)
    fine = ("image_decoder=fp16", "*=int4", "tables=int4", "*.q_proj=int8")
    check_overrides(Choice({}, tuple(override(one, "cpu") for one in fine)), names)
