"""Every family on every target with its own defaults: quantised, opened, painted and asked."""

import shutil
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import onnxruntime as ort
import pytest
from every_family import MAKERS, PortableOf
from photographs import soft_noise

from edgevlo.calibration import calibrate
from edgevlo.calibration.evaluation.gate import reference_of
from edgevlo.calibration.evaluation.reference import RequestsWarning
from edgevlo.calibration.moments import second_moments
from edgevlo.quantization import open_emulated, quantize
from edgevlo.quantization.precision_recipes import CPU, FP8_TARGETS, GPU
from edgevlo.quantization.targets.gpu import GPU_TARGETS, TargetWarning
from edgevlo.runtime.backends import on_device
from edgevlo.runtime.bundle import Bundle, open_bundle, seal
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import RequestError, RoomError
from edgevlo.runtime.generate.options import Options, resolve
from edgevlo.runtime.gpu.ort import OrtGraph
from edgevlo.runtime.manifest.abilities import Ability
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.guidance import Sampling
from edgevlo.runtime.manifest.interfaces import MAX_TOP_K
from edgevlo.runtime.manifest.prompts import Piece
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, read_manifest
from edgevlo.runtime.model import Model

TARGETS = {
    "portable": "",
    "cpu-int8": "int8",
    "cpu-int4": "int4",
    "cuda": "int8",
    "rtx": "int8",
    "tensorrt": "int8",
}
# All others that `edgevlo quantize --target --weights` offers.
OFFERED = [("cpu", weights) for weights in CPU] + [(target, weights) for target in GPU_TARGETS for weights in GPU]
OFFERED += [(target, "fp8") for target in FP8_TARGETS]
OTHERS = [pair for pair in OFFERED if pair not in [(name.partition("-")[0], TARGETS[name]) for name in TARGETS]]
PICTURE = soft_noise(40, 50, seed=3)


@contextmanager
def without_notes() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def bundle_for(portable: Path, target: str, folder: Path, **options: Any) -> Path:
    if target == "portable":
        return portable
    kind, _, _ = target.partition("-")
    quantize(portable, folder, target=kind, weights=TARGETS[target], **options)
    return folder


def opened(folder: Path) -> Model:
    """Open a bundle; one of a GPU with its buffers where a device's would be, its graphs computed by the CPU."""
    bundle = open_bundle(folder)
    return Model(bundle, Engine(bundle, _device_graph)) if on_device(bundle.manifest) else Model.open(folder)


def _device_graph(bundle: Bundle, role: GraphRole) -> OrtGraph:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    path = bundle.path(bundle.manifest.graphs[role].file)
    return OrtGraph(ort.InferenceSession(path, options, providers=["CPUExecutionProvider"]), "cpu")


def carry_out_everything(model: Model) -> None:
    """Use every ability with the model's own defaults."""
    for name, ability in model.manifest.abilities.items():
        if name == "paint":
            assert model.paint("a red car", seed=1).size == model.size(None)
        elif name == "edit":
            assert model.edit(PICTURE, "make the car blue", seed=1).width
        elif ability.output == "text":
            assert isinstance(model.ask(PICTURE, "what is on the left ?"), str)
        else:
            objects = ["car"] if name == "boxes" else []
            *_, last = model.perceive_rows(name, PICTURE, objects, seed=1)
            assert last.rows_done == last.rows


@pytest.mark.parametrize("family", MAKERS)
@pytest.mark.parametrize("target", TARGETS)
def test_a_family_does_what_it_can_with_its_own_defaults(
    family: str, target: str, portable_of: PortableOf, tmp_path: Path
) -> None:
    with without_notes():
        carry_out_everything(opened(bundle_for(portable_of(family), target, tmp_path / "new", requests=0)))


@pytest.mark.slow
@pytest.mark.parametrize("family", MAKERS)
@pytest.mark.parametrize(("target", "weights"), OTHERS)
def test_so_it_does_with_all_other_weights(
    family: str, target: str, weights: str, portable_of: PortableOf, tmp_path: Path
) -> None:
    """CPUs have no kernels of bf16 and fp8, so graphs of a GPU are emulated."""
    with without_notes():
        quantize(portable_of(family), tmp_path / "new", target=target, weights=weights, requests=0)
        manifest = open_bundle(tmp_path / "new").manifest
        assert (manifest.target, manifest.graphs["backbone"].precision) == (target, weights)
        with open_emulated(tmp_path / "new") as subject:
            carry_out_everything(Model.open(subject.form.folder))


