"""TensorRT engines of a bundle: built on the device, kept in a cache, opened from there. Imports TensorRT when used.

An engine runs on the GPU, driver and TensorRT that built it and nowhere else. So a bundle of target `tensorrt` holds
graphs, and its engines lie beside the installed bundles in `engines/KEY/`: the key is a SHA-256 over all that they
depend on, which `about.json` in the same folder says in words.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from ..arrays import Progress
from ..bundle import Bundle
from ..errors import BundleError
from ..files import home, write_bytes, written_to
from ..graphs.onnx_sessions import declared
from ..manifest.graphs import GraphRole
from ..manifest.schema import Manifest
from .cuda import Cuda, Gpu, find_gpu, load_cuda
from .tensorrt_api import TensorRT, load_tensorrt
from .tensorrt_build import build_serialized_engine
from .tensorrt_graph import TensorRTGraph
from .tensorrt_profiles import profiles

_FORMAT: Final = 1  # raised when engines of the same graph must be built anew
_ABOUT: Final = "about.json"
_FP8: Final = (8, 9)  # the first compute capability with fp8: Ada; Orin is 8.7


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    """TensorRT and the GPU of this machine."""

    trt: TensorRT
    cuda: Cuda
    gpu: Gpu

    @classmethod
    def find(cls) -> "Device":
        """Load TensorRT and CUDA; raise `BundleError` naming what is missing or too old."""
        trt = load_tensorrt()
        api = load_cuda()
        gpu = find_gpu(api)
        return cls(trt=trt, cuda=Cuda(api), gpu=gpu)


def cache_folder(bundle: Bundle, device: Device) -> Path:
    """Return the folder of a bundle's engines for a device, built or not."""
    return home("engines") / f"{bundle.manifest.name}-{_key(bundle, device)[:24]}"


def build_engines(bundle: Bundle, device: Device, progress: Progress | None = None) -> Path:
    """Build every engine of a bundle that the cache lacks; return their folder.

    Each is written whole or not at all, so an interrupted build goes on where it stopped. Raises `BundleError` when the
    bundle has another target, when the GPU lacks a precision of it, or when TensorRT refuses a graph; `OutputError`
    when the cache cannot be written.
    """
    tell = progress or (lambda _what, _done, _all: None)
    check_bundle(bundle)
    check_precisions(bundle.manifest, device.gpu)
    folder = cache_folder(bundle, device)
    graphs = bundle.manifest.graphs
    with written_to(folder):
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / _ABOUT, json.dumps(_about(bundle, device), indent=1).encode())
        for done, (role, graph) in enumerate(graphs.items()):
            tell(f"building {role}", done, len(graphs))
            path = _engine_file(folder, role)
            if not path.is_file():
                engine = build_serialized_engine(device.trt, bundle.path(graph.file), profiles(bundle.manifest, role))
                write_bytes(path, engine)
        tell("engines built", len(graphs), len(graphs))
    return folder


def open_cached_engine(bundle: Bundle, role: GraphRole, device: Device) -> TensorRTGraph:
    """Open an engine from the cache; raise `BundleError` when it was not built for this device."""
    graph = declared(bundle, role)
    path = _engine_file(cache_folder(bundle, device), role)
    try:
        serialized = path.read_bytes()
    except OSError as error:
        raise BundleError(
            f"there is no engine of {role} for {device.gpu.name}, TensorRT {device.trt.__version__} and this driver. "
            f"Build it here: edgevlo build-engines {bundle.folder}"
        ) from error
    opened = TensorRTGraph(device.trt, device.cuda, serialized, profiles(bundle.manifest, role), role)
    for names, tensors in ((opened.inputs, graph.inputs), (opened.outputs, graph.outputs)):
        expected = {tensor.name: tensor.dtype for tensor in tensors}
        found = {name: opened.dtype(name) for name in names}
        if found != expected:
            differ = ", ".join(sorted(name for name, _ in set(found.items()) ^ set(expected.items()))[:4])
            raise BundleError(f"the engine of {role} is not the manifest's graph: {differ} differ. Build it again.")
    return opened


def _engine_file(folder: Path, role: GraphRole) -> Path:
    return folder / f"{role}.engine"


def check_bundle(bundle: Bundle) -> None:
    """Raise `BundleError` unless engines can be built from a bundle."""
    manifest = bundle.manifest
    if manifest.target != "tensorrt":
        raise BundleError(
            f"{bundle.folder} is made for target {manifest.target!r}; engines need target 'tensorrt'. "
            "Make one: edgevlo quantize BUNDLE --target tensorrt -o FOLDER"
        )
    for role in manifest.graphs:
        declared(bundle, role)


def check_precisions(manifest: Manifest, gpu: Gpu) -> None:
    """Raise `BundleError` when a GPU lacks a precision of a bundle."""
    for role, graph in manifest.graphs.items():
        if graph.precision == "fp8" and gpu.capability < _FP8:
            has = ".".join(map(str, gpu.capability))
            raise BundleError(
                f"{role} is fp8, which {gpu.name} (compute capability {has}) does not support; it needs "
                f"{'.'.join(map(str, _FP8))}. Quantize to int8 for this device."
            )


def _about(bundle: Bundle, device: Device) -> dict[str, object]:
    """Return all that the engines depend on."""
    manifest = bundle.manifest
    return {
        "format": _FORMAT,
        "bundle": manifest.name,
        "graphs": {role: _hashes(manifest, role) for role in manifest.graphs},
        "profiles": {role: [asdict(one) for one in profiles(manifest, role)] for role in manifest.graphs},
        "gpu": device.gpu.name,
        "capability": list(device.gpu.capability),
        "driver": device.gpu.driver,
        "tensorrt": device.trt.__version__,
    }


def _hashes(manifest: Manifest, role: GraphRole) -> dict[str, str]:
    """Return the SHA-256 of the files of a graph: the bundle was verified, so they are the manifest's."""
    file, shared = manifest.graphs[role].file, manifest.graphs[role].shared
    read = (file, f"{file}.data", *shared)
    return {name: listed.sha256 for name, listed in sorted(manifest.files.items()) if name in read}


def _key(bundle: Bundle, device: Device) -> str:
    return hashlib.sha256(json.dumps(_about(bundle, device), sort_keys=True).encode()).hexdigest()
