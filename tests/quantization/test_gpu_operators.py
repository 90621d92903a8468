"""Which nodes a GPU target refuses: one small graph a rule, and every graph of whole bundles."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported
from janus_checkpoints import JANUS_SHAPES, make_janus

from edgevlo.export import export_checkpoint
from edgevlo.export.graphs.graph_builder import Network
from edgevlo.quantization import quantize
from edgevlo.quantization.targets.operators import CHECKS, check_cuda, check_tensorrt, refuse
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import BundleError

FLOAT, HALF, INT64 = ir.DataType.FLOAT, ir.DataType.FLOAT16, ir.DataType.INT64
CHECKPOINT = Path(__file__).resolve().parents[2] / "picturebook" / "checkpoint"


def reasons(problems: Any) -> list[str]:
    return [problem.reason for problem in problems]


def unary(kind: str, dtype: ir.DataType = FLOAT, opset: int = 20, **attributes: Any) -> ir.Model:
    net = Network("one", opset)
    x = net.input("x", dtype, ("N", 4))
    net.output(net.op(kind, x, name="it", **attributes), "y", dtype, ("N", 4))
    return net.model()


def test_an_operator_that_tensorrt_does_not_have() -> None:
    net = Network("one", 20)
    x = net.input("x", FLOAT, ("N", 4))
    net.output(net.op("Multinomial", x, name="it", sample_size=1, dtype=7), "y", INT64, ("N", 1))
    (problem,) = check_tensorrt(net.model())
    assert (problem.node, problem.operator, problem.reason) == ("it", "Multinomial", "TensorRT has no such operator")


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_operators_of_onnxruntime_are_refused_by_tensorrt(exported: Exported) -> None:
    found = check_tensorrt(ir.load(exported.cpu / "backbone.onnx"))
    assert {problem.operator for problem in found} == {"GroupQueryAttention"}


@pytest.mark.parametrize(("dtype", "name"), [(ir.DataType.DOUBLE, "double"), (ir.DataType.INT16, "int16")])
def test_types_that_tensorrt_does_not_hold(dtype: ir.DataType, name: str) -> None:
    assert f"x is {name}, which TensorRT does not support" in reasons(check_tensorrt(unary("Abs", dtype)))
    assert check_tensorrt(unary("Abs", HALF)) == []


def attention(dtype: ir.DataType = HALF, size: int = 64, *, counts: bool = False) -> ir.Model:
    net = Network("one", 24)
    heads = [net.input(name, dtype, (1, 2, "S", size)) for name in "qkv"]
    more: list[ir.Value | None] = []
    if counts:
        more = [None, None, None, net.input("counts", INT64, (1,))]
    net.output(net.op("Attention", *heads, *more, name="it"), "y", dtype, (1, 2, "S", size))
    return net.model()


def test_attention() -> None:
    assert check_tensorrt(attention()) == []
    assert "single tokens only" in reasons(check_tensorrt(attention(FLOAT)))[0]
    assert "heads of 512 are wider than its limit of 256" in reasons(check_tensorrt(attention(size=512)))[0]
    assert "TensorRT ignores nonpad_kv_seqlen" in reasons(check_tensorrt(attention(counts=True)))[0]


def scatter(*, capacity: int | str = 8, copied: bool = False, shown: bool = True) -> ir.Model:
    net = Network("one", 24)
    past = net.input("past_keys.0", HALF, (1, 2, capacity, 16))
    new, at = net.input("new", HALF, (1, 2, 1, 16)), net.input("at", INT64, (1,))
    written = net.op("TensorScatter", net.op("Identity", past) if copied else past, new, at, name="it", axis=2)
    net.output(written if shown else net.op("Abs", written), "present_keys.0", HALF, (1, 2, capacity, 16))
    return net.model()


def test_caches() -> None:
    assert check_tensorrt(scatter()) == []
    assert reasons(check_tensorrt(scatter(capacity="C"))) == ["its cache has no fixed capacity"]
    assert "is not an input of the graph" in reasons(check_tensorrt(scatter(copied=True)))[0]
    assert reasons(check_tensorrt(scatter(shown=False))) == ["its result is not an output of the graph"]


def top_k(size: int | None) -> ir.Model:
    net = Network("one", 20)
    x = net.input("x", FLOAT, (1, 5000))
    k = net.input("k", INT64, (1,)) if size is None else net.constant([size], np.int64)
    node = ir.node("TopK", [x, k], num_outputs=2, name="it")
    net.graph.append(node)
    net.output(node.outputs[0], "y", FLOAT, (1, "k"))
    return net.model()


def test_top_k() -> None:
    assert check_tensorrt(top_k(3840)) == []
    assert reasons(check_tensorrt(top_k(3841))) == ["its size 3841 is above 3840"]
    assert "must be a constant" in reasons(check_tensorrt(top_k(None)))[0]


@pytest.mark.parametrize("zero", [0, 3])
def test_zero_points(zero: int) -> None:
    net = Network("one", 20)
    x = net.input("x", FLOAT, ("N", 4))
    scale, point = net.constant(0.1, np.float32), net.constant(zero, np.int8)
    y = net.op("DequantizeLinear", net.op("QuantizeLinear", x, scale, point), scale, point)
    net.output(y, "y", FLOAT, ("N", 4))
    found = reasons(check_tensorrt(net.model()))
    assert found == ([] if zero == 0 else ["its zero point is not 0; TensorRT quantises symmetrically"] * 2)


def test_cuda_kernels_by_operator_version_and_type() -> None:
    assert check_cuda(unary("Relu", HALF)) == []
    assert reasons(check_cuda(unary("Mish"))) == ["there is no CUDA kernel"]
    assert reasons(check_cuda(unary("Erf", ir.DataType.INT32))) == ["there is no CUDA kernel for its types (x int32)"]


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_what_the_cpu_runs_is_refused_for_cuda(exported: Exported) -> None:
    found = check_cuda(ir.load(exported.cpu / "backbone.onnx"))
    assert {problem.operator for problem in found} == {"GroupQueryAttention"}
    assert all(
        problem.reason.startswith(("there is no CUDA kernel for its types", "the CUDA kernel has no input"))
        for problem in found
    )


def test_an_error_names_the_first_nodes() -> None:
    net = Network("one", 20)
    x = net.input("x", FLOAT, ("N", 4))
    for _ in range(5):
        x = net.op("Mish", x)
    net.output(x, "y", FLOAT, ("N", 4))
    with pytest.raises(BundleError, match=r"head cannot run on target 'cuda': Mish '\w+': .*; and 2 more\.$"):
        refuse(net.model(), "cuda", "head")


def check_everything(portable: Path, folder: Path, weights: str) -> None:
    """Raise unless every graph of the bundle becomes one that each target runs."""
    for target, check in CHECKS.items():
        quantize(portable, folder / target, target=target, weights=weights, requests=0)
        for graph in open_bundle(folder / target).manifest.graphs.values():
            assert check(ir.load(folder / target / graph.file)) == [], (target, graph.file)


def test_every_graph_of_every_tiny_emu3_runs_on_every_target(exported: Exported, tmp_path: Path) -> None:
    check_everything(exported.portable, tmp_path, "int8")


@pytest.mark.slow
@pytest.mark.parametrize("shape", JANUS_SHAPES, ids=lambda shape: shape.name)
def test_every_graph_of_every_tiny_janus_runs_on_every_target(shape: Any, tmp_path: Path) -> None:
    export_checkpoint(make_janus(tmp_path / "checkpoint", shape), tmp_path / "portable")
    check_everything(tmp_path / "portable", tmp_path, "int4")


@pytest.mark.slow
@pytest.mark.parametrize("weights", ["fp16", "bf16", "int8", "int4"])
def test_every_graph_of_picturebook_runs_on_every_target(weights: str, tmp_path: Path) -> None:
    export_checkpoint(CHECKPOINT, tmp_path / "portable")
    check_everything(tmp_path / "portable", tmp_path, weights)


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_a_graph_that_is_not_rewritten_is_refused(exported: Exported) -> None:
    model = ir.load(exported.portable / "backbone.onnx")
    with pytest.raises(BundleError, match=r"backbone cannot run on target 'tensorrt': .* and \d+ more"):
        refuse(model, "tensorrt", "backbone")
