"""Target bundles: what changes, what stays byte for byte, how exact the weights are, and what is refused."""

import shutil
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from calibrated import remembered
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.calibration.moments import second_moments
from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.quantization import Override, override, quantize
from edgevlo.quantization.precision_recipes import INT4, INT8
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import BundleError, OutputError, RequestError
from edgevlo.runtime.manifest.graphs import GraphRole

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)

KEPT = (
    "token_embedding.bin",
    "tokenizer.json",
    "LICENCE.txt",
    "image_decoder.onnx.data",
    "image_tokenizer.onnx.data",
    "image_head.onnx.data",
)


@pytest.fixture
def int8(exported: Exported, tmp_path: Path) -> Path:
    quantize(exported.portable, tmp_path / "int8", weights="int8", requests=0)
    return tmp_path / "int8"


def test_the_float_bundle_differs_in_its_target_alone(exported: Exported) -> None:
    portable, cpu = open_bundle(exported.portable).manifest, open_bundle(exported.cpu).manifest
    assert (portable.target, cpu.target) == ("portable", "cpu")
    backbone = msgspec.structs.replace(portable.graphs["backbone"], parity=None)  # measured before the rewrite
    assert cpu.graphs == {**portable.graphs, "backbone": backbone}
    for name in KEPT:
        assert cpu.files[name].bytes == portable.files[name].bytes


def test_the_int8_bundle_says_which_graphs_are_int8(exported: Exported, int8: Path) -> None:
    manifest = open_bundle(int8).manifest
    precisions: dict[GraphRole, str] = {role: graph.precision for role, graph in manifest.graphs.items()}
    assert precisions == {
        "backbone": "int8",
        "text_head": "int8",
        "image_head": "int8",
        "image_decoder": "fp32",
        "image_tokenizer": "fp32",
    }
    portable = open_bundle(exported.portable).manifest
    assert manifest.files["backbone.onnx.data"].bytes < 0.6 * portable.files["backbone.onnx.data"].bytes
    sizes = {name: (int8 / name).stat().st_size / (exported.portable / name).stat().st_size for name in KEPT[:-1]}
    rows = manifest.token_embedding.shape[0]
    table = int8 / "token_embedding.bin"  # a byte each, from a page on a scale for each row of 64; the heads' as well
    assert table.stat().st_size == -(-rows * 64 // 4096) * 4096 + 4 * rows
    assert not (int8 / "image_head.onnx.data").exists() or manifest.files["image_head.onnx.data"].bytes < rows * 4
    # stored in half the bytes only where no number changes by that, which random weights do not allow
    assert {sizes[name] for name in KEPT[1:-1]} == {1.0}
    assert (int8 / "tokenizer.json").read_bytes() == (exported.portable / "tokenizer.json").read_bytes()


def test_every_linear_of_the_int8_backbone_is_quantised(int8: Path) -> None:
    nodes = [node for node in ir.load(int8 / "backbone.onnx").graph if "MatMul" in node.op_type]
    assert Counter(node.op_type for node in nodes) == {"MatMulNBits": 5 * 3}  # q, k and v are one
    assert {node.attributes["bits"].as_int() for node in nodes} == {8}
    assert {node.attributes["accuracy_level"].as_int() for node in nodes} == {4}


@pytest.mark.parametrize(("weights", "least"), [("int8", 1e-5), ("int4", 1e-2)])
def test_hidden_states_stay_near(exported: Exported, tmp_path: Path, weights: str, least: float) -> None:
    quantize(exported.portable, tmp_path / weights, weights=weights, requests=0)
    shape = open_bundle(exported.cpu).manifest.backbone
    cache = np.zeros((1, shape.kv_heads, 16, shape.head_dim), np.float32)
    feeds = {f"past_{side}.{layer}": cache for side in ("keys", "values") for layer in range(shape.layers)} | {
        "inputs_embeds": np.random.default_rng(0).standard_normal((1, 8, shape.hidden_size)).astype(np.float32),
        "past_lengths": np.zeros(1, np.int64),
        "token_counts": np.full(1, 8),
    }

    exact, near = (
        ort.InferenceSession(folder / "backbone.onnx").run(["hidden"], feeds)[0]
        for folder in (exported.cpu, tmp_path / weights)
    )

    error = np.linalg.norm(near - exact) / np.linalg.norm(exact)
    assert least < error < {"int8": 0.05, "int4": 0.5}[weights]  # weights of six times the usual size exaggerate it


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize("block_size", [32, 64, 128])
@pytest.mark.parametrize("inputs", [96, 100, 256])  # 100: the last block is padded
def test_a_quantised_product_is_near_the_exact_one(
    exported: Exported, tmp_path: Path, bits: int, block_size: int, inputs: int
) -> None:
    random = np.random.default_rng(0)
    matrix = random.standard_normal((inputs, 48)).astype(np.float32)
    net = Network("product", 20)
    x = net.input("x", ir.DataType.FLOAT, ("N", inputs))
    y = net.op("MatMul", x, net.weight("matrix", matrix.shape, lambda: matrix))
    net.output(y, "y", ir.DataType.FLOAT, ("N", 48))
    model = net.model()

    assert MatMulNBitsPass(replace(INT4, bits=bits, block_size=block_size))(model).modified
    write_graph(model, tmp_path / "product.onnx")

    feed = random.standard_normal((3, inputs)).astype(np.float32)
    (found,) = ort.InferenceSession(tmp_path / "product.onnx").run(None, {"x": feed})
    error = np.linalg.norm(found - feed @ matrix) / np.linalg.norm(feed @ matrix)
    assert error < {4: 0.15, 8: 0.02}[bits]


def test_products_of_two_activations_stay(exported: Exported) -> None:
    net = Network("product", 20)
    x = net.input("x", ir.DataType.FLOAT, ("N", "N"))
    net.output(net.op("MatMul", x, x), "y", ir.DataType.FLOAT, ("N", "N"))
    assert not MatMulNBitsPass(INT8)(net.model()).modified


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"target": "toaster"}, "no target 'toaster'; choose one of cpu"),
        ({"weights": "int3"}, "cpu does not support 'int3' weights; choose one of fp32, fp16, bf16, int8, int4"),
    ],
)
def test_unknown_targets_and_weights(exported: Exported, tmp_path: Path, options: dict[str, Any], match: str) -> None:
    with pytest.raises(RequestError, match=match):
        quantize(exported.portable, tmp_path / "new", requests=0, **options)
    assert list(tmp_path.iterdir()) == []


