"""CUDA without a GPU: the calls that edgevlo makes, over the memory of this process.

A stream runs at once, unless it is being captured: then what is put on it is recorded, addresses included, and nothing
runs. What a device would not survive is an error here too: memory taken or given back while a stream is captured,
copies to memory that is free, a launch of what was destroyed.
"""

import ctypes
import enum
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

ALIGNED = 256


class Error(enum.Enum):
    cudaSuccess = 0
    cudaErrorMemoryAllocation = 2
    cudaErrorStreamCaptureUnsupported = 900


class Kind(enum.Enum):
    cudaMemcpyHostToDevice = 1
    cudaMemcpyDeviceToHost = 2


class Mode(enum.Enum):
    cudaStreamCaptureModeThreadLocal = 1


class FakeCuda:
    """`cuda.bindings.runtime`; what it did is counted in `counts`."""

    cudaError_t = Error
    cudaMemcpyKind = Kind
    cudaStreamCaptureMode = Mode
    cudaStreamNonBlocking = 1

    def __init__(self, *, name: str = "Fake GPU", capability: tuple[int, int] = (8, 9), memory: int = 2**40) -> None:
        self.name, self.capability, self.memory = name, capability, memory
        self.driver = 13_000
        self.held: dict[int, Any] = {}
        self.recording: list[Callable[[], None]] | None = None
        self.graphs: dict[int, list[Callable[[], None]]] = {}
        self.executables: dict[int, list[Callable[[], None]]] = {}
        self.counts: dict[str, int] = {}
        self.captures = True  # whether streams can be captured

    def _count(self, what: str) -> None:
        self.counts[what] = self.counts.get(what, 0) + 1

    def enqueue(self, work: Callable[[], None]) -> None:
        """Run work that was put on the stream, or record it."""
        if self.recording is None:
            work()
        else:
            self.recording.append(work)

    def at(self, address: int) -> int:
        """Return an address that work is about to use: it may have been given back since the work was recorded."""
        assert address in self.held, "work uses memory that was given back"
        return address

    def cudaGetDeviceProperties(self, device: int) -> tuple[Error, Any]:
        assert device == 0
        major, minor = self.capability
        return Error.cudaSuccess, SimpleNamespace(
            name=self.name.encode() + b"\0", major=major, minor=minor, totalGlobalMem=self.memory
        )

    def cudaDriverGetVersion(self) -> tuple[Error, int]:
        return Error.cudaSuccess, self.driver

    def cudaGetErrorString(self, error: Error) -> tuple[Error, bytes]:
        return Error.cudaSuccess, error.name.encode()

    def cudaMalloc(self, size: int) -> tuple[Error, int | None]:
        assert self.recording is None, "memory is taken while a stream is captured"
        self._count("cudaMalloc")
        if size > self.memory:
            return Error.cudaErrorMemoryAllocation, None
        self.memory -= size
        block = (ctypes.c_ubyte * (size + ALIGNED))()
        ctypes.memset(block, 0xAB, len(block))  # memory is not cleared
        address = -(-ctypes.addressof(block) // ALIGNED) * ALIGNED
        self.held[address] = (block, size)
        return Error.cudaSuccess, address

    def cudaFree(self, devPtr: int) -> tuple[Error]:
        assert self.recording is None, "memory is given back while a stream is captured"
        _, size = self.held.pop(devPtr)
        self.memory += size
        return (Error.cudaSuccess,)

    def cudaMemsetAsync(self, devPtr: int, value: int, count: int, stream: int) -> tuple[Error]:
        assert count <= self.held[devPtr][1]
        self.enqueue(lambda: void(ctypes.memset(self.at(devPtr), value, count)))
        return (Error.cudaSuccess,)

    def cudaMemcpyAsync(self, dst: int, src: int, count: int, kind: Kind, stream: int) -> tuple[Error]:
        device = dst if kind is Kind.cudaMemcpyHostToDevice else src
        assert count <= self.held[device][1], "more than was allocated"
        self._count(kind.name)
        self.enqueue(lambda: void(ctypes.memmove(dst, src, count)))
        return (Error.cudaSuccess,)

    def cudaStreamCreateWithFlags(self, flags: int) -> tuple[Error, int]:
        assert flags == self.cudaStreamNonBlocking
        return Error.cudaSuccess, 77

    def cudaStreamSynchronize(self, stream: int) -> tuple[Error]:
        assert self.recording is None, "a stream that is captured cannot be waited for"
        return (Error.cudaSuccess,)

    def cudaStreamBeginCapture(self, stream: int, mode: Mode) -> tuple[Error]:
        assert self.recording is None
        if not self.captures:
            self.recording = []
            return (Error.cudaSuccess,)
        self.recording = []
        return (Error.cudaSuccess,)

    def cudaStreamEndCapture(self, stream: int) -> tuple[Error, int | None]:
        recorded, self.recording = self.recording, None
        assert recorded is not None
        if not self.captures:
            return Error.cudaErrorStreamCaptureUnsupported, None
        self._count("ended")
        self.graphs[self.counts["ended"]] = recorded
        return Error.cudaSuccess, self.counts["ended"]

    def cudaGraphInstantiate(self, graph: int, flags: int) -> tuple[Error, int]:
        assert flags == 0
        self._count("captured")
        made = 1000 + self.counts["captured"]
        self.executables[made] = self.graphs[graph]
        return Error.cudaSuccess, made

    def cudaGraphLaunch(self, graphExec: int, stream: int) -> tuple[Error]:
        self._count("launched")
        assert self.recording is None, "a graph is launched while a stream is captured"
        for work in self.executables[graphExec]:
            work()
        return (Error.cudaSuccess,)

    def cudaGraphDestroy(self, graph: int) -> tuple[Error]:
        del self.graphs[graph]
        return (Error.cudaSuccess,)

    def cudaGraphExecDestroy(self, graphExec: int) -> tuple[Error]:
        del self.executables[graphExec]
        return (Error.cudaSuccess,)


def void(_result: object) -> None:
    """Drop a result."""
