"""Bundles with calibrated activations and caches: what they say, that they run, what is refused."""

import warnings
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnx_ir as ir
import pytest
from calibrated import PROMPTS, Ready, calibrated, relative, remembered, session
from emu3_checkpoints import SHAPES
from exported import Exported
from janus_checkpoints import JANUS_SHAPES, make_janus

from edgevlo.calibration import calibrate, store
from edgevlo.calibration.evaluation.gate import judge, reference_of
from edgevlo.calibration.thresholds import signal_to_noise
from edgevlo.export import export_checkpoint
from edgevlo.quantization import Static, open_emulated, quantize
from edgevlo.quantization.passes.qdq import Kind, QuantizeDequantizePass
from edgevlo.quantization.passes.smoothquant import SmoothingPass
from edgevlo.quantization.static_quantization import able
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.generate.text import AnswerWarning
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.model import Model

CACHES = ("past_keys.", "past_values.", "present_keys.", "present_values.")


@pytest.fixture(scope="module")
def ready(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return calibrated(exported.portable, tmp_path_factory.mktemp("ready"))


@pytest.fixture(scope="module", params=JANUS_SHAPES[:1], ids=lambda shape: shape.name)
def janus(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    folder = tmp_path_factory.mktemp("janus")
    export_checkpoint(make_janus(folder / "checkpoint", request.param), folder / "portable")
    calibrate(folder / "portable", folder / "calib", count=4, method="max")
    return Ready(folder / "portable", folder / "calib")


@pytest.mark.parametrize(
    ("role", "kind", "limit"),
    [
        ("vision_encoder", "int8", 0.03),
        ("vision_encoder", "fp8", 0.08),
        ("image_decoder", "int8", 0.35),
        ("image_decoder", "fp8", 0.65),
        ("text_head", "int8", 0.03),
        ("text_head", "fp8", 0.06),
        ("image_head", "int8", 0.1),
        ("image_head", "fp8", 0.1),
    ],
)
def test_other_graphs_are_near(janus: Ready, tmp_path: Path, role: GraphRole, kind: Kind, limit: float) -> None:
    model, random = janus.graph(role), np.random.default_rng(0)
    manifest = read_manifest(janus.portable)
    size = manifest.backbone.hidden_size
    feeds: dict[str, Array]
    match role:
        case "vision_encoder":
            side = manifest.graphs[role].inputs[0].shape[-1]
            assert isinstance(side, int)
            feeds = {"pixel_values": random.uniform(-1, 1, (1, 3, side, side)).astype(np.float32)}
        case "image_decoder":
            feeds = {"codes": random.integers(manifest.codes.count, size=(1, *manifest.grid.default))}
        case "text_head":
            feeds = {"hidden": random.standard_normal((3, size)).astype(np.float32)}
        case _:
            feeds = {
                "hidden": random.standard_normal((1, 2, size)).astype(np.float32),
                "weights": np.array([1.0, 0.0], np.float32),
                "temperature": np.array(0, np.float32),
                "top_k": np.zeros(1, np.int64),
                "top_p": np.ones(1, np.float32),
                "uniform": np.full(1, 0.5, np.float32),
            }
    output = {"vision_encoder": "features", "image_decoder": "pixels"}.get(role, "logits")
    (exact,) = session(model, tmp_path).run([output], feeds)
    quantised = QuantizeDequantizePass(kind, janus.thresholds(role))
    quantised(model)
    (found,) = session(model, tmp_path).run([output], feeds)
    assert 1e-4 < relative(found, exact) < limit  # random weights: 25 convolutions and norms exaggerate the decoder's
    onnx.checker.check_model(tmp_path / "graph.onnx")


def test_norms_with_shared_constants_are_smoothed_apart(janus: Ready, tmp_path: Path) -> None:
    model = janus.graph("vision_encoder")
    smoothing = SmoothingPass(0.5, janus.peaks("vision_encoder"))
    side = read_manifest(janus.portable).graphs["vision_encoder"].inputs[0].shape[-1]
    assert isinstance(side, int)
    feeds = {"pixel_values": np.random.default_rng(0).uniform(-1, 1, (1, 3, side, side)).astype(np.float32)}
    (exact,) = session(model, tmp_path).run(None, feeds)
    assert smoothing(model).modified
    (found,) = session(model, tmp_path).run(None, feeds)
    assert len(smoothing.divisors) >= 3
    assert relative(found, exact) < 1e-5


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
@pytest.mark.parametrize(
    "static",
    [Static(activations="int8"), Static(cache="int8"), Static(activations="int8", smoothing=0, cache="int8")],
    ids=["activations", "cache", "both"],
)
def test_bundles_open_paint_and_answer(ready: Ready, tmp_path: Path, static: Static) -> None:
    weights = "int8" if static.activations else "fp32"
    made = quantize(
        ready.portable, tmp_path / "new", weights=weights, static=static, calibration=ready.calibration, requests=0
    )
    assert made == open_bundle(tmp_path / "new").manifest
    assert made.backbone.cache_dtype == ("int8" if static.cache else "float32")
    described = made.graphs["backbone"]
    assert (described.activations, described.precision) == (("int8", "int8") if static.activations else (None, "fp32"))
    caches = {tensor.dtype for tensor in described.inputs if tensor.name.startswith(("past_keys", "past_values"))}
    assert caches == {made.backbone.cache_dtype}
    model = Model.open(tmp_path / "new")
    model.check()
    picture = model.paint("a red car", seed=3)
    with warnings.catch_warnings(action="ignore", category=AnswerWarning):
        assert isinstance(model.ask(picture, "what color"), str)
    used = sum(file.bytes for name, file in made.files.items() if name.startswith("backbone"))
    whole = sum(f.bytes for n, f in read_manifest(ready.portable).files.items() if n.startswith("backbone"))
    assert used < (0.5 if static.activations else 1.05) * whole


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_an_int8_cache_on_a_gpu_keeps_what_one_on_a_cpu_does(ready: Ready, tmp_path: Path) -> None:
    (tmp_path / "requests.txt").write_text(PROMPTS)
    reference = reference_of(open_bundle(ready.portable), requests=tmp_path / "requests.txt", count=4)
    options: dict[str, dict[str, Any]] = {
        "cpu": {"weights": "fp32", "static": Static(cache="int8")},
        "gpu": {"target": "cuda", "weights": "fp16", "capacity": 192, "static": Static(cache="int8")},
        "half": {"target": "cuda", "weights": "fp16", "capacity": 192},
    }
    kept = {}
    for name, given in options.items():
        calibration = ready.calibration if "static" in given else None
        made = quantize(ready.portable, tmp_path / name, calibration=calibration, requests=0, **given)
        with open_emulated(tmp_path / name) as subject:
            kept[name] = judge(reference, subject).figures["hidden_sqnr_db"]
    assert abs(kept["gpu"] - kept["cpu"]) < 1  # ONNX Runtime's own quantised cache
    assert kept["gpu"] < kept["half"] - 6

    made = read_manifest(tmp_path / "gpu")
    graph = ir.load(tmp_path / "gpu" / "backbone.onnx").graph
    assert made.backbone.cache_dtype == "int8"
    for side, values in (
        (made.graphs["backbone"].inputs, graph.inputs),
        (made.graphs["backbone"].outputs, graph.outputs),
    ):
        stated = [(one.name, one.dtype, one.shape[2]) for one in side if one.name.startswith(CACHES)]
        assert set(stated) == {(one.name, "int8", 192) for one in values if str(one.name).startswith(CACHES)}
        assert {one.dtype for one in values if str(one.name).startswith(CACHES)} == {ir.DataType.INT8}


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
@pytest.mark.parametrize(
    ("static", "options", "match"),
    [
        (Static(activations="fp8"), {}, r"`activations='fp8'` is not supported on target 'cpu': .* Use int8"),
        (Static(cache="fp8"), {}, r"`cache='fp8'` is not supported on target 'cpu': .* no CPU kernel"),
        (Static(cache="fp8"), {"target": "cuda"}, r"`cache='fp8'` is not supported on target 'cuda': .* Use int8"),
        (
            Static(cache="int8"),
            {"target": "cuda", "weights": "bf16"},
            "`weights='bf16'` on .* fp16, int8 or int4",
        ),
        (
            Static(cache="int8"),
            {"target": "rtx"},
            r"`cache='int8'` is not supported on target 'rtx': .* Use float alone",
        ),
        (Static(activations="int4"), {}, "no such precision"),  # type: ignore[arg-type]
        (Static(activations="int8", smoothing=1.5), {}, r"`smoothing=1\.5` is not between"),
        (Static(activations="int8"), {"calibration": None}, "name its output with `calibration`"),
        (
            Static(activations="int8", keep=("*.nowhere",)),
            {},
            r"`keep='\*\.nowhere'` matches no quantised graph",
        ),
    ],
)
def test_what_quantize_refuses(
    ready: Ready, tmp_path: Path, static: Static, options: dict[str, Any], match: str
) -> None:
    settings: dict[str, Any] = {"calibration": ready.calibration, **options}
    with pytest.raises(RequestError, match=match):
        quantize(ready.portable, tmp_path / "new", static=static, requests=0, **settings)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_named_operators_stay_float_or_take_the_other_weights(ready: Ready, tmp_path: Path) -> None:
    static = Static(activations="int8", keep=("*.down_proj", "*.layers.0.*.q_proj"), least_db=0)
    for weights, left in (("fp32", "MatMul"), ("int8", "MatMulNBits")):
        quantize(
            ready.portable,
            tmp_path / weights,
            weights=weights,
            static=static,
            calibration=ready.calibration,
            requests=0,
        )
        nodes = [node for node in ir.load(tmp_path / weights / "backbone.onnx").graph if "MatMul" in node.op_type]
        layers = read_manifest(ready.portable).backbone.layers
        assert Counter(node.op_type for node in nodes) == {"MatMulIntegerToFloat": 6 * layers - 1, left: layers + 1}
        kept = {str(node.name).rsplit(".", 1)[-1] for node in nodes if node.op_type == left}
        assert kept == {"down_proj", "q_proj"}
        Model.open(tmp_path / weights).check()


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
@pytest.mark.parametrize(("target", "kind"), [("cpu", "int8"), ("tensorrt", "int8"), ("tensorrt", "fp8")])
def test_no_weight_stays_mapped_once_it_was_smoothed(
    ready: Ready, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str, kind: Kind
) -> None:
    seen, static = remembered(monkeypatch), Static(activations=kind, smoothing=0.5)
    options: dict[str, Any] = {"target": target, "weights": "int8" if target == "cpu" else "fp16"}
    quantize(ready.portable, tmp_path / "new", static=static, calibration=ready.calibration, requests=0, **options)
    assert len(seen) > 10
    assert [tensor.name for tensor in seen if tensor.raw is not None] == []


@pytest.mark.parametrize("target", ["cpu", "tensorrt"])
def test_a_text_head_that_nothing_uses_is_left_alone(toy: Path, target: str) -> None:
    manifest = read_manifest(toy)
    only = {name: one for name, one in manifest.abilities.items() if one.output == "image"}
    painter = msgspec.structs.replace(manifest, abilities=only)
    assert set(able(manifest, target)) - set(able(painter, target)) == {"text_head"}


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_a_graph_that_is_named_becomes_what_it_is_without_activations(ready: Ready, tmp_path: Path) -> None:
    static = Static(activations="int8", keep=("text_*",))
    made = quantize(
        ready.portable, tmp_path / "new", weights="int4", static=static, calibration=ready.calibration, requests=0
    )
    plain = quantize(ready.portable, tmp_path / "plain", weights="int4", requests=0)
    assert made.graphs["text_head"] == plain.graphs["text_head"]
    assert (made.graphs["text_head"].activations, made.graphs["backbone"].activations) == (None, "int8")


@pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
def test_inputs_that_would_lose_too_much_stay_float(ready: Ready, tmp_path: Path) -> None:
    figures: dict[str, float] = {}
    calibration, tensors, _ = store.read(ready.calibration)
    for name, one in calibration.ranges["backbone"].items():
        kept_of_it = signal_to_noise(tensors["backbone"][name], one.threshold)
        figures |= dict.fromkeys((reader for reader in one.readers if reader.endswith("_proj")), kept_of_it)
    least = float(np.median(list(figures.values())))
    static = Static(activations="int8", smoothing=0, least_db=least)
    made = quantize(
        ready.portable, tmp_path / "new", weights="fp32", static=static, calibration=ready.calibration, requests=0
    )
    expected = sorted(name for name, kept_of_it in figures.items() if kept_of_it < least)
    assert 0 < len(expected) < len(figures)
    assert list(made.graphs["backbone"].kept) == expected
    nodes = ir.load(tmp_path / "new" / "backbone.onnx").graph
    assert sorted(str(node.name) for node in nodes if node.op_type == "MatMul") == expected
