"""Self-checks of quantised bundles: recorded by emulation, replayed on a device, and refused where something broke.

The device is ONNX Runtime's CPU provider under the GPU's name: it computes the float16 graphs of target `cuda` in its
own order, so that it differs from the emulation about as a GPU would.
"""

import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnxruntime as ort
import pytest
from emu3_checkpoints import SHAPES
from exported import Exported
from onnx import numpy_helper

from edgevlo.quantization import quantize
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle, seal
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import DeviceError
from edgevlo.runtime.gpu import ort as ort_device
from edgevlo.runtime.gpu.ort import OrtGraph
from edgevlo.runtime.graphs import onnx_sessions
from edgevlo.runtime.graphs.protocols import View
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.model import Model
from edgevlo.runtime.self_check import first_opening
from edgevlo.runtime.self_check.first_opening import replayed
from edgevlo.runtime.self_check.record import FILE, read_record

pytestmark = pytest.mark.parametrize("exported", SHAPES[1:2], indirect=True, ids=lambda shape: shape.name)

ROLES: tuple[GraphRole, ...] = ("backbone", "image_head", "text_head", "image_decoder", "image_tokenizer")


@pytest.fixture(scope="module")
def folder(exported: Exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("cuda") / "bundle"
    quantize(exported.portable, made, target="cuda", weights="int8", capacity=192, requests=0)
    return made


class Device(OrtGraph):
    """A provider of the CPU under a GPU's name, whose outputs can be made wrong."""

    wrong: Callable[[Array], Array] | None = None  # for the graphs with the output that is named
    output = ""

    def __init__(self, session: ort.InferenceSession, _device: str) -> None:
        super().__init__(session, "cpu")

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> Sequence[Any]:
        given = super().run(outputs, feeds)
        wrong = Device.wrong
        return [
            wrong(one) if wrong and name == Device.output else one for name, one in zip(outputs, given, strict=True)
        ]

    def bind(self, inputs: Mapping[str, View], outputs: Mapping[str, View], *, often: bool) -> Callable[[], None]:
        run = super().bind(inputs, outputs, often=often)

        def run_and_spoil() -> None:
            run()
            if Device.wrong is not None and Device.output in outputs:
                array, shape = outputs[Device.output]
                held = np.zeros(shape, np.dtype(array.dtype))
                array.download(held)
                array.upload(Device.wrong(held))

        return run_and_spoil


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[type[Device]]:
    """Check devices as users have them checked, on one that is new."""
    monkeypatch.delenv("EDGEVLO_SELF_CHECK")
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(onnx_sessions, "_providers", lambda *_: ["CPUExecutionProvider"])
    monkeypatch.setattr(ort_device, "OrtGraph", Device)
    yield Device
    Device.wrong, Device.output = None, ""


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """Return a list that every replay of a first opening adds to."""
    found: list[Path] = []
    original = first_opening.replayed

    def counted(bundle: Any, engine: Any) -> Any:
        found.append(bundle.folder)
        return original(bundle, engine)

    monkeypatch.setattr(first_opening, "replayed", counted)
    return found


def test_a_device_is_checked_once(
    folder: Path, device: type[Device], replays: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    Model.open(folder)
    assert Model.open(folder)._engine._idle == {}  # the check keeps no memory
    assert len(replays) == 1

    monkeypatch.setattr(first_opening, "backend_facts", lambda _: ("the same GPU", "a new driver"))
    Model.open(folder)
    Model.open(folder)
    assert len(replays) == 2


def test_the_check_can_be_switched_off(
    folder: Path, device: type[Device], replays: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEVLO_SELF_CHECK", "0")
    Model.open(folder)
    assert not replays


def test_without_a_home_to_write_every_opening_is_checked(
    folder: Path, device: type[Device], replays: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", os.devnull)
    Model.open(folder)
    Model.open(folder)
    assert len(replays) == 2


def test_a_device_of_float16_differs_from_the_emulation_and_passes(folder: Path, device: type[Device]) -> None:
    bundle = open_bundle(folder)
    found = replayed(bundle, Engine(bundle))
    assert {one.graph for one in found} == set(ROLES)
    assert all(one.is_within for one in found)
    assert bundle.path(FILE).stat().st_size < 64 * 1024


def garbage(values: Array) -> Array:
    random = np.random.default_rng(5)
    if values.dtype == np.int64:
        return values + random.integers(1, 4, values.shape)
    return np.asarray(values.std() * random.standard_normal(values.shape), dtype=values.dtype)


def zeros(values: Array) -> Array:
    return np.zeros_like(values) if values.dtype != np.int64 else values + 1


def no_numbers(values: Array) -> Array:
    return np.full_like(values, np.nan) if values.dtype != np.int64 else np.full_like(values, -1)


# What a provider gets wrong, by the output of a graph, and the graph that must be named.
OUTPUTS: dict[str, str] = {
    "last_hidden": "backbone",
    "logits": "image_head",  # and the text head's after it
    "code": "image_head",
    "pixels": "image_decoder",
    "codes": "image_tokenizer",
}


@pytest.mark.parametrize("wrong", [garbage, zeros, no_numbers])
@pytest.mark.parametrize("output", OUTPUTS)
def test_a_broken_provider_is_refused_when_a_bundle_is_first_opened(
    folder: Path, device: type[Device], output: str, wrong: Callable[[Array], Array]
) -> None:
    device.wrong, device.output = staticmethod(wrong), output
    with pytest.raises(DeviceError, match=rf": {OUTPUTS[output]} is wrong \(") as caught:
        Model.open(folder)
    assert "\n" not in str(caught.value)
    with pytest.raises(DeviceError):  # it was not remembered as good
        Model.open(folder)
    device.wrong = None
    Model.open(folder)


def changed(folder: Path, role: GraphRole, change: Callable[[list[onnx.TensorProto]], None]) -> None:
    """Change the initializers of a graph and seal its bundle again, as if it had been made so."""
    manifest = read_manifest(folder)
    path = folder / manifest.graphs[role].file
    graph = onnx.load(path)
    change(list(graph.graph.initializer))
    (folder / f"{path.name}.data").unlink(missing_ok=True)
    onnx.save(graph, path, save_as_external_data=True, location=f"{path.name}.data")
    seal(folder, msgspec.structs.replace(manifest, files={}))


def numbers(tensor: onnx.TensorProto) -> Array:
    return np.asarray(numpy_helper.to_array(tensor))


def replace(tensor: onnx.TensorProto, values: Array) -> None:
    tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))


def is_weight(tensor: onnx.TensorProto) -> bool:
    return numbers(tensor).dtype.kind == "f" and len(tensor.dims) >= 2


def multiply_a_scale(tensors: list[onnx.TensorProto]) -> None:
    """Multiply half the scales of a quantised layer by three, or half of every float weight where none is quantised.

    All of them would be seen by nobody where a normalisation follows.
    """
    scales = [one for one in tensors if "scales" in one.name]
    for one in scales[-1:] or filter(is_weight, tensors):
        values = numbers(one).copy()
        values[: max(1, len(values) // 2)] *= 3
        replace(one, values)


def turn_a_weight_over(tensors: list[onnx.TensorProto]) -> None:
    """Put the largest weight of a graph in the opposite order, as a wrong layout does."""
    one = max((one for one in tensors if len(one.dims) >= 2), key=lambda one: numbers(one).nbytes)
    replace(one, numbers(one).ravel()[::-1].reshape(one.dims))


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("fault", [multiply_a_scale, turn_a_weight_over])
def test_a_broken_graph_is_named(
    folder: Path, device: type[Device], tmp_path: Path, role: GraphRole, fault: Callable[[list[onnx.TensorProto]], None]
) -> None:
    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    changed(broken, role, fault)
    with pytest.raises(DeviceError, match=rf": {role} is wrong \("):
        Model.open(broken)


def test_two_weights_in_each_others_place_are_seen(folder: Path, device: type[Device], tmp_path: Path) -> None:
    def swap(tensors: list[onnx.TensorProto]) -> None:
        largest = sorted((one for one in tensors if len(one.dims) >= 2), key=lambda one: -numbers(one).nbytes)
        first = largest[0]
        second = next(one for one in largest[1:] if one.dims == first.dims and one.data_type == first.data_type)
        values = numbers(first), numbers(second)
        replace(first, values[1])
        replace(second, values[0])

    broken = Path(shutil.copytree(folder, tmp_path / "broken"))
    changed(broken, "backbone", swap)
    with pytest.raises(DeviceError, match=": backbone is wrong"):
        Model.open(broken)


@pytest.mark.parametrize(("weights", "requests"), [("int8", 0), ("int4", 2)])
def test_a_cpu_bundle_has_a_record_that_it_passes(
    exported: Exported, tmp_path: Path, weights: str, requests: int
) -> None:
    quantize(exported.portable, tmp_path / "new", weights=weights, requests=requests, accept_loss=True)
    bundle = open_bundle(tmp_path / "new")
    record = read_record(bundle)
    assert record is not None
    assert all(one.is_within for one in replayed(bundle, Engine(bundle)))
    assert record.limits["hidden_error"] >= (0.15 if weights == "int8" else 0.2)


def test_a_bundle_without_room_for_the_requests_says_why_it_has_no_record(exported: Exported, tmp_path: Path) -> None:
    manifest = quantize(exported.portable, tmp_path / "new", target="cuda", weights="fp16", capacity=20, requests=0)
    assert manifest.self_check is not None
    assert "fit" in manifest.self_check.absent
    assert not (tmp_path / "new" / FILE).exists()
