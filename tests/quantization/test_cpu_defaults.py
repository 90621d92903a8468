"""What `quantize` takes for four bits on a CPU without being asked: larger blocks, an int8 cache, q, k and v in one."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from calibrated import PROMPTS, Ready, session
from emu3_checkpoints import SHAPES
from exported import Exported
from test_activations_backbone import cache_peaks, read_tokens

from edgevlo.calibration import calibrate
from edgevlo.calibration.cache_ranges import cache_ranges
from edgevlo.calibration.evaluation.gate import QualityError
from edgevlo.calibration.evaluation.limits import LIMITS
from edgevlo.quantization import Quantized, QuantizeRequest, run
from edgevlo.quantization.passes.fused_qkv import FusedQkvPass
from edgevlo.quantization.passes.group_query_attention import GroupQueryAttentionPass
from edgevlo.quantization.precision_recipes import INT4
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import open_bundle, verify_bundle
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.schema import Quality, read_manifest
from edgevlo.runtime.model import Model

on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    path = tmp_path / "requests.txt"
    path.write_text(PROMPTS)
    return path


def make(exported: Exported, output: Path, prompts: Path, **options: Any) -> Quantized:
    given: dict[str, Any] = {"weights": "int4", "requests": 2, "prompts": prompts, **options}
    if given["requests"] == 0 and given.get("kv_cache") != "int8":
        del given["prompts"]  # nothing would read them
    return run(QuantizeRequest(bundle=exported.portable, output=output, **given))


def form(bundle: Path) -> tuple[int, str]:
    """Return the block size of a bundle's matmuls and the type of its cache."""
    nodes = ir.load(bundle / "backbone.onnx").graph
    (size,) = {node.attributes["block_size"].as_int() for node in nodes if node.op_type == "MatMulNBits"}
    return size, read_manifest(bundle).backbone.cache_dtype


def limit(monkeypatch: pytest.MonkeyPatch, bound: float) -> None:
    """Make the divergence of the next code the only figure that is judged."""
    for precision in list(LIMITS):
        monkeypatch.setitem(LIMITS, precision, {"kl_mean": bound})


def quality(made: Quantized) -> Quality:
    assert made.manifest.quality is not None
    return made.manifest.quality


@on_one
def test_the_faster_form_is_kept_where_it_passes(
    exported: Exported, tmp_path: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, 100.0)
    made = make(exported, tmp_path / "made", prompts)
    assert form(tmp_path / "made") == (128, "int8")
    assert made.fallbacks == {}
    verify_bundle(open_bundle(tmp_path / "made"))
    assert "manifest.json" not in made.manifest.files
    model, exact = Model.open(tmp_path / "made"), Model.open(exported.cpu)
    assert model.paint("a red car", seed=1).size == exact.paint("a red car", seed=1).size


@on_one
def test_what_misses_its_limits_is_made_finer_until_it_does_not(
    exported: Exported, tmp_path: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, 100.0)
    named: dict[str, Any] = {"block_size": 128, "kv_cache": "int8"}
    coarse = quality(make(exported, tmp_path / "coarse", prompts, **named)).figures["kl_mean"]
    named["block_size"] = 32
    fine = quality(make(exported, tmp_path / "fine", prompts, **named)).figures["kl_mean"]
    assert fine < coarse
    limit(monkeypatch, (fine + coarse) / 2)
    made = make(exported, tmp_path / "made", prompts)
    assert form(tmp_path / "made") == (32, "int8")
    (note,) = (fallback.note(module) for module, fallback in made.fallbacks.items())
    assert note.startswith("backbone was kept in blocks of 32 because blocks of 128 failed the quality check (nats ")
    assert quality(made).figures["kl_mean"] == pytest.approx(fine, rel=0.05)  # whose image head has such blocks, too


