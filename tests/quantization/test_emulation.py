"""GPU bundles computed on a CPU: every rounding against numpy's, and what the gate makes of them."""

import json
from pathlib import Path
from typing import Any

import ml_dtypes
import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from calibrated import PROMPTS, session
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.calibration.evaluation.evaluate import evaluate
from edgevlo.calibration.evaluation.gate import judge, reference_of
from edgevlo.calibration.evaluation.hidden_states import LayerStates, open_layered
from edgevlo.cli import run
from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.quantization import open_emulated, quantize
from edgevlo.quantization.passes.dequantize_matmul import DequantizeMatMulPass
from edgevlo.quantization.passes.half_precision import HalfPrecisionPass
from edgevlo.quantization.passes.qdq import QuantizeDequantizePass
from edgevlo.quantization.precision_recipes import GPU_INT8, INT4
from edgevlo.quantization.targets.rounded_float import RoundedFloatPass
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import MemoryShortError
from edgevlo.runtime.memory import refuse
from edgevlo.runtime.model import Model

HALVES: dict[Any, Any] = {"fp16": np.float16, "bf16": ml_dtypes.bfloat16}

on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


def computed(model: ir.Model, folder: Path, feeds: dict[str, Array]) -> Array:
    write_graph(model, folder / "graph.onnx")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    session = ort.InferenceSession(folder / "graph.onnx", options, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, feeds)[0])


def small_weight() -> Array:
    return (0.03 * np.random.default_rng(1).standard_normal((64, 8))).astype(np.float32)


def three_steps(half: Any) -> ir.Model:
    """Return y = sigmoid((x + 2048 - 2048) W), in half precision between float32 ends."""
    net = Network("steps", 20)
    x = net.input("x", ir.DataType.FLOAT, (2, 64))
    far = net.constant(np.full(64, 2048.0, np.float32), np.float32)
    weight = net.constant(small_weight(), np.float32)
    near = net.op("Sub", net.op("Add", x, far), far)
    net.output(net.op("Sigmoid", net.op("MatMul", near, weight)), "y", ir.DataType.FLOAT, (2, 8))
    model = net.model()
    HalfPrecisionPass(half)(model)
    return model


@pytest.mark.parametrize("half", HALVES)
def test_every_value_is_rounded_to_the_type_that_it_has(half: Any, tmp_path: Path) -> None:
    kind, random = HALVES[half], np.random.default_rng(2)
    x = (4 * random.standard_normal((2, 64))).astype(np.float32)

    def rounded(values: Array) -> Array:
        return values.astype(kind).astype(np.float32)

    weight = rounded(small_weight())

    near = rounded(rounded(rounded(x) + np.float32(2048)) - np.float32(2048))
    product = rounded(near @ weight)
    expected = rounded(1 / (1 + np.exp(-product.astype(np.float64))))

    model = three_steps(half)
    RoundedFloatPass()(model)
    found = computed(model, tmp_path, {"x": x})

    np.testing.assert_allclose(found, expected, rtol=2.0 ** (-10 if half == "fp16" else -7))  # a last digit at most
    assert (found == expected).mean() > 0.9
    exact = 1 / (1 + np.exp(-(x @ weight)))
    assert np.abs(found - exact).max() > 20 * np.abs(found - expected).max()  # the graph does round
    assert not {value.dtype for node in model.graph if node.op_type != "Cast" for value in node.outputs} - {
        ir.DataType.FLOAT
    }


def test_halves_at_the_ends_of_a_graph_stay_halves(tmp_path: Path) -> None:
    half, x = ir.DataType.FLOAT16, np.array([0.3, 2049], np.float16)
    net = Network("ends", 20)
    far = net.constant(np.full(2, 2048, np.float16), np.float16)
    net.output(net.op("Add", net.input("x", half, (2,)), far), "y", half, (2,))
    model = net.model()
    RoundedFloatPass()(model)
    found = computed(model, tmp_path, {"x": x})
    np.testing.assert_array_equal(found, np.array([2048, 4096], np.float16))  # numpy's x + 2048, to even
    assert found.dtype == np.float16


def test_the_cpu_provider_alone_leaves_those_roundings_out(tmp_path: Path) -> None:
    x = np.full((2, 64), 0.3, np.float32)
    plain = computed(three_steps("fp16"), tmp_path, {"x": x})
    model = three_steps("fp16")
    RoundedFloatPass()(model)
    assert np.abs(computed(model, tmp_path, {"x": x}) - 0.5).max() == 0  # 2048.3 is 2048
    assert np.abs(plain - 0.5).max() > 0.005