@pytest.mark.slow
@pytest.mark.parametrize("family", MAKERS)
@pytest.mark.parametrize("target", [target for target in TARGETS if target != "portable"])
def test_a_family_is_judged_with_the_requests_that_ship(
    family: str, target: str, portable_of: PortableOf, tmp_path: Path
) -> None:
    with without_notes():
        folder = bundle_for(portable_of(family), target, tmp_path / "new", accept_loss=True)
    quality = open_bundle(folder).manifest.quality
    assert quality is not None
    assert quality.requests > 3


def test_numbers_that_a_gpu_cannot_draw_with_are_replaced_and_said(portable_of: PortableOf, tmp_path: Path) -> None:
    with pytest.warns(TargetWarning) as noted:
        quantize(portable_of("liquid"), tmp_path / "liquid", target="rtx", requests=0)
    assert [str(one.message) for one in noted] == [
        "rtx bundles cannot draw as the model does: top-k of painting 3840 instead of 4096; "
        "top-p of painting 1 instead of 0.96"
    ]
    manifest = open_bundle(tmp_path / "liquid").manifest
    assert manifest.sampling == Sampling(temperature=0.99, top_k=3840, top_p=1.0)
    with pytest.raises(RequestError, match="top-k 4096 is out of range: on a GPU at most 3840 codes are kept"):
        resolve(Options(top_k=4096), manifest.abilities["paint"], manifest)
    assert resolve(Options(top_k=5000), manifest.abilities["paint"], manifest).sampling.top_k == 0  # all of 5000
    assert resolve(Options(top_k=MAX_TOP_K), manifest.abilities["paint"], manifest).sampling.top_k == MAX_TOP_K


def test_so_are_those_of_one_ability(portable_of: PortableOf, tmp_path: Path) -> None:
    with pytest.warns(TargetWarning, match=r"model does: top-p of paint 1 instead of 0\.9$"):
        quantize(portable_of("anole"), tmp_path / "anole", target="cuda", requests=0)
    manifest = open_bundle(tmp_path / "anole").manifest
    assert manifest.abilities["paint"].sampling == Sampling(temperature=0.7)
    assert manifest.sampling.temperature == 0.9


@pytest.mark.filterwarnings("ignore::edgevlo.runtime.generate.text.AnswerWarning")
@pytest.mark.filterwarnings("ignore::edgevlo.runtime.pictures.load.PictureWarning")
def test_an_answer_ends_where_the_cache_does(portable_of: PortableOf, tmp_path: Path) -> None:
    """Its 512 tokens are more than the positions hold, and those more than the cache."""
    quantize(portable_of("Janus-4o-7B"), tmp_path / "small", target="cuda", weights="fp16", capacity=64, requests=0)
    model = opened(tmp_path / "small")
    model.ask(PICTURE, "what is on the left ?")
    (painter,) = model._engine._idle.values()
    assert painter.backbone.lengths.max() <= 64
    with pytest.raises(RoomError, match=r"this model holds 64 .* quantize again \(edgevlo quantize --capacity\)\.$"):
        model.ask(PICTURE, "red " * 48)
    quantize(portable_of("Janus-4o-7B"), tmp_path / "larger", target="cuda", weights="fp16", capacity=128, requests=0)
    opened(tmp_path / "larger").ask(PICTURE, "red " * 48)  # the remedy


def with_edits(portable: Path, folder: Path) -> Path:
    """Return a copy of a bundle that paints, edits three pictures, and does nothing else."""
    shutil.copytree(portable, folder)
    manifest = read_manifest(folder)
    (folder / MANIFEST_FILE).unlink()
    paint = manifest.abilities["paint"]
    edit = Ability(prompt=(*paint.prompt, Piece(field="images")), output="image", images=(3, 3))
    seal(folder, msgspec.structs.replace(manifest, abilities={"paint": paint, "edit": edit}))
    return folder


def test_requests_that_ship_and_do_not_fit_are_left_out(portable_of: PortableOf, tmp_path: Path) -> None:
    """An edit shows three pictures of 12 x 12 cells and paints another: more than 512 positions."""
    portable = with_edits(portable_of("emu3"), tmp_path / "emu3")
    with pytest.warns(RequestsWarning, match="no room for are left out: 2 edit$"):
        reference = reference_of(open_bundle(portable), count=8)
    assert {case.ability for case in reference.cases} == {"paint"}
    with pytest.warns(UserWarning, match="'edit: change the colour of the largest .* is left out: the prompt has"):
        found = calibrate(portable, tmp_path / "calibration", count=3)
    assert found.finished
    with pytest.warns(UserWarning, match="is left out"):
        assert second_moments(open_bundle(portable), count=3)
    (tmp_path / "own.txt").write_text("a red car\nedit: make it blue\n")
    with pytest.raises(RoomError, match="the prompt has"):
        calibrate(portable, tmp_path / "own", prompts=tmp_path / "own.txt", count=2)
