"""The gate where a bundle is below its limits: what is made more precise, under a budget too, and what is refused.

What of a random model is within the limits of a real one means nothing: one figure alone is limited.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import onnx_ir as ir
import pytest
from calibrated import Ready, calibrated
from emu3_checkpoints import SHAPES
from exported import Exported
from janus_checkpoints import JANUS_SHAPES, make_janus

from edgevlo.calibration.evaluation.gate import QualityError
from edgevlo.calibration.evaluation.limits import LIMITS
from edgevlo.cli import run as run_command
from edgevlo.cli.describe import describe
from edgevlo.export import export_checkpoint
from edgevlo.quantization import Quantized, QuantizeRequest, Static, quantize, run
from edgevlo.runtime.errors import RequestError, RoomError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest

on_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.fixture
def requests(tmp_path: Path) -> Path:
    path = tmp_path / "requests.txt"
    path.write_text("a red car\na big tree\n")
    return path


Limited = Callable[[str, float], None]


@pytest.fixture
def limited(monkeypatch: pytest.MonkeyPatch) -> Limited:
    """Return a function that makes one figure the only one that is judged."""

    def only(figure: str, bound: float) -> None:
        for precision in list(LIMITS):
            monkeypatch.setitem(LIMITS, precision, {figure: bound})

    return only


def make(exported: Exported, output: Path, prompts: Path, **options: Any) -> Quantized:
    given: dict[str, Any] = {"capacity": None if options.get("target", "cpu") == "cpu" else 192, **options}
    return run(QuantizeRequest(bundle=exported.portable, output=output, requests=2, prompts=prompts, **given))


def precisions(made: Quantized) -> dict[GraphRole, str]:
    """Return the modules in fallback precision, with that precision in words."""
    return {module: fallback.precision for module, fallback in made.fallbacks.items()}


@on_one
def test_a_decoder_that_half_precision_harms_stays_in_float32(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited
) -> None:
    limited("decoder_ciede2000_p95", 1e-6)
    made = make(exported, tmp_path / "made", requests, target="rtx", weights="int8")
    assert precisions(made) == {"image_decoder": "in fp32"}
    assert made.manifest.graphs["image_decoder"].precision == "fp32"
    assert made.manifest.graphs["backbone"].precision == "int8"
    decoder = ir.load(tmp_path / "made" / "image_decoder.onnx").graph
    assert ir.DataType.FLOAT16 not in {value.dtype for value in decoder.initializers.values()}
    quality = made.manifest.quality
    assert quality is not None
    assert quality.passed
    assert quality.figures["decoder_ciede2000_p95"] == 0
    assert "as a CPU computes them" in describe(made.manifest, tmp_path / "made")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["made", "requests.txt"]


@on_one
def test_what_no_precision_can_hold_is_refused_and_says_how_far_it_went(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited
) -> None:
    limited("decoder_ssim", 1.5)
    reason = (
        r"same codes decoded, SSIM: 1, at least 1\.5 is required \(even with image_decoder in fp32\)\. Give modules"
    )
    with pytest.raises(QualityError, match=reason):
        make(exported, tmp_path / "made", requests, target="rtx", weights="fp16")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["requests.txt"]

    made = make(exported, tmp_path / "made", requests, target="rtx", weights="fp16", accept_loss=True)
    assert precisions(made) == {"image_decoder": "in fp32"}  # as little loss as can be is accepted
    assert made.manifest.quality is not None
    assert not made.manifest.quality.passed


@on_one
def test_nothing_is_made_more_precise_where_that_would_not_do(
    exported: Exported, tmp_path: Path, requests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(LIMITS, "fp16", {"decoder_ssim": 1.5, "kl_mean": -1.0})
    with pytest.raises(QualityError, match=r"divergence .*, at most -1 nats is required\. Give modules"):
        make(exported, tmp_path / "made", requests, target="rtx", weights="fp16")


@on_one
@pytest.mark.parametrize("precision", ["fp16", "fp32"])
def test_what_was_asked_for_in_so_many_words_is_not_changed(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited, precision: str
) -> None:
    limited("decoder_ssim", 1.5)
    options: dict[str, Any] = {"target": "cuda", "weights": "int8", "overrides": (f"image_decoder={precision}",)}
    made = make(exported, tmp_path / "made", requests, accept_loss=True, **options)
    assert precisions(made) == {}
    assert made.manifest.graphs["image_decoder"].precision == precision
    with pytest.raises(QualityError):
        make(exported, tmp_path / "again", requests, **options)


@on_one
def test_a_cache_too_small_for_the_requests_is_said_so(exported: Exported, tmp_path: Path, requests: Path) -> None:
    with pytest.raises(RequestError, match=r"`capacity=20` is too small for .* \(the prompt has .*`requests=0`"):
        make(exported, tmp_path / "made", requests, target="rtx", weights="fp16", capacity=20)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["requests.txt"]


@on_one
def test_requests_that_are_longer_than_the_model_say_that_the_check_can_be_skipped(
    exported: Exported, tmp_path: Path
) -> None:
    own = tmp_path / "own.txt"
    own.write_text("a red car\n" + "car " * 600 + "\n")
    with pytest.raises(RoomError, match=r"^the prompt has .* Or skip the quality check with `requests=0`\.$"):
        quantize(exported.portable, tmp_path / "made", requests=2, prompts=own)
    assert list(tmp_path.iterdir()) == [own]


@on_one
@pytest.mark.parametrize("weights", ["int8", "fp32"])
def test_on_a_cpu_a_decoder_stays_what_it_was_asked_to_be(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited, weights: str
) -> None:
    limited("decoder_ssim", 1.5)
    with pytest.raises(QualityError, match=r"at least 1\.5 is required\. Give modules"):
        make(exported, tmp_path / "made", requests, weights=weights)


def test_a_vision_encoder_is_made_more_precise_too(tmp_path: Path, requests: Path, limited: Limited) -> None:
    make_janus(tmp_path / "checkpoint", JANUS_SHAPES[0])
    export_checkpoint(tmp_path / "checkpoint", tmp_path / "portable")
    requests.write_text("a red car\nask: what is this\n")
    limited("feature_sqnr_db", 100.0)
    request = QuantizeRequest(bundle=tmp_path / "portable", output=tmp_path / "made", target="rtx", weights="fp16")
    made = run(replace(request, requests=2, prompts=requests))
    assert precisions(made) == {"vision_encoder": "in fp32"}
    assert made.manifest.graphs["vision_encoder"].precision == "fp32"
    assert made.manifest.graphs["image_decoder"].precision == "fp16"


@pytest.fixture(scope="module")
def ready(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Ready:
    return calibrated(exported.portable, tmp_path_factory.mktemp("calibrated"))


@on_one
def test_a_decoder_that_quantised_activations_harm_goes_as_high_as_it_must(
    exported: Exported, ready: Ready, tmp_path: Path, requests: Path, limited: Limited
) -> None:
    options: dict[str, Any] = {
        "target": "tensorrt", "weights": "fp16", "static": Static(activations="int8"), "calibration": ready.calibration,
    }  # fmt: skip
    limited("decoder_ciede2000_p95", 1000.0)
    as_asked = make(exported, tmp_path / "asked", requests, **options)
    halves = make(exported, tmp_path / "halves", requests, target="tensorrt", weights="fp16")
    assert (precisions(as_asked), as_asked.manifest.graphs["image_decoder"].activations) == ({}, "int8")
    assert as_asked.manifest.quality is not None
    assert halves.manifest.quality is not None
    worse, better = (
        one.figures["decoder_ciede2000_p95"] for one in (as_asked.manifest.quality, halves.manifest.quality)
    )
    assert better < worse

    limited("decoder_ciede2000_p95", (better + worse) / 2)
    half = make(exported, tmp_path / "half", requests, **options)
    assert precisions(half) == {"image_decoder": "without quantised activations"}
    described = half.manifest.graphs["image_decoder"]
    assert (described.activations, described.precision) == (None, "fp16")
    assert half.manifest.graphs["backbone"].activations == "int8"

    limited("decoder_ciede2000_p95", better / 2)
    whole = make(exported, tmp_path / "whole", requests, **options)
    assert precisions(whole) == {"image_decoder": "in fp32"}
    assert whole.manifest.graphs["image_decoder"].precision == "fp32"
    assert whole.manifest.graphs["backbone"].activations == "int8"


@on_one
def test_the_command_says_what_it_made_more_precise(
    exported: Exported,
    tmp_path: Path,
    requests: Path,
    monkeypatch: pytest.MonkeyPatch,
    limited: Limited,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    limited("decoder_ciede2000_p95", 1e-6)
    arguments = ("quantize", str(exported.portable), "-o", "new", "--target", "rtx", "--weights", "fp16")
    assert run_command((*arguments, "--capacity", "192", "--prompts", requests.name)) == 0
    printed = capsys.readouterr()
    assert printed.out == "new\n"
    assert re.fullmatch(
        r"note: image_decoder was kept in fp32 because fp16 failed the quality check "
        r"\(CIEDE2000 (?:median|95 %) \S+, limit 1e-06\)\n",
        printed.err,
    )


# Budgets.


def size(manifest: Manifest) -> int:
    """What a budget counts: all but the record of the bundle's own outputs."""
    return sum(file.bytes for name, file in manifest.files.items() if name != "self_check.json")


