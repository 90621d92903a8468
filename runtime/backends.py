"""What runs a bundle's graphs, chosen by its target. A target's libraries are imported when a bundle needs them."""

import platform
from collections.abc import Callable
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, TypeAlias

from .bundle import Bundle
from .graphs.onnx_sessions import open_graph
from .graphs.protocols import Runner
from .manifest.graphs import GraphRole
from .manifest.schema import Manifest

if TYPE_CHECKING:
    import onnxruntime as ort

    from .gpu.engine_cache import Device


Opener: TypeAlias = Callable[[Bundle, GraphRole], Runner]


def open_runner(bundle: Bundle, role: GraphRole, *, prepack: bool = True, threads: int = 0) -> Runner:
    """Open one graph on the bundle's target; raise `BundleError` when it cannot be run there."""
    target = bundle.manifest.target
    if target == "tensorrt":
        from .gpu.engine_cache import open_cached_engine

        return open_cached_engine(bundle, role, _device())
    plugin = _rtx(bundle, role) if target == "rtx" else None
    session = open_graph(bundle, role, prepack=prepack, threads=threads, add_provider=plugin)
    if target in ("cuda", "rtx"):
        from .gpu.ort import OrtGraph

        return OrtGraph(session, "cuda")
    return session


def _rtx(bundle: Bundle, role: GraphRole) -> "Callable[[ort.SessionOptions], None]":
    from .gpu.tensorrt_profiles import profiles
    from .gpu.tensorrt_rtx import add_provider, rtx_cache

    return partial(add_provider, profiles=profiles(bundle.manifest, role), cache=rtx_cache(bundle))


def on_device(manifest: Manifest) -> bool:
    """Whether a bundle's buffers lie on a GPU."""
    return manifest.target in ("cuda", "rtx", "tensorrt")


def backend_facts(manifest: Manifest) -> tuple[str, ...]:
    """Return in words what the results of a bundle depend on here: device, driver, and versions of libraries."""
    target = manifest.target
    if target == "tensorrt":
        device = _device()
        capability = ".".join(map(str, device.gpu.capability))
        return (f"{device.gpu.name} ({capability})", device.gpu.driver, f"TensorRT {device.trt.__version__}")
    import onnxruntime as ort

    facts = (f"ONNX Runtime {ort.__version__}",)
    if target in ("cuda", "rtx"):
        from .gpu.identity import machine_facts
        from .gpu.tensorrt_rtx import DISTRIBUTION

        plugin = (f"{DISTRIBUTION} {_version(DISTRIBUTION)}",) if target == "rtx" else ()
        return (*machine_facts(), f"provider {target}", *plugin, *facts)
    return (f"{platform.machine()} CPU", *facts)


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except PackageNotFoundError:  # the plugin may come from elsewhere; opening a graph says where it is missing
        return "of unknown version"


@cache
def _device() -> "Device":
    from .gpu.engine_cache import Device

    return Device.find()