@pytest.mark.parametrize("kind", ["int8", "fp8"])
def test_quantised_products_between_halves_keep_their_steps(kind: Any, tmp_path: Path) -> None:
    random = np.random.default_rng(3)
    net = Network("product", 20)
    x = net.input("x", ir.DataType.FLOAT, (4, 32))
    weight = random.standard_normal((32, 8)).astype(np.float32)
    net.output(net.op("MatMul", x, net.constant(weight, np.float32)), "y", ir.DataType.FLOAT, (4, 8))
    model = net.model()
    QuantizeDequantizePass(kind, {"x": 4.0})(model)
    HalfPrecisionPass("fp16")(model)
    RoundedFloatPass()(model)
    given = random.standard_normal((4, 32)).astype(np.float32)

    def steps(values: Array, scale: Array) -> Array:
        scaled = values.astype(np.float16).astype(np.float32) / scale
        if kind == "int8":
            return np.asarray(np.clip(np.rint(scaled), -127, 127) * scale)
        return np.asarray(scaled.astype(ml_dtypes.float8_e4m3fn).astype(np.float32) * scale)

    largest = {"int8": 127.0, "fp8": 448.0}[kind]
    scales = (np.abs(weight).max(axis=0, keepdims=True) / largest).astype(np.float16).astype(np.float32)
    x_scale = np.float32(np.float16(4.0 / largest))
    exact_scales = np.abs(weight).max(axis=0, keepdims=True) / np.float32(largest)
    scaled = weight / exact_scales
    packed = np.rint(scaled) if kind == "int8" else scaled.astype(ml_dtypes.float8_e4m3fn).astype(np.float32)
    expected = steps(given, np.asarray(x_scale)) @ (packed * scales)

    found = computed(model, tmp_path, {"x": given})
    assert np.abs(found - expected).max() / np.abs(expected).max() < 3e-3  # half precision
    assert np.abs(found - given @ weight).max() / np.abs(expected).max() > 5e-3  # and eight bits


# Bundles.


# Of a random model's last hidden states, signal over noise in dB: at least and at most, as a graph without any rounding
# would be as wrong as one with too much of it.
NOISE: dict[str, tuple[float, float]] = {
    "fp16": (44, 54), "bf16": (27, 37), "int8": (23, 32), "int4": (3, 9), "fp8": (10, 18),
}  # fmt: skip


@on_one
@pytest.mark.parametrize("weights", NOISE)
def test_bundles_for_gpus_do_on_a_cpu_nearly_what_the_float_graphs_do(
    exported: Exported, tmp_path: Path, weights: str
) -> None:
    path = tmp_path / "requests.txt"
    path.write_text(PROMPTS)
    reference = reference_of(open_bundle(exported.portable), requests=path, count=4)
    kept = []
    for target in ("tensorrt",) if weights == "fp8" else ("cuda", "tensorrt"):
        quantize(exported.portable, tmp_path / target, target=target, weights=weights, capacity=192, requests=0)
        with open_emulated(tmp_path / target) as subject:
            found = judge(reference, subject).figures
        assert 40 < found["decoder_psnr_db"] < 80  # in half precision everywhere
        kept.append(found["hidden_sqnr_db"])
    least, most = NOISE[weights]
    assert all(least < one < most for one in kept)
    assert np.ptp(kept) < 0.5  # the same numbers in two forms: blocks, and dequantised in front of their products


def test_a_product_in_blocks_is_computed_in_float(tmp_path: Path) -> None:
    random = np.random.default_rng(4)
    weight, given = (random.standard_normal(shape).astype(np.float32) for shape in ((64, 8), (4, 64)))
    net = Network("product", 21)
    x = net.input("x", ir.DataType.FLOAT, (4, 64))
    net.output(net.op("MatMul", x, net.constant(weight, np.float32)), "y", ir.DataType.FLOAT, (4, 8))
    model = net.model()
    MatMulNBitsPass(GPU_INT8)(model)
    HalfPrecisionPass("fp16")(model)
    RoundedFloatPass()(model)
    blocks = weight.T.reshape(8, 2, 32)
    scales = np.abs(blocks).max(axis=2, keepdims=True) / 128
    expected = given.astype(np.float16).astype(np.float64) @ (np.rint(blocks / scales) * scales).reshape(8, 64).T
    found = computed(model, tmp_path, {"x": given})
    # Half precision; with inputs in int8, which `accuracy_level` allows on CPUs, it would be 5e-3.
    assert np.abs(found - expected).max() / np.abs(expected).max() < 1e-3


@on_one
def test_a_bundle_for_cpus_is_run_as_it_is(exported: Exported) -> None:
    with open_emulated(exported.portable) as subject:
        assert subject.emulation is None
        assert subject.form is subject.bundle


