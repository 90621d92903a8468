"""AWQ: the float function stays, what is rounded afterwards is nearer to it, and where it cannot be used it says so."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from calibrated import relative, session
from dequantised import dequantised
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.calibration.moments import second_moments
from edgevlo.export.graphs.graph_builder import Network
from edgevlo.quantization import quantize
from edgevlo.quantization.passes._graph import matmuls
from edgevlo.quantization.precision_recipes import INT4, INT8, Blocks
from edgevlo.quantization.weight_only.awq import ActivationAwarePass
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.quantization.weight_only.methods import packed
from edgevlo.quantization.weight_only.rtn import rounded
from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import BundleError, RequestError
from edgevlo.runtime.model import Model

on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.mark.parametrize("weights", [INT4, INT8, replace(INT4, block_size=64)], ids=["int4", "int8", "blocks of 64"])
@pytest.mark.parametrize("inputs", [128, 100])
def test_rounding_while_searching_is_that_of_onnx_runtime(weights: Blocks, inputs: int) -> None:
    matrix = np.random.default_rng(0).standard_normal((inputs, 24)).astype(np.float32)
    matrix[:, 3] = 0
    expected = dequantised(packed("matrix", matrix, weights), inputs, weights.bits)
    np.testing.assert_allclose(rounded(matrix, weights), expected, atol=1e-6)


def normed(weight: Floats) -> ir.Model:
    """Return y = RMSNorm(x) W with channels of very different size behind the norm."""
    size = len(weight)
    scales = np.exp(1.5 * np.random.default_rng(1).standard_normal(size)).astype(np.float32)
    net = Network("normed", 23)
    x = net.input("x", ir.DataType.FLOAT, ("N", size))
    behind = net.op("RMSNormalization", x, net.constant(scales, np.float32), name="norm", axis=-1)
    y = net.op("MatMul", behind, net.weight("matrix", weight.shape, lambda: weight), name="product")
    net.output(y, "y", ir.DataType.FLOAT, ("N", weight.shape[1]))
    return net.model()


def squares_of(model: ir.Model, x: Floats) -> Floats:
    """Return the mean squares of what the product reads, computed by numpy."""
    (scales,) = (one.const_value.numpy() for one in model.graph.initializers.values() if one.const_value.size == 128)  # type: ignore[union-attr]
    behind = x / np.sqrt(np.mean(np.square(x), axis=1, keepdims=True)) * scales
    return np.asarray(np.mean(np.square(behind), axis=0), dtype=np.float32)


def test_rounded_weights_lose_less_of_what_a_layer_gives(tmp_path: Path) -> None:
    random = np.random.default_rng(2)
    weight, x = (random.standard_normal(shape).astype(np.float32) for shape in ((128, 64), (200, 128)))
    squares = squares_of(normed(weight), x)

    def given(name: str, *, aware: bool, rounded: bool) -> Array:
        model = normed(weight)
        if aware:
            assert ActivationAwarePass({"product": INT4}, {"product": squares})(model).modified
        if rounded:
            MatMulNBitsPass(INT4)(model)
            (node,) = [node for node in model.graph if node.op_type == "MatMulNBits"]
            node.attributes.pop("accuracy_level")  # only the weights are judged
        (tmp_path / name).mkdir()
        return np.asarray(session(model, tmp_path / name).run(None, {"x": x})[0], np.float64)

    exact = given("exact", aware=False, rounded=False)
    assert relative(given("scaled", aware=True, rounded=False), exact) < 1e-6
    nearest_only = relative(given("nearest", aware=False, rounded=True), exact)
    assert relative(given("aware", aware=True, rounded=True), exact) < 0.8 * nearest_only


def test_what_is_not_rounded_so_or_never_seen_is_left_alone() -> None:
    weight = np.random.default_rng(3).standard_normal((128, 8)).astype(np.float32)
    assert not ActivationAwarePass({}, {})(normed(weight)).modified
    nothing = {"product": np.zeros(128, np.float32)}
    assert not ActivationAwarePass({"product": INT4}, nothing)(normed(weight)).modified
    same = {"product": np.ones(128, np.float32)}  # nothing to tell the channels apart by
    assert not ActivationAwarePass({"product": INT4}, same)(normed(weight)).modified


def test_weights_that_are_no_numbers_are_named() -> None:
    weight = np.ones((128, 8), np.float32)
    weight[2, 3] = np.inf
    with pytest.raises(BundleError, match="matrix holds NaN or infinity"):
        ActivationAwarePass({"product": INT4}, {"product": np.ones(128, np.float32)})(normed(weight))


@pytest.mark.parametrize("exported", SHAPES[:3], indirect=True, ids=lambda shape: shape.name)
def test_the_backbone_computes_what_it_did(exported: Exported, tmp_path: Path) -> None:
    squares = second_moments(open_bundle(exported.portable), count=4, squares=True)
    whole = second_moments(open_bundle(exported.portable), count=4)
    assert squares.keys() == whole.keys()
    for name, one in squares.items():
        np.testing.assert_allclose(one, whole[name].diagonal(), rtol=1e-4)

    model = ir.load(exported.portable / "backbone.onnx")
    names = {str(node.name): INT4 for node in matmuls(model.graph)}
    feeds = step(model)
    (exact,) = run(model, tmp_path / "before", feeds)
    assert ActivationAwarePass(names, squares)(model).modified
    (found,) = run(model, tmp_path / "after", feeds)
    assert relative(found, exact) < 1e-5


def step(model: ir.Model) -> dict[str, Array]:
    random, feeds = np.random.default_rng(4), dict[str, Array]()
    sizes: dict[str, int] = {"past_lengths": 0, "token_counts": 5}
    for value in model.graph.inputs:
        shape = [size if isinstance(size, int) else None for size in value.shape or ()]
        if value.name == "inputs_embeds":
            feeds[value.name] = random.standard_normal((2, 5, shape[2] or 0)).astype(np.float32)
        elif value.name in sizes:
            feeds[value.name] = np.full(2, sizes[value.name])
        else:
            feeds[str(value.name)] = np.zeros((2, shape[1] or 0, 16, shape[3] or 0), np.float32)
    return feeds


def run(model: ir.Model, folder: Path, feeds: dict[str, Array]) -> list[Array]:
    folder.mkdir()
    return list(session(model, folder).run(["hidden"], feeds))


def array(value: ir.Value) -> Array:
    assert value.const_value is not None
    return value.const_value.numpy()


@on_one
@pytest.mark.parametrize("target", ["cpu", "tensorrt"])
def test_the_command_collects_what_it_needs(exported: Exported, tmp_path: Path, target: str) -> None:
    options: dict[str, Any] = {"target": target, "weights": "int4"}
    made = quantize(exported.portable, tmp_path / "awq", method="awq", requests=2, accept_loss=True, **options)
    quantize(exported.portable, tmp_path / "rtn", target=target, weights="int4", requests=0)
    assert made.graphs["backbone"].precision == "int4"
    aware, plain = (ir.load(tmp_path / name / "backbone.onnx").graph.initializers for name in ("awq", "rtn"))
    scales = [name for name in aware if "layernorm" in name]
    assert scales
    for name in scales:  # divided, and the weights behind multiplied
        assert not np.array_equal(array(aware[name]), array(plain[name]))
    if target == "cpu":
        assert Model.open(tmp_path / "awq").paint("a red car", seed=1).size
    with pytest.raises(RequestError, match=r"awq has no second moments for .*: no request uses it"):
        quantize(
            exported.portable, tmp_path / "blind", target=target, weights="int4", method="awq", moments={}, requests=0
        )
    assert not (tmp_path / "blind").exists()