def test_a_target_bundle_is_not_quantised_again(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="was made for target 'cpu'"):
        quantize(exported.cpu, tmp_path / "new", requests=0)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_exists(exported: Exported, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="exists already"):
        quantize(exported.portable, tmp_path, requests=0)


def test_a_damaged_bundle(exported: Exported, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(exported.portable, tmp_path / "damaged"))
    content = bytearray((damaged / "backbone.onnx.data").read_bytes())
    content[1000] ^= 1
    (damaged / "backbone.onnx.data").write_bytes(content)
    with pytest.raises(BundleError, match=r"backbone\.onnx\.data was changed"):
        quantize(damaged, tmp_path / "new", requests=0)
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


def test_progress_is_told_and_an_interrupt_leaves_nothing(exported: Exported, tmp_path: Path) -> None:
    told: set[str] = set()

    def interrupt(what: str, done: int, everything: int) -> None:
        assert 0 <= done <= everything
        told.add(what)
        if what == "text_head":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        quantize(exported.portable, tmp_path / "new", progress=interrupt, requests=0)
    assert {"verifying the bundle", "backbone"} <= told
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="has no limit on the size of files")
def test_a_disk_that_fills_up_in_the_middle_leaves_nothing(exported: Exported, tmp_path: Path) -> None:
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))  # what a write past it raises is an OSError as well
    try:
        with pytest.raises(OutputError, match=r"made cannot be written \(File too large\)\. Nothing was left there"):
            quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("target", "weights", "method"),
    [
        ("cpu", "int4", "rtn"),
        ("cpu", "int4", "awq"),
        ("cpu", "fp16", None),
        ("tensorrt", "int4", "awq"),
        ("tensorrt", "fp8", None),
    ],
)
def test_no_weight_stays_mapped_once_it_was_read(
    exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, weights: str, method: str | None
) -> None:
    moments = second_moments(open_bundle(exported.portable), count=4, squares=True)
    # The emulation of a GPU bundle, which its self-check record is made with, maps graphs as a whole.
    monkeypatch.setattr(sys.modules["edgevlo.quantization.quantize"], "record_outputs", lambda bundle, *_: bundle)
    seen = remembered(monkeypatch)
    quantize(
        exported.portable, tmp_path / "made", target=target, weights=weights, method=method, moments=moments, requests=0
    )
    assert len(seen) > 10
    assert [tensor.name for tensor in seen if tensor.raw is not None] == []


def test_paths_may_be_text_and_overrides_either_form(exported: Exported, tmp_path: Path) -> None:
    forms: tuple[str | Override, ...] = ("text_head=fp32", override("text_head=fp32", "cpu"))
    made = [
        quantize(str(exported.portable), str(tmp_path / str(number)), overrides=[one], requests=0)
        for number, one in enumerate(forms)
    ]

    assert made[0].graphs["text_head"].precision == "fp32"
    assert made[0].graphs == made[1].graphs