@on_one
def test_the_last_form_is_small_blocks_and_a_float_cache(
    exported: Exported, tmp_path: Path, prompts: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(monkeypatch, -1.0)
    with pytest.raises(QualityError, match=r"even with backbone in blocks of 32 and with a float KV cache"):
        make(exported, tmp_path / "refused", prompts)
    make(exported, tmp_path / "made", prompts, accept_loss=True)
    assert form(tmp_path / "made") == (32, "float32")


@on_one
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"requests": 0}, (32, "float32")),  # nobody would check the other
        ({"block_size": 64, "kv_cache": "float"}, (64, "float32")),
        ({"block_size": 64}, (64, "int8")),
        ({"kv_cache": "float"}, (128, "float32")),
        ({"weights": "int8"}, (64, "float32")),
        ({"weights": "int8", "kv_cache": "int8", "requests": 0}, (64, "int8")),
    ],
    ids=str,
)
def test_what_is_named_stays(
    exported: Exported,
    tmp_path: Path,
    prompts: Path,
    monkeypatch: pytest.MonkeyPatch,
    options: dict[str, Any],
    expected: tuple[int, str],
) -> None:
    limit(monkeypatch, 100.0)
    make(exported, tmp_path / "made", prompts, **options)
    assert form(tmp_path / "made") == expected


@on_one
@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"kv_cache": "fp8"}, r"there is no `kv_cache='fp8'`; choose one of float, int8\."),
        ({"kv_cache": "int8", "target": "cuda"}, r"on a GPU, needs calibration ranges: run edgevlo calibrate"),
    ],
)
def test_caches_that_cannot_be_made(
    exported: Exported, tmp_path: Path, prompts: Path, options: dict[str, Any], match: str
) -> None:
    with pytest.raises(RequestError, match=match):
        make(exported, tmp_path / "made", prompts, **options)
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("exported", [SHAPES[0], SHAPES[1]], indirect=True, ids=lambda shape: shape.name)
def test_ranges_of_the_cache_are_those_that_calibration_observes(exported: Exported, tmp_path: Path) -> None:
    prompts = tmp_path / "requests.txt"
    prompts.write_text("a red car\na small house\n")  # edits would show other pictures
    calibrate(exported.portable, tmp_path / "calib", prompts=prompts, count=4, method="max")
    observed = cache_peaks(Ready(exported.portable, tmp_path / "calib"))  # of the float graph's tensors, token by token
    ranges = cache_ranges(open_bundle(exported.cpu), prompts=prompts, count=4)
    assert ranges.keys() == observed.keys()
    for name, peaks in observed.items():
        np.testing.assert_allclose(ranges[name], peaks, rtol=1e-3, err_msg=name)


@pytest.mark.parametrize(
    ("exported", "fuses"),
    [(SHAPES[0], True), (SHAPES[1], True), (SHAPES[3], False)],
    indirect=["exported"],
    ids=["one kv head", "as many kv heads", "biases"],
)
def test_queries_keys_and_values_in_one_matmul_are_the_same_numbers(
    exported: Exported, tmp_path: Path, fuses: bool
) -> None:
    found = list[Floats]()
    for name, passes in (("apart", ()), ("fused", (FusedQkvPass(),))):
        model = ir.load(exported.portable / "backbone.onnx")
        layers = sum(node.op_type == "Attention" for node in model.graph)
        for rewrite in (GroupQueryAttentionPass(), MatMulNBitsPass(INT4), *passes):
            rewrite(model)
        counts = Counter(node.op_type for node in model.graph)
        assert counts["MatMulNBits"] == layers * (5 if passes and fuses else 7)
        (tmp_path / name).mkdir()
        found.append(read_tokens(session(model, tmp_path / name), exported.portable))
    apart, together = found
    np.testing.assert_array_equal(apart, together)


@on_one
def test_matmuls_that_are_quantised_in_different_ways_stay_apart(exported: Exported) -> None:
    model = ir.load(exported.portable / "backbone.onnx")
    GroupQueryAttentionPass()(model)
    names = [str(node.name) for node in model.graph if node.op_type == "MatMul"]
    MatMulNBitsPass(INT4, only=[name for name in names if not name.endswith("layers.0.self_attn.v_proj")])(model)
    FusedQkvPass()(model)
    fused = [str(node.name) for node in model.graph if str(node.name).endswith("qkv_proj")]
    layers = sum(node.op_type == "GroupQueryAttention" for node in model.graph)
    assert len(fused) == layers - 1
    assert not any("layers.0." in name for name in fused)
