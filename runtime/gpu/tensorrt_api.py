"""What is used of NVIDIA's `tensorrt` Python package, as types, and how it is loaded. Nothing else imports it.

The package has no stubs of its own. `SURFACE` lists the same names as data: tests compare it, names and arguments,
with what the real bindings say of themselves (tests/quantization/tensorrt_surface.json).
"""

import importlib
import re
from collections.abc import Sequence
from typing import Any, Final, Protocol

from ..errors import BundleError
from ..extras import install_command

OLDEST: Final = (10, 15)  # the first whose parser takes RMSNormalization, RotaryEmbedding and TensorScatter
JETPACK: Final = "JetPack 7.2"  # the first for Orin and Thor that ships a TensorRT that new

# Class -> method -> the arguments that are given, in their order.
SURFACE: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "Builder": {
        "create_network": ("flags",),
        "create_builder_config": (),
        "create_optimization_profile": (),
        "build_serialized_network": ("network", "config"),
    },
    "OnnxParser": {"parse_from_file": ("model",), "get_error": ("index",)},
    "IOptimizationProfile": {"set_shape": ("input", "min", "opt", "max")},
    "IBuilderConfig": {
        "add_optimization_profile": ("profile",),
        "set_memory_pool_limit": ("pool", "pool_size"),
        "clear_flag": ("flag",),
    },
    "INetworkDefinition": {"get_input": ("index",)},
    "Runtime": {"deserialize_cuda_engine": ("serialized_engine",)},
    "ICudaEngine": {
        "create_execution_context": ("strategy",),
        "get_tensor_name": ("index",),
        "get_tensor_mode": ("name",),
        "get_tensor_dtype": ("name",),
        "get_tensor_shape": ("name",),
        "get_tensor_location": ("name",),
    },
    "IExecutionContext": {
        "set_tensor_address": ("name", "memory"),
        "set_input_shape": ("name", "shape"),
        "get_tensor_shape": ("name",),
        "set_optimization_profile_async": ("profile_index", "stream_handle"),
        "infer_shapes": (),
        "execute_async_v3": ("stream_handle",),
    },
}
# Properties that are read.
PROPERTIES: Final[dict[str, tuple[str, ...]]] = {
    "OnnxParser": ("num_errors",),
    "INetworkDefinition": ("num_inputs",),
    "ICudaEngine": ("num_io_tensors", "num_optimization_profiles", "device_memory_size_v2"),
    "IHostMemory": ("nbytes",),
}
# Enumerations and their members.
MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "BuilderFlag": ("TF32",),
    "MemoryPoolType": ("WORKSPACE",),
    "NetworkDefinitionCreationFlag": ("STRONGLY_TYPED",),
    "TensorIOMode": ("INPUT", "OUTPUT"),
    "TensorLocation": ("DEVICE", "HOST"),
    "DataType": ("FLOAT", "HALF", "BF16", "INT64", "INT32", "INT8", "FP8"),
    "ExecutionContextAllocationStrategy": ("ON_PROFILE_CHANGE",),
}


class Tensor(Protocol):
    """An input of a network."""

    name: str
    shape: Sequence[int]


class Network(Protocol):
    """A graph that was parsed."""

    num_inputs: int

    def get_input(self, index: int, /) -> Tensor:
        """Return an input."""


class OptimizationProfile(Protocol):
    """The shapes that an engine takes."""

    def set_shape(self, input: str, min: Sequence[int], opt: Sequence[int], max: Sequence[int]) -> None:  # noqa: A002
        """State the shapes of an input."""


class BuilderConfig(Protocol):
    """How an engine is built."""

    def add_optimization_profile(self, profile: OptimizationProfile) -> int:
        """Return the profile's index, -1 if it is not one of this network."""

    def set_memory_pool_limit(self, pool: Any, pool_size: int) -> None:
        """Bound what building may use."""

    def clear_flag(self, flag: Any) -> None:
        """Turn a flag off."""


class HostMemory(Protocol):
    """A serialised engine; a buffer."""

    nbytes: int

    def __buffer__(self, flags: int, /) -> memoryview: ...


