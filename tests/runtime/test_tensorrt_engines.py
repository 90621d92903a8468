"""Target `tensorrt` on a fake GPU (tensorrt_fixtures.py): engines built, kept, refused and checked."""

import json
import shutil
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from click.testing import CliRunner
from emu3_checkpoints import SHAPES
from exported import Exported
from fake_cuda import FakeCuda
from fake_tensorrt import Builder, FakeTensorRT
from tensorrt_fixtures import PROMPT_WORDS

from edgevlo.cli import main, run
from edgevlo.runtime import backends
from edgevlo.runtime.bundle import Bundle, open_bundle, seal
from edgevlo.runtime.errors import BundleError, DeviceError, OutputError
from edgevlo.runtime.gpu import engine_cache
from edgevlo.runtime.gpu.engine_cache import Device, build_engines, cache_folder
from edgevlo.runtime.gpu.tensorrt_build import build_serialized_engine
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.model import Model
from edgevlo.runtime.self_check import first_opening
from edgevlo.runtime.self_check.record import FILE

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


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
    tensorrt_bundle: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle, told = open_bundle(tensorrt_bundle), list[str]()

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


def test_a_full_disk_leaves_no_half_engine(
    tensorrt_bundle: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = open_bundle(tensorrt_bundle)

    def full(_from: Path, _to: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OutputError, match="cannot be written"):
        build_engines(bundle, device)
    assert list(cache_folder(bundle, device).iterdir()) == []


def test_a_graph_that_tensorrt_refuses(tensorrt_bundle: Path, device: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Builder, "refuses", True)
    with pytest.raises(BundleError, match=r"TensorRT 10\.15\.1\.29 cannot build an engine of .*backbone\.onnx"):
        build_engines(open_bundle(tensorrt_bundle), device)


def test_a_graph_that_cannot_be_parsed(tensorrt_bundle: Path, device: Device, tmp_path: Path) -> None:
    damaged = Path(shutil.copytree(tensorrt_bundle, tmp_path / "damaged"))
    bundle = replace(open_bundle(tensorrt_bundle), folder=damaged)
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


def test_fp8_is_refused_where_the_gpu_has_none(tensorrt_bundle: Path, device: Device) -> None:
    bundle = open_bundle(tensorrt_bundle)
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


def test_without_tensorrt_there_is_one_clear_line(tensorrt_bundle: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sys.modules.pop("tensorrt", None)
    assert run(["build-engines", str(tensorrt_bundle)]) == 1
    printed = capsys.readouterr().err
    assert printed.count("\n") == 1
    assert "TensorRT's Python package is not installed" in printed
    assert "pip install 'tensorrt>=" in printed


def test_without_cuda_bindings_there_is_one_clear_line(
    tensorrt_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", cast(Any, FakeTensorRT(FakeCuda())))
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    assert run(["build-engines", str(tensorrt_bundle)]) == 1
    assert "cuda-bindings are not installed" in capsys.readouterr().err


def test_the_command_prints_where_the_engines_are(
    tensorrt_bundle: Path, device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Device, "find", classmethod(lambda _: device))
    printed = CliRunner().invoke(main, ["build-engines", str(tensorrt_bundle)])
    assert printed.exit_code == 0
    assert Path(printed.stdout.strip()) == cache_folder(open_bundle(tensorrt_bundle), device)


def test_engines_are_checked_as_soon_as_they_are_built(
    tensorrt_bundle: Path, device: Device, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGEVLO_SELF_CHECK")
    monkeypatch.setattr(Device, "find", classmethod(lambda _: device))
    good = CliRunner().invoke(main, ["build-engines", str(tensorrt_bundle)])
    assert good.exit_code == 0
    for role in open_bundle(tensorrt_bundle).manifest.graphs:
        assert f"\n{role:16} " in f"\n{good.stderr}"

    monkeypatch.setattr(first_opening, "replayed", None)  # it passed here: opening it replays nothing
    Model.open(tensorrt_bundle)


def test_engines_with_other_results_are_refused(
    tensorrt_bundle: Path,
    device: Device,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.delenv("EDGEVLO_SELF_CHECK")
    monkeypatch.setattr(Device, "find", classmethod(lambda _: device))
    wrong = Path(shutil.copytree(tensorrt_bundle, tmp_path / "wrong"))
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
