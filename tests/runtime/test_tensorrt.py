"""Target `tensorrt` on a fake GPU (fake_tensorrt.py): engines built, kept, opened, run, captured and freed.

What the fake runs is the bundle's own graphs on ONNX Runtime, so a picture must be, bit for bit, the one that the CPU
paints with the same graphs.
"""

import gc
import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import numpy as np
import pytest
from click.testing import CliRunner
from emu3_checkpoints import SHAPES
from exported import Exported
from fake_cuda import FakeCuda
from fake_tensorrt import Builder, FakeTensorRT

from edgevlo.cli import main, run
from edgevlo.quantization import quantize
from edgevlo.runtime import backends
from edgevlo.runtime.bundle import Bundle, open_bundle, seal
from edgevlo.runtime.errors import BundleError, DeviceError, OutputError, RequestError
from edgevlo.runtime.gpu import engine_cache
from edgevlo.runtime.gpu.cuda import Cuda, find_gpu
from edgevlo.runtime.gpu.device import DeviceBackbone
from edgevlo.runtime.gpu.engine_cache import Device, build_engines, cache_folder
from edgevlo.runtime.gpu.tensorrt_build import build_serialized_engine
from edgevlo.runtime.gpu.tensorrt_graph import CaptureWarning
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, read_manifest
from edgevlo.runtime.model import Model
from edgevlo.runtime.self_check import first_opening
from edgevlo.runtime.self_check.record import FILE

only_one = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)
pytestmark = only_one

PROMPT_WORDS = "a red car on the beach"