@on_one
def test_bytes_are_counted_with_what_is_more_precise(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited
) -> None:
    limited("decoder_ciede2000_p95", 1e-6)
    options: dict[str, Any] = {"target": "rtx", "weights": "int4"}
    asked, least, most = (
        size(quantize(exported.portable, tmp_path / name, capacity=192, overrides=overrides, requests=0, **options))
        for name, overrides in (
            ("asked", ()),
            ("least", ("image_decoder=fp32",)),
            ("most", ("image_decoder=fp32", "backbone=fp16", "text_head=fp16")),
        )
    )  # fmt: skip
    assert asked < least < most

    made = make(exported, tmp_path / "made", requests, budget=f"{(least + most) // 2}B", **options)
    assert precisions(made) == {"image_decoder": "in fp32"}
    assert made.kept is not None
    assert 0 < len(made.kept.modules) < len(made.kept.ranking)
    assert size(made.manifest) == made.kept.bytes <= (least + most) // 2
    assert made.manifest.quality is not None
    assert made.manifest.quality.figures == made.kept.verdict.figures  # tried as it was made

    with pytest.raises(
        QualityError,
        match=rf"{least} bytes\. Allow at least as many\. The quality check kept image_decoder in .*`overrides=\('im",
    ):
        make(exported, tmp_path / "small", requests, budget=f"{(asked + least) // 2}B", **options)
    assert not list(tmp_path.glob(".*"))
    assert not (tmp_path / "small").exists()


