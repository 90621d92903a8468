"""Memory, a stream and captured graphs on an NVIDIA GPU, through NVIDIA's `cuda-bindings`. Knows no TensorRT."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np

from ..arrays import Array, ArrayShape
from ..errors import BundleError
from ..extras import install_command
from ..manifest.graphs import DType

_BYTES: Final[dict[DType, int]] = {
    "float32": 4,
    "float16": 2,
    "bfloat16": 2,
    "int64": 8,
    "int32": 4,
    "int8": 1,
}
_DRIVER_FILE: Final = Path("/proc/driver/nvidia/version")

# Function -> the arguments that are given; tests compare them with what the real bindings say of themselves.
SURFACE: Final[dict[str, tuple[str, ...]]] = {
    "cudaGetDeviceProperties": ("device",),
    "cudaDriverGetVersion": (),
    "cudaGetErrorString": ("error",),
    "cudaMalloc": ("size",),
    "cudaFree": ("devPtr",),
    "cudaMemsetAsync": ("devPtr", "value", "count", "stream"),
    "cudaMemcpyAsync": ("dst", "src", "count", "kind", "stream"),
    "cudaStreamCreateWithFlags": ("flags",),
    "cudaStreamSynchronize": ("stream",),
    "cudaStreamBeginCapture": ("stream", "mode"),
    "cudaStreamEndCapture": ("stream",),
    "cudaGraphInstantiate": ("graph", "flags"),
    "cudaGraphLaunch": ("graphExec", "stream"),
    "cudaGraphDestroy": ("graph",),
    "cudaGraphExecDestroy": ("graphExec",),
}
MEMBERS: Final[dict[str, tuple[str, ...]]] = {
    "cudaError_t": ("cudaSuccess", "cudaErrorMemoryAllocation"),
    "cudaMemcpyKind": ("cudaMemcpyHostToDevice", "cudaMemcpyDeviceToHost"),
    "cudaStreamCaptureMode": ("cudaStreamCaptureModeThreadLocal",),
}


class CudaRuntime(Protocol):
    """The module `cuda.bindings.runtime`; every function returns an error and then its results."""

    cudaError_t: Any
    cudaMemcpyKind: Any
    cudaStreamCaptureMode: Any
    cudaStreamNonBlocking: int

    def __getattr__(self, name: str) -> Callable[..., tuple[Any, ...]]: ...


def load_cuda() -> CudaRuntime:
    """Import `cuda.bindings.runtime`; raise `BundleError` when it is missing."""
    try:
        module: Any = importlib.import_module("cuda.bindings.runtime")
    except ImportError as error:
        raise BundleError(
            "NVIDIA's cuda-bindings are not installed, which target 'tensorrt' needs: "
            f"{install_command('tensorrt')} ({error})."
        ) from error
    runtime: CudaRuntime = module
    return runtime


@dataclass(frozen=True, slots=True, kw_only=True)
class Gpu:
    """What an engine depends on, of the GPU that it runs on."""

    name: str
    capability: tuple[int, int]
    memory: int  # bytes
    driver: str


class Cuda:
    """The first GPU, with one stream on which everything runs in the order of the calls."""

    def __init__(self, api: CudaRuntime) -> None:
        self.api = api
        (self.stream,) = self.call("cudaStreamCreateWithFlags", api.cudaStreamNonBlocking)
        self._capturing = False
        self._to_free: list[int] = []  # what was given back while a stream was captured

    def call(self, function: str, *arguments: object) -> tuple[Any, ...]:
        """Call a function; return its results, or raise `MemoryError` or `BundleError`."""
        return call(self.api, function, *arguments)

    def array(self, shape: ArrayShape, dtype: DType) -> "CudaArray":
        """Return new memory, all zeros."""
        return CudaArray(self, shape, dtype)

    def wait(self) -> None:
        """Return when all that was put on the stream has run."""
        self.call("cudaStreamSynchronize", self.stream)

    def captured(self, work: Callable[[], None]) -> "Captured":
        """Record what `work` puts on the stream, once."""
        self.call(
            "cudaStreamBeginCapture", self.stream, self.api.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        )
        self._capturing = True
        try:
            work()
        finally:
            self._capturing = False
            (graph,) = self.call("cudaStreamEndCapture", self.stream)
            while self._to_free:
                self.api.cudaFree(self._to_free.pop())
        try:
            return Captured(self, graph)
        finally:
            self.call("cudaGraphDestroy", graph)

    def free(self, address: int) -> None:
        """Free memory, at once or when the stream is captured: to free meanwhile would end the capture."""
        if self._capturing:
            self._to_free.append(address)
        else:
            self.api.cudaFree(address)


class Captured:
    """The record of a stream, as often as it is wanted; destroyed with this object."""

    def __init__(self, cuda: Cuda, graph: object) -> None:
        self._cuda, self._made = cuda, None
        (self._made,) = cuda.call("cudaGraphInstantiate", graph, 0)

    def launch(self) -> None:
        """Put all that was recorded on the stream."""
        self._cuda.call("cudaGraphLaunch", self._made, self._cuda.stream)

    def __del__(self) -> None:
        if self._made is not None:
            self._cuda.api.cudaGraphExecDestroy(self._made)


class CudaArray:
    """Memory on the GPU, freed with this object."""

    def __init__(self, cuda: Cuda, shape: ArrayShape, dtype: DType) -> None:
        self._cuda, self._shape, self.dtype = cuda, shape, dtype
        self.bytes = max(1, int(np.prod(shape, dtype=np.int64))) * _BYTES[dtype]
        self.address = 0
        (self.address,) = map(int, cuda.call("cudaMalloc", self.bytes))
        cuda.call("cudaMemsetAsync", self.address, 0, self.bytes, cuda.stream)

    @property
    def shape(self) -> ArrayShape:
        """Its shape."""
        return self._shape

    def upload(self, host: Array) -> None:
        """Copy an array of the host to the GPU."""
        self._check(host)
        kind = self._cuda.api.cudaMemcpyKind.cudaMemcpyHostToDevice
        self._cuda.call("cudaMemcpyAsync", self.address, host.ctypes.data, host.nbytes, kind, self._cuda.stream)

    def download(self, host: Array) -> None:
        """Copy the memory into an array of the host, after all that was put on the stream before."""
        self._check(host)
        kind = self._cuda.api.cudaMemcpyKind.cudaMemcpyDeviceToHost
        self._cuda.call("cudaMemcpyAsync", host.ctypes.data, self.address, host.nbytes, kind, self._cuda.stream)
        self._cuda.wait()

    def _check(self, host: Array) -> None:
        if host.shape != self._shape or host.dtype.name != self.dtype or not host.flags.c_contiguous:
            raise ValueError(f"{host.dtype}{list(host.shape)} is not the {self.dtype}{list(self._shape)} on the GPU")

    def __del__(self) -> None:
        if self.address:
            self._cuda.free(self.address)


def call(api: CudaRuntime, function: str, *arguments: object) -> tuple[Any, ...]:
    """Call a function of the CUDA runtime; return its results, or raise `MemoryError` or `BundleError`."""
    error, *results = getattr(api, function)(*arguments)
    if error == api.cudaError_t.cudaSuccess:
        return tuple(results)
    if error == api.cudaError_t.cudaErrorMemoryAllocation:
        raise MemoryError("the GPU has too little free memory")
    _, words = api.cudaGetErrorString(error)
    reason = words.decode() if isinstance(words, bytes) else str(words)
    raise BundleError(f"the GPU refused {function}: {reason}. Is an NVIDIA driver for CUDA 12 or newer installed?")


def find_gpu(api: CudaRuntime) -> Gpu:
    """Return what the first GPU is; raise `BundleError` if there is none."""
    (properties,) = call(api, "cudaGetDeviceProperties", 0)
    (version,) = call(api, "cudaDriverGetVersion")
    name = properties.name.decode() if isinstance(properties.name, bytes) else str(properties.name)
    driver = f"CUDA {version // 1000}.{version % 1000 // 10}"
    if _DRIVER_FILE.is_file():
        driver += " " + " ".join(_DRIVER_FILE.read_text(encoding="utf-8", errors="replace").split("\n", 1)[0].split())
    return Gpu(
        name=name.strip("\0"),
        capability=(int(properties.major), int(properties.minor)),
        memory=int(properties.totalGlobalMem),
        driver=driver,
    )
