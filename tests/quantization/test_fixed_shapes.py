"""A fixed capacity of the cache and a static top-k change no number."""

from pathlib import Path

import numpy as np
import numpy.typing as npt
import onnx_ir as ir
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported
from graph_runs import session

from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.quantization import quantize
from edgevlo.quantization.passes.fixed_shapes import FixedCapacityPass, StaticTopKPass
from edgevlo.quantization.passes.without_top_p import WithoutTopPPass
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.interfaces import MAX_TOP_K
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
    with pytest.raises(RequestError, match=f"`capacity={capacity}` is out of range; .* takes 1 to 512 tokens"):
        quantize(exported.portable, tmp_path / "new", target="cuda", weights="fp16", capacity=capacity, requests=0)
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