class Builder(Protocol):
    """Makes networks and engines."""

    def create_network(self, flags: int = 0) -> Network:
        """Return an empty network."""

    def create_builder_config(self) -> BuilderConfig:
        """Return a configuration."""

    def create_optimization_profile(self) -> OptimizationProfile:
        """Return an empty profile."""

    def build_serialized_network(self, network: Network, config: BuilderConfig) -> HostMemory | None:
        """Return the engine, None if it cannot be built."""


class OnnxParser(Protocol):
    """Reads ONNX files into a network."""

    num_errors: int

    def parse_from_file(self, model: str) -> bool:
        """Whether the file, external weights included, was read."""

    def get_error(self, index: int, /) -> object:
        """Return what was wrong."""


class Context(Protocol):
    """An engine with addresses and shapes."""

    def set_tensor_address(self, name: str, memory: int) -> bool:
        """Bind a tensor to device memory."""

    def set_input_shape(self, name: str, shape: Sequence[int]) -> bool:
        """State the shape of an input."""

    def get_tensor_shape(self, name: str) -> Sequence[int]:
        """Return the shape of a tensor, -1 where it is not known."""

    def set_optimization_profile_async(self, profile_index: int, stream_handle: int) -> bool:
        """Choose a profile."""

    def infer_shapes(self) -> list[str]:
        """Return the tensors that lack a shape or an address."""

    def execute_async_v3(self, stream_handle: int) -> bool:
        """Put the engine's work on a stream."""


class CudaEngine(Protocol):
    """An engine on the device."""

    num_io_tensors: int
    num_optimization_profiles: int
    device_memory_size_v2: int

    def create_execution_context(self, strategy: Any) -> Context | None:
        """Return a context, with memory of its own when its profile is chosen; None if there is too little."""

    def get_tensor_name(self, index: int) -> str:
        """Return the name of an input or output."""

    def get_tensor_mode(self, name: str) -> object:
        """Return whether it is an input or an output."""

    def get_tensor_dtype(self, name: str) -> object:
        """Return its type."""

    def get_tensor_shape(self, name: str) -> Sequence[int]:
        """Return its shape, -1 where it may differ."""

    def get_tensor_location(self, name: str) -> object:
        """Return whether it lies on the device or on the host."""


class Runtime(Protocol):
    """Opens engines."""

    def deserialize_cuda_engine(self, serialized_engine: bytes) -> CudaEngine | None:
        """Return the engine, None if it was built for another device or version."""


class TensorRT(Protocol):
    """The module itself."""

    __version__: str
    Logger: Any
    BuilderFlag: Any
    MemoryPoolType: Any
    NetworkDefinitionCreationFlag: Any
    TensorIOMode: Any
    TensorLocation: Any
    DataType: Any
    ExecutionContextAllocationStrategy: Any

    def Builder(self, logger: object) -> Builder:
        """Return a builder."""

    def OnnxParser(self, network: Network, logger: object) -> OnnxParser:
        """Return a parser into a network."""

    def Runtime(self, logger: object) -> Runtime:
        """Return a runtime."""


def load_tensorrt() -> TensorRT:
    """Import `tensorrt`; raise `BundleError` when it is missing or too old."""
    try:
        module: Any = importlib.import_module("tensorrt")
    except ImportError as error:
        raise BundleError(
            "TensorRT's Python package is not installed, which target 'tensorrt' needs: on Jetson it comes with "
            f"{JETPACK} (apt install python3-libnvinfer), elsewhere: {install_command('tensorrt')} ({error})."
        ) from error
    check_version(module.__version__)
    api: TensorRT = module
    return api


def check_version(version: str) -> None:
    """Raise `BundleError` when a TensorRT is older than what the graphs need."""
    found = tuple(map(int, re.findall(r"\d+", version)[:2]))
    if found < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise BundleError(
            f"TensorRT {version} is too old: target 'tensorrt' needs {oldest} or newer, on Jetson {JETPACK}. With "
            "JetPack 6 use onnxruntime-gpu and a bundle of target 'cuda'."
        )


def severity_logger(trt: TensorRT) -> object:
    """Return a logger that prints errors alone."""
    return trt.Logger(trt.Logger.ERROR)