@pytest.fixture(scope="module")
def folder(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a bundle for TensorRT; nobody changes it."""
    made = tmp_path_factory.mktemp("tensorrt") / "bundle"
    quantize(exported.portable, made, target="tensorrt", weights="int8", capacity=192, requests=0)
    return made


@pytest.fixture
def api() -> FakeCuda:
    return FakeCuda()


@pytest.fixture
def device(api: FakeCuda, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Device]:
    """Return a fake GPU that bundles are opened on, and engines kept in a folder of the test's own."""
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    trt: Any = FakeTensorRT(api)
    made = Device(trt=trt, cuda=Cuda(cast(Any, api)), gpu=find_gpu(cast(Any, api)))
    monkeypatch.setattr(backends, "_device", lambda: made)
    yield made
    gc.collect()


@pytest.fixture
def built(folder: Path, device: Device) -> Bundle:
    """Return the bundle with its engines built."""
    bundle = open_bundle(folder)
    build_engines(bundle, device)
    return bundle


def on_cpu(folder: Path, to: Path) -> Model:
    """Return the same graphs as a bundle that the CPU runs."""
    shutil.copytree(folder, to)
    tree = json.loads((to / MANIFEST_FILE).read_text(encoding="utf-8"))
    tree["target"] = "portable"
    (to / MANIFEST_FILE).write_text(json.dumps(tree), encoding="utf-8")
    return Model.open(to)


def test_a_picture_is_that_of_the_same_graphs_on_the_cpu(built: Bundle, tmp_path: Path) -> None:
    ours, theirs = Model.open(built.folder), on_cpu(built.folder, tmp_path / "cpu")
    for seed in (1, 2):
        (*_, mine), (*_, other) = (one.paint_rows(PROMPT_WORDS, seed=seed, size="32x48") for one in (ours, theirs))
        np.testing.assert_array_equal(mine.codes, other.codes)
        assert mine.preview.tobytes() == other.preview.tobytes()


def test_pictures_are_read_and_answered_about(built: Bundle, tmp_path: Path) -> None:
    ours, theirs = Model.open(built.folder), on_cpu(built.folder, tmp_path / "cpu")
    picture = theirs.paint(PROMPT_WORDS, seed=3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a random model may give no answer
        assert ours.ask(picture, "what is on the left?") == theirs.ask(picture, "what is on the left?")
    assert (
        ours.edit(picture, "change the color", seed=1).tobytes()
        == theirs.edit(picture, "change the color", seed=1).tobytes()
    )


def test_steps_are_captured_once_and_launched_from_then_on(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    *_, stroke = model.paint_rows(PROMPT_WORDS, seed=1, size="32x48")
    rows, columns = stroke.codes.shape
    # The image head, the step of one token, and the step at a row's end that the grid forces a token onto.
    assert api.counts["captured"] == 3
    # The first run of each is not captured; nothing is read after the last cell.
    assert api.counts["launched"] == (rows * columns - 1) + ((rows - 1) * (columns - 1) + columns - 1 - 1) + (rows - 2)

    before = api.counts["launched"]
    list(model.paint_rows(PROMPT_WORDS, seed=2, size="32x48"))
    assert api.counts["captured"] == 3
    assert api.counts["launched"] == before + 2 * rows * columns - 1


def test_the_cache_never_leaves_the_gpu(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    list(model.paint_rows(PROMPT_WORDS, seed=1))
    before = dict(api.counts)
    *_, stroke = model.paint_rows(PROMPT_WORDS, seed=2)
    copied = api.counts["cudaMemcpyDeviceToHost"] - before["cudaMemcpyDeviceToHost"]
    # a code a cell; whether the states are finite, after the prompt and once a row; no picture was looked at
    assert copied == stroke.codes.size + 1 + len(stroke.codes)


def test_a_step_takes_no_memory(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    list(model.paint_rows(PROMPT_WORDS, seed=1, size="32x48"))
    before = api.counts["cudaMalloc"]
    list(model.paint_rows(PROMPT_WORDS, seed=2, size="32x32"))
    small = api.counts["cudaMalloc"] - before
    list(model.paint_rows(PROMPT_WORDS, seed=2, size="32x48"))
    assert api.counts["cudaMalloc"] - before == 2 * small  # the prompt's alone, whatever the number of steps


def test_an_answer_takes_no_memory_for_its_tokens(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    taken = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a random model may give no answer
        for _ in range(3):
            model._answering.answer(model.manifest.abilities["ask"], "what is on the left?", [])
            taken.append(api.counts["cudaMalloc"])
    tokens = int(next(iter(model._engine._idle.values())).backbone.lengths[0])
    assert taken[2] - taken[1] < 4 < tokens  # the buffers of the prompt


def test_every_captured_call_has_a_context_of_its_own(built: Bundle, device: Device) -> None:
    """Rows of one and of two branches take turns, and so do steps of one token and of a row's end.

    The fake refuses to launch a graph whose context has other shapes or addresses than when it was captured.
    """
    model = Model.open(built.folder)
    first = model.paint(PROMPT_WORDS, seed=1, size="32x48")
    for scale in (1.0, None, 1.0):
        model.paint(PROMPT_WORDS, seed=2, size="32x48", guidance_scale=scale)
    assert model.paint(PROMPT_WORDS, seed=1, size="32x48").tobytes() == first.tobytes()
    opened = cast(Any, device.trt).opened
    backbone, head = (next(one for one in opened if one.model.stem == name) for name in ("backbone", "image_head"))
    widths = [len(painter.backbone._calls) for painter in model._engine._idle.values()]
    assert len(widths) == 2  # of one branch and of two
    assert min(widths) >= 2  # steps, and rows' ends
    assert backbone.contexts == len(backbone.profiles) + sum(widths)
    assert head.contexts == len(head.profiles) + 2


def test_what_is_dropped_while_a_stream_is_captured_is_freed_after_it(exported: Exported, api: FakeCuda) -> None:
    cuda = Cuda(cast(Any, api))
    array = cuda.array((4,), "float32")
    kept = [array]
    del array
    cuda.captured(kept.clear).launch()
    assert api.held == {}


def test_an_engine_that_cannot_be_captured_runs_and_says_so_once(built: Bundle, api: FakeCuda, tmp_path: Path) -> None:
    api.captures = False
    model, theirs = Model.open(built.folder), on_cpu(built.folder, tmp_path / "cpu")
    with pytest.warns(CaptureWarning, match=r"is run without a CUDA graph: .*StreamCaptureUnsupported"):
        picture = model.paint(PROMPT_WORDS, seed=1)
    assert picture.tobytes() == theirs.paint(PROMPT_WORDS, seed=1).tobytes()


def test_all_memory_is_given_back(built: Bundle, api: FakeCuda) -> None:
    model = Model.open(built.folder)
    model.paint(PROMPT_WORDS, seed=1)
    assert api.held
    assert api.executables
    del model
    gc.collect()
    assert (api.held, api.executables, api.graphs) == ({}, {}, {})


def test_too_little_memory_is_a_memory_error(built: Bundle, api: FakeCuda) -> None:
    api.memory = 20_000
    with pytest.raises(MemoryError, match="the GPU has too little free memory"):
        Model.open(built.folder).paint(PROMPT_WORDS, seed=1)


def test_a_prompt_that_does_not_fit_into_the_cache_is_refused(built: Bundle) -> None:
    with pytest.raises(RequestError, match="this model holds 192"):
        Model.open(built.folder).paint("a " * 190, seed=1)


# Building.


def test_engines_are_built_once(built: Bundle, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = cache_folder(built, device)
    roles = set(built.manifest.graphs)
    assert {path.name for path in folder.iterdir()} == {"about.json", *(f"{role}.engine" for role in roles)}
    about = json.loads((folder / "about.json").read_text(encoding="utf-8"))
    assert (about["gpu"], about["capability"], about["tensorrt"]) == ("Fake GPU", [8, 9], "10.15.1.29")
    monkeypatch.setattr(Builder, "refuses", True)
    assert build_engines(built, device) == folder


@pytest.mark.parametrize(
    "change",
    [
        lambda device: replace(device, gpu=replace(device.gpu, name="Other GPU")),
        lambda device: replace(device, gpu=replace(device.gpu, capability=(9, 0))),
        lambda device: replace(device, gpu=replace(device.gpu, driver="CUDA 13.1")),
        lambda device: replace(device, trt=FakeTensorRT(FakeCuda(), version="11.4.0.106")),
    ],
    ids=["gpu", "capability", "driver", "tensorrt"],
)
def test_engines_of_another_device_are_not_used(
    built: Bundle, device: Device, change: Callable[[Device], Device], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = change(device)
    assert cache_folder(built, other) != cache_folder(built, device)
    monkeypatch.setattr(backends, "_device", lambda: other)
    with pytest.raises(
        BundleError, match=r"there is no engine of backbone for .* Build it here: edgevlo build-engines"
    ):
        Model.open(built.folder).paint(PROMPT_WORDS, seed=1)


def test_engines_of_another_graph_are_not_used(built: Bundle, device: Device) -> None:
    files = {
        name: msgspec.structs.replace(file, sha256="0" * 64) if name == "backbone.onnx.data" else file
        for name, file in built.manifest.files.items()
    }
    other = replace(built, manifest=msgspec.structs.replace(built.manifest, files=files))
    assert cache_folder(other, device) != cache_folder(built, device)
    unlike = replace(built, folder=Path("elsewhere"))
    assert cache_folder(unlike, device) == cache_folder(built, device)


def test_an_interrupted_build_goes_on_where_it_stopped(
    folder: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, told = open_bundle(folder), list[str]()

    def interrupt(what: str, _done: int, _all: int) -> None:
        told.append(what)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_engines(bundle, device, interrupt)
    there = sorted(path.name for path in cache_folder(bundle, device).iterdir())
    assert there == ["about.json", "backbone.engine", "image_head.engine"]

    made: list[str] = []

    def noting(trt: Any, path: Path, shapes: Any) -> bytes:
        made.append(path.stem)
        return build_serialized_engine(trt, path, shapes)

    monkeypatch.setattr(engine_cache, "build_serialized_engine", noting)
    build_engines(bundle, device)
    assert made == [role for role in bundle.manifest.graphs if role not in ("backbone", "image_head")]


def test_a_full_disk_leaves_no_half_engine(folder: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    bundle = open_bundle(folder)

    def full(_from: Path, _to: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="cannot be written"):
        build_engines(bundle, device)
    assert list(cache_folder(bundle, device).iterdir()) == []


def test_a_graph_that_tensorrt_refuses(folder: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Builder, "refuses", True)
    with pytest.raises(BundleError, match=r"TensorRT 10\.15\.1\.29 cannot build an engine of .*backbone\.onnx"):
        build_engines(open_bundle(folder), device)


def test_a_graph_that_cannot_be_parsed(folder: Path, device: Device, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(folder, tmp_path / "damaged"))
    bundle = replace(open_bundle(folder), folder=damaged)
    (damaged / "backbone.onnx").write_bytes(b"nonsense")
    with pytest.raises(BundleError, match=r"cannot parse .*backbone\.onnx: cannot be read: \w+\."):
        build_engines(bundle, device)


def test_a_damaged_engine(built: Bundle, device: Device) -> None:
    (cache_folder(built, device) / "backbone.engine").write_bytes(b"\0" * 100)
    with pytest.raises(BundleError, match="cannot open the engine of backbone; build the engines again"):
        Model.open(built.folder).paint(PROMPT_WORDS, seed=1)


def test_an_engine_of_another_graph_under_the_name(built: Bundle, device: Device) -> None:
    cache = cache_folder(built, device)
    shutil.copyfile(cache / "text_head.engine", cache / "image_head.engine")
    with pytest.raises(BundleError, match="the engine of image_head is not the manifest's graph"):
        Model.open(built.folder).paint(PROMPT_WORDS, seed=1)


def test_fp8_is_refused_where_the_gpu_has_none(folder: Path, device: Device) -> None:
    bundle = open_bundle(folder)
    graphs = {
        role: msgspec.structs.replace(graph, precision="fp8") if role == "image_decoder" else graph
        for role, graph in bundle.manifest.graphs.items()
    }
    fp8 = replace(bundle, manifest=msgspec.structs.replace(bundle.manifest, graphs=graphs))
    orin = replace(device, gpu=replace(device.gpu, name="Orin", capability=(8, 7)))
    with pytest.raises(
        BundleError, match=r"image_decoder is fp8, which Orin \(compute capability 8\.7\) does not support"
    ):
        build_engines(fp8, orin)
    build_engines(fp8, device)


def test_a_bundle_of_another_target_is_refused(exported: Exported, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["build-engines", str(exported.cpu)]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "is made for target 'cpu'; engines need target 'tensorrt'" in printed


def test_without_tensorrt_there_is_one_clear_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sys.modules.pop("tensorrt", None)
    assert run(["build-engines", str(folder)]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "TensorRT's Python package is not installed" in printed
    assert "pip install 'tensorrt>=" in printed


def test_without_cuda_bindings_there_is_one_clear_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", cast(Any, FakeTensorRT(FakeCuda())))
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    assert run(["build-engines", str(folder)]) == 1
    assert "cuda-bindings are not installed" in capsys.readouterr().err


def test_the_command_prints_where_the_engines_are(
    folder: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "find", classmethod(lambda _: device))
    printed = CliRunner().invoke(main, ["build-engines", str(folder)])
    assert printed.exit_code == 0
    assert Path(printed.stdout.strip()) == cache_folder(open_bundle(folder), device)


def test_engines_are_checked_as_soon_as_they_are_built(
    folder: Path, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEVLO_SELF_CHECK")
    monkeypatch.setattr(Device, "find", classmethod(lambda _: device))
    good = CliRunner().invoke(main, ["build-engines", str(folder)])
    assert good.exit_code == 0
    for role in open_bundle(folder).manifest.graphs:
        assert f"\n{role:16} " in f"\n{good.stderr}"

    monkeypatch.setattr(first_opening, "replayed", None)  # it passed here: opening it replays nothing
    Model.open(folder)


def test_engines_with_other_results_are_refused(
    folder: Path, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("EDGEVLO_SELF_CHECK")
    monkeypatch.setattr(Device, "find", classmethod(lambda _: device))
    wrong = Path(shutil.copytree(folder, tmp_path / "wrong"))
    record = json.loads((wrong / FILE).read_text())
    record["decoded"]["codes"] = [row[::-1] for row in record["decoded"]["codes"]]  # another picture than recorded
    (wrong / FILE).write_text(json.dumps(record))
    seal(wrong, read_manifest(wrong))
    assert run(["build-engines", str(wrong)]) == 1
    *_, last = capsys.readouterr().err.splitlines()
    assert "image_decoder is wrong (mean pixel difference in levels: " in last
    assert f"on {device.gpu.name}" in last
    with pytest.raises(DeviceError, match="image_decoder is wrong"):
        Model.open(wrong)


# Imports.


def test_nothing_of_it_is_imported_unless_chosen(exported: Exported) -> None:
    program = f"""
import sys
import edgevlo
edgevlo.load({str(exported.cpu)!r}).paint("a red car", seed=1)
chosen = [name for name in sys.modules if name.split(".")[0] in ("tensorrt", "tensorrt_bindings", "cuda",
          "onnxruntime_ep_nv_tensorrt_rtx") or name.startswith((
          "edgevlo.runtime.gpu.tensorrt", "edgevlo.runtime.gpu.engine_cache",
          "edgevlo.runtime.gpu.tensorrt_rtx", "edgevlo.runtime.gpu.ort"))]
print(chosen)
"""
    ran = subprocess.run([sys.executable, "-c", program], cwd="/", capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


def test_a_device_backbone_is_a_backbone(built: Bundle) -> None:
    model = Model.open(built.folder)
    model.paint(PROMPT_WORDS, seed=1)
    (painter,) = model._engine._idle.values()
    assert isinstance(painter.backbone, DeviceBackbone)
    assert painter.backbone.capacity == 192