@on_one
@pytest.mark.parametrize(("budget", "kept"), [("100%", False), ("0nats", True)])
def test_codes_have_a_budget_where_a_decoder_is_made_more_precise(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited, budget: str, kept: bool
) -> None:
    limited("decoder_ciede2000_p95", 1e-6)
    options: dict[str, Any] = {"target": "rtx", "weights": "int8", "budget": budget}
    if kept:  # half precision alone diverges
        with pytest.raises(QualityError, match=r"even with no layer quantised: .* Give a larger one\.$"):
            make(exported, tmp_path / "made", requests, **options)
        return
    made = make(exported, tmp_path / "made", requests, **options)
    assert made.kept is not None
    assert (made.kept.modules, precisions(made)) == (frozenset(), {"image_decoder": "in fp32"})


@on_one
@pytest.mark.parametrize("budget", ["100%", "1GB"])
def test_a_loss_that_is_accepted_is_so_with_a_budget(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited, budget: str
) -> None:
    limited("decoder_ciede2000_p95", 1e-6)
    options: dict[str, Any] = {"target": "rtx", "weights": "int8", "overrides": ("image_decoder=fp16",)}
    made = make(exported, tmp_path / "made", requests, budget=budget, accept_loss=True, **options)
    assert made.manifest.graphs["image_decoder"].precision == "fp16"
    assert made.manifest.quality is not None
    assert not made.manifest.quality.passed
    assert made.kept is not None
    assert bool(made.kept.modules) == (budget == "1GB")


@on_one
def test_a_module_that_only_an_override_quantises_can_be_kept(
    exported: Exported, tmp_path: Path, requests: Path, limited: Limited
) -> None:
    limited("kl_mean", 1000.0)
    options: dict[str, Any] = {"target": "rtx", "weights": "int4", "overrides": ("image_head=int8",)}
    made = make(exported, tmp_path / "made", requests, budget="1GB", **options)
    assert made.kept is not None
    assert made.manifest.graphs["image_head"].precision == "fp16"  # kept, as everything is that fits
    assert {graph.precision for graph in made.manifest.graphs.values()} <= {"fp16", "fp32"}


@on_one
def test_what_is_kept_is_judged_by_the_limits_of_what_was_asked_for(
    exported: Exported, tmp_path: Path, requests: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for precision in LIMITS:  # nothing finer would be within its own
        monkeypatch.setitem(LIMITS, precision, {"kl_mean": 1000.0 if precision == "int4" else -1.0})
    made = make(exported, tmp_path / "made", requests, weights="int4", budget="1GB")
    assert made.kept is not None
    assert made.manifest.graphs["backbone"].precision == "fp32"
    assert made.manifest.quality is not None
    assert (made.manifest.quality.limits, made.manifest.quality.passed) == ("int4", True)
