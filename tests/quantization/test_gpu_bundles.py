"""Bundles of the GPU targets: what they hold, and which weights they refuse."""

from pathlib import Path

import onnx_ir as ir
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import RequestError

CAPACITY = 48


on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@on_one
@pytest.mark.parametrize("target", ["cuda", "rtx", "tensorrt"])
@pytest.mark.parametrize("weights", ["fp16", "bf16", "int8", "int4"])
def test_a_bundle_says_what_it_holds(exported: Exported, tmp_path: Path, target: str, weights: str) -> None:
    quantize(exported.portable, tmp_path / "new", target=target, weights=weights, capacity=CAPACITY, requests=0)
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
    with pytest.raises(RequestError, match=f"rtx does not support '{weights}' weights; choose one of fp16"):
        quantize(exported.portable, tmp_path / "new", target="rtx", weights=weights, requests=0)
