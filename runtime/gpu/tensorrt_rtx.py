"""Sessions on NVIDIA's TensorRT-RTX execution provider, a plugin of ONNX Runtime. Imports the plugin when used.

The plugin is the package `onnxruntime-ep-nv-tensorrt-rtx-cu13`; it works with the plain `onnxruntime` wheel. It runs on
GPUs of compute capability 8.6, 8.9 and from 12.0 on: RTX of the Ampere generation and later, and GB10.
"""

import importlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import onnxruntime as ort

from ..arrays import ArrayShape
from ..bundle import Bundle
from ..errors import BundleError, first_line
from ..extras import install_command
from ..files import home
from .tensorrt_profiles import Profile

DISTRIBUTION: Final = "onnxruntime-ep-nv-tensorrt-rtx-cu13"
_PACKAGE: Final = "onnxruntime_ep_nv_tensorrt_rtx"

# Option -> what it is; tests compare the names with the header that the package ships.
MIN_SHAPES: Final = "nv_profile_min_shapes"
OPT_SHAPES: Final = "nv_profile_opt_shapes"
MAX_SHAPES: Final = "nv_profile_max_shapes"
RUNTIME_CACHE: Final = "nv_runtime_cache_path"


def devices() -> Sequence[Any]:
    """Register the plugin and return the GPUs that it runs on; raise `BundleError` when either is missing."""
    try:
        plugin = importlib.import_module(_PACKAGE)
    except ImportError as error:
        needed = "the TensorRT-RTX plugin is not installed, which target 'rtx' needs"
        raise BundleError(f"{needed}: {install_command('rtx')}") from error
    name, library = plugin.get_ep_name(), plugin.get_library_path()
    if not any(device.ep_name == name for device in ort.get_ep_devices()):
        try:
            ort.register_execution_provider_library(name, library)
        except Exception as error:  # onnxruntime's own exceptions share no base class below Exception
            raise BundleError(
                f"the TensorRT-RTX plugin cannot be loaded: {first_line(error)}. "
                "Is an NVIDIA driver for CUDA 13 installed?"
            ) from error
    found = [device for device in ort.get_ep_devices() if device.ep_name == name]
    if not found:
        raise BundleError(
            "the TensorRT-RTX plugin finds no GPU that it runs on (compute capability 8.6, 8.9, or 12.0 and later). "
            "Quantize the portable bundle for 'cuda' or 'cpu'."
        )
    return found


def add_provider(options: ort.SessionOptions, profiles: Sequence[Profile], cache: Path) -> None:
    """Make a session run on the first GPU, for shapes from the smallest to the largest of the profiles.

    Engines are compiled when the session is opened; `cache` is the folder that keeps what was compiled.
    """
    found = devices()
    cache.mkdir(parents=True, exist_ok=True)
    options.add_provider_for_devices(found[:1], provider_options(profiles, cache))
    options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")  # what it does not take is an error


def provider_options(profiles: Sequence[Profile], cache: Path) -> dict[str, str]:
    """Return the provider's options: one profile that spans all, most usual where the first is."""
    first, last = profiles[0], profiles[-1]
    return {
        MIN_SHAPES: _written(first.smallest),
        OPT_SHAPES: _written(first.usual),
        MAX_SHAPES: _written(last.largest),
        RUNTIME_CACHE: os.fspath(cache),
    }


def _written(shapes: Mapping[str, ArrayShape]) -> str:
    """Return `name:1x2x3,other:4`; scalars have no shape to state."""
    return ",".join(f"{name}:{'x'.join(map(str, shape))}" for name, shape in shapes.items() if shape)


def rtx_cache(bundle: Bundle) -> Path:
    """Return the folder that keeps what TensorRT-RTX compiled for a bundle."""
    return home("engines") / f"{bundle.manifest.name}-rtx-{bundle.digest[:24]}"