@on_one
@pytest.mark.parametrize(("target", "weights"), [("cuda", "int8"), ("rtx", "int4"), ("tensorrt", "fp8")])
def test_an_emulation_is_an_ordinary_bundle_that_paints(
    exported: Exported, tmp_path: Path, target: str, weights: str
) -> None:
    quantize(exported.portable, tmp_path / "made", target=target, weights=weights, capacity=192, requests=0)
    before = sorted(tmp_path.rglob("*"))
    with open_emulated(tmp_path / "made") as subject:
        assert subject.bundle.manifest.target == target
        folder = subject.form.folder
        assert open_bundle(folder) == subject.form  # sealed, with the right hashes
        model = Model.open(folder)
        model.check()
        assert model.paint("a red car", seed=3).size
    assert not folder.exists()
    assert sorted(tmp_path.rglob("*")) == before


@on_one
def test_layers_are_compared_with_the_roundings_of_their_graph(exported: Exported, tmp_path: Path) -> None:
    path, count = tmp_path / "requests.txt", open_bundle(exported.portable).manifest.backbone.layers
    path.write_text("a red car\na big tree\n")
    found = {}
    for half in HALVES:
        quantize(exported.portable, tmp_path / half, target="rtx", weights=half, capacity=192, requests=0)
        with open_emulated(tmp_path / half) as subject:
            figures = evaluate(subject, exported.portable, requests=path, count=2).document["figures"]
        found[half] = np.array(list(figures["layer_sqnr_db"].values()))
        assert len(found[half]) == count
        assert abs(found[half][-1] - figures["hidden_sqnr_db"]) < 2  # a norm lies between them
    assert np.all(np.abs(found["fp16"] - found["bf16"] - 18) < 4)  # three bits, of 6 dB each


@on_one
def test_a_quality_check_that_does_not_fit_into_memory_can_be_skipped(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refuse, "available_bytes", lambda: 1000)
    options: dict[str, Any] = {"target": "rtx", "weights": "fp16", "capacity": 192}
    with pytest.raises(MemoryShortError, match=r" Or skip the quality check with `requests=0`\.$"):
        quantize(exported.portable, tmp_path / "made", requests=2, **options)
    assert list(tmp_path.iterdir()) == []
    assert quantize(exported.portable, tmp_path / "made", requests=0, **options).quality is None


@pytest.mark.parametrize("weights", ["activations", "blocks"])
def test_no_integer_kernel_computes_an_emulation(tmp_path: Path, weights: str) -> None:
    """ONNX Runtime would fuse both forms into integer kernels, of which some saturate."""
    net = Network("product", 21)
    x = net.input("x", ir.DataType.FLOAT, (4, 64))
    net.output(net.op("MatMul", x, net.constant(small_weight(), np.float32)), "y", ir.DataType.FLOAT, (4, 8))
    model = net.model()
    if weights == "activations":
        QuantizeDequantizePass("int8", {"x": 4.0})(model)
    else:
        MatMulNBitsPass(INT4)(model)
        DequantizeMatMulPass()(model)
    HalfPrecisionPass("fp16")(model)
    RoundedFloatPass()(model)
    session(model, tmp_path, optimised=tmp_path / "optimised.onnx")
    operators = {node.op_type for node in ir.load(tmp_path / "optimised.onnx").graph}
    assert "MatMul" in operators
    assert operators <= {"MatMul", "Cast", "QuantizeLinear", "DequantizeLinear"}


@on_one
def test_the_layers_of_an_int8_bundle_are_computed_by_exact_kernels(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    entries, real = list[str](), ort.InferenceSession

    def noted(content: bytes, options: ort.SessionOptions, **rest: Any) -> Any:
        entries.append(options.get_session_config_entry("session.x64quantprecision"))
        return real(content, options, **rest)

    monkeypatch.setattr(ort, "InferenceSession", noted)
    open_layered(open_bundle(tmp_path / "made"), LayerStates(("layer_output.0",)))
    assert entries == ["1"]


# Commands.


@pytest.fixture
def made(exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("requests.txt").write_text(PROMPTS.split("edit", maxsplit=1)[0])
    quantize(exported.portable, Path("made"), target="rtx", weights="fp16", capacity=192, requests=0)
    return Path("made")


@on_one
def test_evaluate_computes_gpu_graphs_where_that_is_asked_for(
    exported: Exported, made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ("evaluate", str(made), "--against", str(exported.portable), "--prompts", "requests.txt")
    assert run((*arguments, "--emulate", "--json", "figures.json")) == 0
    document = json.loads(Path("figures.json").read_text())
    assert (document["candidate"]["target"], document["emulated"]) == ("rtx", True)
    assert document["figures"]["decoder"]["ciede2000_p95"] > 0
    assert "graphs made for a GPU were computed on the CPU" in capsys.readouterr().out

    assert run(arguments) == 1  # never silently
    assert "rtx" in capsys.readouterr().err
