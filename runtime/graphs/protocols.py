"""What an opened graph can do, wherever it runs. Three implementations stand behind each: see `backends`.

A `Session` is as much of `onnxruntime.InferenceSession` as the runtime uses: what observes a graph implements the same
and takes its place. A `DeviceGraph` runs on memory of a GPU.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol, TypeAlias, TypeGuard

import onnxruntime as ort

from ..arrays import Array, ArrayShape, Floats
from ..manifest.graphs import DType
from ..manifest.guidance import Sampling


class Session(Protocol):
    """A graph whose inputs and outputs lie in memory of the host."""

    def get_inputs(self) -> Sequence[ort.NodeArg]:
        """Return names, types and shapes of the inputs."""

    def get_provider_options(self) -> Mapping[str, Mapping[str, str]]:
        """Return the options of every execution provider."""

    def io_binding(self) -> ort.IOBinding:
        """Return an empty binding of inputs and outputs to memory."""

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions | None = None, /) -> None:
        """Run on the memory of a binding."""

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, Array], options: ort.RunOptions | None = None, /
    ) -> Sequence[Any]:
        """Run on arrays; return the named outputs."""


class DeviceArray(Protocol):
    """Memory on a device, of one type and shape."""

    dtype: DType

    @property
    def shape(self) -> ArrayShape:
        """Its shape."""

    @property
    def address(self) -> int:
        """Where it begins, on the device."""

    def upload(self, host: Array) -> None:
        """Copy an array of the same type and shape to the device."""

    def download(self, host: Array) -> None:
        """Copy the device's memory into an array, once everything before it has run."""


# Memory, and the shape that a graph is to see it in.
View: TypeAlias = tuple[DeviceArray, ArrayShape]


class DeviceGraph(Protocol):
    """A graph whose inputs and outputs lie in memory of a device."""

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array], /) -> Sequence[Any]:
        """Copy arrays of the host to the device, run, and return the named outputs."""

    def array(self, shape: ArrayShape, dtype: DType) -> DeviceArray:
        """Return new memory, all zeros."""

    def bind(self, inputs: Mapping[str, View], outputs: Mapping[str, View], *, often: bool) -> Callable[[], None]:
        """Return a function that runs on this memory; what is run `often` is captured, where that can be done."""


Runner: TypeAlias = Session | DeviceGraph


def is_device_graph(graph: Runner) -> TypeGuard[DeviceGraph]:
    """Whether a graph runs on memory of a device; a wrapper answers as what it wraps."""
    return hasattr(graph, "array")


def is_session(graph: Runner) -> TypeGuard[Session]:
    """Whether a graph runs on memory of the host."""
    return not is_device_graph(graph)


class Head(Protocol):
    """Draws codes from a backbone's last hidden states."""

    def set(self, weights: Floats, sampling: Sampling) -> None:
        """Fix guidance weights, temperature, top-k and top-p for the next picture."""

    def draw(self, uniform: float) -> int:
        """Draw the next code at `uniform`, a number in [0, 1)."""
