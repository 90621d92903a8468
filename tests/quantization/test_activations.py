"""Quantised products against numpy and against each other's forms, on ONNX Runtime."""

from collections import Counter
from pathlib import Path

import ml_dtypes
import numpy as np
import onnx
import onnx_ir as ir
import pytest
from calibrated import relative, session

from edgevlo.export.graphs.graph_builder import Network
from edgevlo.quantization.passes.matmul_integer import MatMulIntegerPass
from edgevlo.quantization.passes.qdq import Kind, QuantizeDequantizePass, quantised_weight
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.errors import BundleError, CalibrationError


def product(matrix: Array, bias: Array | None = None, readers: int = 1) -> ir.Model:
    net = Network("product", 20)
    x = net.input("x", ir.DataType.FLOAT, ("N", matrix.shape[0]))
    for number in range(readers):
        y = net.op("MatMul", x, net.weight(f"w{number}", matrix.shape, lambda: matrix), name=f"product{number}")
        if bias is not None:
            y = net.op("Add", y, net.weight(f"b{number}", bias.shape, lambda: bias))
        net.output(y, f"y{number}", ir.DataType.FLOAT, ("N", matrix.shape[1]))
    return net.model()


def simulated(x: Array, matrix: Array, threshold: float, kind: Kind) -> Array:
    """Return what the standard's words make of the product, in float64."""
    columns = np.abs(matrix).max(axis=0)
    if kind == "int8":
        step, steps = threshold / 127, columns / 127
        rounded = np.clip(np.rint(x / step), -128, 127) * step
        weights = np.rint(matrix / steps) * steps
    else:
        step, steps = threshold / 448, columns / 448
        rounded = np.clip(x / step, -448, 448).astype(ml_dtypes.float8_e4m3fn).astype(np.float64) * step
        weights = (matrix / steps).astype(ml_dtypes.float8_e4m3fn).astype(np.float64) * steps
    return np.asarray(rounded @ weights)


@pytest.fixture
def numbers() -> tuple[Array, Array]:
    random = np.random.default_rng(0)
    return random.standard_normal((5, 96)).astype(np.float32), random.standard_normal((96, 40)).astype(np.float32)


@pytest.mark.parametrize("kind", ["int8", "fp8"])
@pytest.mark.parametrize("threshold", [1.5, 4.0])  # the first clips
def test_a_product_is_what_the_standard_says(
    numbers: tuple[Array, Array], tmp_path: Path, kind: Kind, threshold: float
) -> None:
    x, matrix = numbers
    model = product(matrix)
    assert QuantizeDequantizePass(kind, {"x": threshold})(model).modified
    (found,) = session(model, tmp_path).run(None, {"x": x})
    assert relative(found, simulated(x, matrix, threshold, kind)) < 2e-6
    onnx.checker.check_model(tmp_path / "graph.onnx")
    assert relative(found, x @ matrix) > 1e-3  # it is quantised


def test_integer_products_are_those_of_the_standard_form(numbers: tuple[Array, Array], tmp_path: Path) -> None:
    x, matrix = numbers
    bias = np.random.default_rng(1).standard_normal(40).astype(np.float32)
    standard, fused = product(matrix, bias, readers=3), product(matrix, bias, readers=3)
    for model in (standard, fused):
        QuantizeDequantizePass("int8", {"x": 4.0})(model)
    assert MatMulIntegerPass()(fused).modified
    kinds = Counter(node.op_type for node in fused.graph)
    assert kinds == {"QuantizeLinear": 1, "MatMulIntegerToFloat": 3}
    for ours, theirs in zip(*(session(m, tmp_path).run(None, {"x": x}) for m in (fused, standard)), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5)


def test_float_and_fp8_products_stay_as_they_are(numbers: tuple[Array, Array]) -> None:
    model = product(numbers[1])
    assert not MatMulIntegerPass()(model).modified
    QuantizeDequantizePass("fp8", {"x": 1.0})(model)
    assert not MatMulIntegerPass()(model).modified


def test_onnxruntime_fuses_the_standard_form(numbers: tuple[Array, Array], tmp_path: Path) -> None:
    model = product(numbers[1])
    QuantizeDequantizePass("int8", {"x": 4.0})(model)
    session(model, tmp_path, optimised=tmp_path / "optimised.onnx")
    kinds = Counter(node.op_type for node in onnx.load(tmp_path / "optimised.onnx").graph.node)
    assert kinds == {"QuantizeLinear": 1, "MatMulIntegerToFloat": 1}


@pytest.mark.parametrize("kind", ["int8", "fp8"])
@pytest.mark.parametrize("op", ["Conv", "Gemm"])
def test_convolutions_and_gemms_have_a_scale_per_output_channel(tmp_path: Path, kind: Kind, op: str) -> None:
    random, net = np.random.default_rng(0), Network("product", 20)
    if op == "Conv":
        x, weight = random.standard_normal((1, 8, 6, 6)), random.standard_normal((12, 8, 3, 3))
    else:
        x, weight = random.standard_normal((4, 8)), random.standard_normal((12, 8))
    weight *= 10.0 ** random.uniform(-3, 3, (12, *[1] * (weight.ndim - 1)))  # one scale for all would lose the small
    weight = weight.astype(np.float32)
    value = net.input("x", ir.DataType.FLOAT, x.shape)
    attributes = {"pads": [1] * 4} if op == "Conv" else {"transB": 1}
    net.output(
        net.op(op, value, net.weight("w", weight.shape, lambda: weight), name="product", **attributes),
        "y",
        ir.DataType.FLOAT,
        (1, 12, 6, 6) if op == "Conv" else (4, 12),
    )
    model = net.model()
    feeds = {"x": x.astype(np.float32)}
    (exact,) = session(model, tmp_path).run(None, feeds)
    QuantizeDequantizePass(kind, {"x": float(np.abs(x).max())})(model)
    (found,) = session(model, tmp_path).run(None, feeds)
    for channel in range(12):
        assert 1e-4 < relative(found[:, channel], exact[:, channel]) < {"int8": 0.02, "fp8": 0.06}[kind]


def test_what_cannot_be_quantised_is_named(numbers: tuple[Array, Array]) -> None:
    with pytest.raises(CalibrationError, match=r"no range for tensor 'x', the input of product0"):
        QuantizeDequantizePass("int8", {})(product(numbers[1]))
    with pytest.raises(CalibrationError, match=r"range of tensor 'x' is not finite"):
        QuantizeDequantizePass("int8", {"x": float("inf")})(product(numbers[1]))
    broken = numbers[1].copy()
    broken[3, 4] = np.nan
    with pytest.raises(BundleError, match=r"layer\.weight holds NaN or infinity"):
        quantised_weight(ir.tensor(broken, name="layer.weight"), 1, "int8")


def test_named_operators_keep_their_precision(numbers: tuple[Array, Array]) -> None:
    model = product(numbers[1], readers=2)
    QuantizeDequantizePass("int8", {"x": 4.0}, keep=["product1"])(model)
    assert Counter(node.op_type for node in model.graph) == {
        "QuantizeLinear": 1,
        "DequantizeLinear": 2,
        "MatMul": 2,
    }
