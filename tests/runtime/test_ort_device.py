"""Targets `cuda` and `rtx`: buffers on a device of ONNX Runtime, here the CPU under the device's name.

What a GPU would compute is not tested: the graphs are those of target `cuda`, run by the CPU provider.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported

from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.gpu import ort as ort_device
from edgevlo.runtime.gpu import tensorrt_rtx
from edgevlo.runtime.gpu.device import DeviceBackbone
from edgevlo.runtime.gpu.ort import OrtArray, OrtGraph
from edgevlo.runtime.gpu.tensorrt_profiles import profiles
from edgevlo.runtime.graphs import onnx_sessions
from edgevlo.runtime.manifest.schema import MANIFEST_FILE
from edgevlo.runtime.model import Model

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)


@pytest.fixture(scope="module")
def folder(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cuda") / "bundle"
    quantize(exported.portable, made, target="cuda", weights="int8", capacity=192, requests=0)
    return made


@pytest.fixture
def on_cpu(monkeypatch: pytest.MonkeyPatch) -> None:
    """Open sessions for GPUs on the CPU, and allocate there what they call the device."""

    class Here(OrtGraph):
        def __init__(self, session: ort.InferenceSession, _device: str) -> None:
            super().__init__(session, "cpu")

    monkeypatch.setattr(onnx_sessions, "_providers", lambda *_: ["CPUExecutionProvider"])
    monkeypatch.setattr(ort_device, "OrtGraph", Here)


def test_a_picture_is_that_of_the_same_graphs_bound_on_the_host(folder: Path, tmp_path: Path, on_cpu: None) -> None:
    host = Path(shutil.copytree(folder, tmp_path / "host"))
    tree = json.loads((host / MANIFEST_FILE).read_text(encoding="utf-8"))
    (host / MANIFEST_FILE).write_text(json.dumps({**tree, "target": "portable"}), encoding="utf-8")
    ours, theirs = Model.open(folder), Model.open(host)
    for seed in (1, 2):
        (*_, mine), (*_, other) = (model.paint_rows("a red car", seed=seed) for model in (ours, theirs))
        np.testing.assert_array_equal(mine.codes, other.codes)
    (painter,) = ours._engine._idle.values()
    assert isinstance(painter.backbone, DeviceBackbone)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int64"])
def test_new_memory_is_zero(exported: Exported, dtype: Any) -> None:
    array = OrtArray((3, 2), dtype, "cpu")
    held = array.value.numpy() if dtype != "bfloat16" else np.frombuffer(bytes(12), np.uint16)
    assert array.shape == (3, 2)
    assert not np.asarray(held).any()


def test_memory_goes_there_and_back(exported: Exported) -> None:
    array, given = OrtArray((2, 3), "float32", "cpu"), np.arange(6, dtype=np.float32).reshape(2, 3)
    address = array.value.data_ptr()
    array.upload(given)
    back = np.zeros_like(given)
    array.download(back)
    np.testing.assert_array_equal(back, given)
    assert array.value.data_ptr() == address


def test_without_the_provider_the_bundle_is_refused(folder: Path) -> None:
    if "CUDAExecutionProvider" in ort.get_available_providers():
        pytest.skip("there is a CUDA provider here")
    with pytest.raises(
        BundleError, match="is made for target 'cuda', which this installation of onnxruntime cannot run"
    ):
        Model.open(folder).paint("a red car", seed=1)


def test_a_provider_that_does_not_start_is_no_reason_to_run_on_the_cpu(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = ort.InferenceSession

    def cpu_only(path: Path, options: ort.SessionOptions, providers: list[Any]) -> ort.InferenceSession:
        return real(path, options, providers=["CPUExecutionProvider"])  # what onnxruntime does without CUDA's libraries

    monkeypatch.setattr(ort, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"])
    monkeypatch.setattr(ort, "InferenceSession", cpu_only)
    with pytest.raises(BundleError, match="could not start CUDAExecutionProvider and would run it on the CPU"):
        Model.open(folder).paint("a red car", seed=1)


def test_without_the_plugin_rtx_is_refused(exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "onnxruntime_ep_nv_tensorrt_rtx", None)
    quantize(exported.portable, tmp_path / "rtx", target="rtx", weights="fp16", capacity=192, requests=0)
    with pytest.raises(
        BundleError, match=r"the TensorRT-RTX plugin is not installed, .*: pip install 'onnxruntime-ep-nv-tensorrt-rtx"
    ):
        Model.open(tmp_path / "rtx").paint("a red car", seed=1)


class Options:
    """Session options that note what is added."""

    def __init__(self) -> None:
        self.added: list[tuple[Any, dict[str, str]]] = []
        self.entries: dict[str, str] = {}

    def add_provider_for_devices(self, devices: Any, options: dict[str, str]) -> None:
        self.added.append((devices, options))

    def add_session_config_entry(self, name: str, value: str) -> None:
        self.entries[name] = value


def test_the_plugin_is_given_shapes_and_a_cache(
    folder: Path, exported: Exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tensorrt_rtx, "devices", lambda: ["first", "second"])
    manifest, options = open_bundle(folder).manifest, Options()
    given: Any = options
    tensorrt_rtx.add_provider(given, profiles(manifest, "image_head"), tmp_path / "cache")
    ((found, stated),) = options.added
    size = manifest.backbone.hidden_size
    assert found == ["first"]
    assert options.entries == {"session.disable_cpu_ep_fallback": "1"}
    assert (tmp_path / "cache").is_dir()
    assert stated == {
        "nv_profile_min_shapes": f"hidden:1x1x{size},weights:1,top_k:1,uniform:1",
        "nv_profile_opt_shapes": f"hidden:1x2x{size},weights:2,top_k:1,uniform:1",
        "nv_profile_max_shapes": f"hidden:1x2x{size},weights:2,top_k:1,uniform:1",
        "nv_runtime_cache_path": str(tmp_path / "cache"),
    }


def test_the_profile_spans_steps_and_prompts(folder: Path, exported: Exported, tmp_path: Path) -> None:
    manifest = open_bundle(folder).manifest
    stated = tensorrt_rtx.provider_options(profiles(manifest, "backbone"), tmp_path)
    size = manifest.backbone.hidden_size
    assert stated[tensorrt_rtx.MIN_SHAPES].startswith(
        f"inputs_embeds:1x1x{size},past_lengths:1,token_counts:1,past_keys.0:1x"
    )
    assert f"inputs_embeds:2x1x{size}," in stated[tensorrt_rtx.OPT_SHAPES]
    assert f"inputs_embeds:2x192x{size}," in stated[tensorrt_rtx.MAX_SHAPES]
