"""Graphs in half precision against the same graphs in float32, on ONNX Runtime's CPU provider."""

import shutil
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported
from graph_runs import error, product, run, session

from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.quantization import quantize
from edgevlo.quantization.operator_schemas import infer_types
from edgevlo.quantization.passes.half_precision import HalfPrecisionPass
from edgevlo.quantization.targets.gpu import gpu_passes
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle, seal
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.schema import read_manifest

CAPACITY = 48
FLOAT, HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16

on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


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
        quantize(broken, tmp_path / "new", target="cuda", weights="fp16", requests=0)
    assert not (tmp_path / "new").exists()


def test_bf16_holds_what_fp16_does_not(tmp_path: Path) -> None:
    model = product(np.full((4, 2), 1e6, np.float32))
    HalfPrecisionPass("bf16")(model)
    write_graph(model, tmp_path / "graph.onnx")
