"""One engine on the GPU: its tensors bound to memory, its profiles, and captured graphs of what runs often.

Knows no bundle: names and types come from the engine itself.
"""

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arrays import Array, ArrayShape
from ..errors import BundleError
from ..graphs.protocols import DeviceArray, View
from ..manifest.graphs import DType
from .cuda import Captured, Cuda, CudaArray
from .tensorrt_api import Context, CudaEngine, TensorRT, severity_logger
from .tensorrt_profiles import Profile

_DTYPES: Final[dict[str, DType]] = {
    "FLOAT": "float32",
    "HALF": "float16",
    "BF16": "bfloat16",
    "INT64": "int64",
    "INT32": "int32",
    "INT8": "int8",
}


class CaptureWarning(UserWarning):
    """An engine runs without a CUDA graph because capturing it failed."""


class TensorRTGraph:
    """An engine, and execution contexts: one for each profile, and one of its own for each call that is captured.

    A captured graph holds its context's shapes, addresses and working memory as they were: it must not be launched
    once they are others, so that nobody else may use that context. One thread at a time runs the engine.
    """

    def __init__(self, trt: TensorRT, cuda: Cuda, serialized: bytes, profiles: Sequence[Profile], name: str) -> None:
        self._trt, self._cuda, self._profiles, self._name = trt, cuda, profiles, name
        self._runtime = trt.Runtime(severity_logger(trt))  # kept: the engine lives no longer than it
        engine = self._runtime.deserialize_cuda_engine(serialized)
        if engine is None:
            raise BundleError(f"TensorRT {trt.__version__} cannot open the engine of {name}; build the engines again.")
        if engine.num_optimization_profiles != len(profiles):
            raise BundleError(f"the engine of {name} was built for other shapes; build the engines again.")
        self._engine: CudaEngine = engine
        self.lock = threading.Lock()
        self._running = threading.Lock()
        self._last: _HostCall | None = None
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self.inputs = [one for one in names if engine.get_tensor_mode(one) == trt.TensorIOMode.INPUT]
        self.outputs = [one for one in names if one not in self.inputs]
        for one in names:
            if engine.get_tensor_location(one) != trt.TensorLocation.DEVICE:
                raise BundleError(
                    f"{name} reads {one} on the host, which cannot be captured; quantize the bundle again."
                )
        self._shared = [self._context(index) for index in range(len(profiles))]

    def dtype(self, name: str) -> DType:
        """Return the type of an input or output."""
        kind = str(getattr(self._engine.get_tensor_dtype(name), "name", ""))
        if kind not in _DTYPES:
            raise BundleError(f"{self._name}: {name} is {kind or 'of an unknown type'}; quantize again.")
        return _DTYPES[kind]

    def array(self, shape: ArrayShape, dtype: DType) -> CudaArray:
        """Return new memory on the GPU, all zeros."""
        return self._cuda.array(shape, dtype)

    def bind(self, inputs: Mapping[str, View], outputs: Mapping[str, View], *, often: bool) -> Callable[[], None]:
        """Return a function that runs the engine on this memory.

        What is run `often` is captured by its second run: the first settles what TensorRT does once for new shapes.
        """
        profile = self._profile({name: shape for name, (_, shape) in inputs.items()})
        if not often:
            return _Call(self, self._shared[profile], inputs, outputs).run
        with self.lock:
            return _CapturedCall(self, self._context(profile), inputs, outputs).run

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Copy arrays of the host to the GPU, run, and copy the named outputs back.

        The memory there is kept for the next run with the same shapes.
        """
        shapes = {name: host.shape for name, host in feeds.items()}
        with self._running:
            if self._last is None or self._last.shapes != shapes:
                self._last = None  # its memory is free before the next one's is taken
                self._last = self._host_call(shapes)
            return self._last.run(outputs, feeds)

    def _host_call(self, shapes: Mapping[str, ArrayShape]) -> "_HostCall":
        inputs = {name: self.array(shape, self.dtype(name)) for name, shape in shapes.items()}
        with self.lock:
            context = self._shared[self._profile(shapes)]
            self._set_inputs(context, {name: (array, array.shape) for name, array in inputs.items()})
            context.bound = None
            made = {name: self.array(self._shape(context, name), self.dtype(name)) for name in self.outputs}
        return _HostCall(self, inputs, made)

    def _context(self, profile: int) -> "_Context":
        """Return a new context; its memory is what the shapes of its profile need."""
        strategy = self._trt.ExecutionContextAllocationStrategy.ON_PROFILE_CHANGE
        context = self._engine.create_execution_context(strategy)
        if context is None:
            raise MemoryError(f"the GPU has too little free memory for {self._name}")
        if not context.set_optimization_profile_async(profile, self._stream):
            raise BundleError(f"the engine of {self._name} lacks profile {profile}; build the engines again.")
        self._cuda.wait()
        return _Context(context)

    @property
    def _stream(self) -> int:
        return int(self._cuda.stream)

    def _profile(self, shapes: Mapping[str, ArrayShape]) -> int:
        """Return the first profile that the shapes fit into; raise `BundleError` if there is none."""
        for index, profile in enumerate(self._profiles):
            if profile.holds(shapes):
                return index
        given = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items() if not name.startswith("past_"))
        raise BundleError(f"the engine of {self._name} was not built for these shapes: {given}.")

    def _set_inputs(self, context: "_Context", inputs: Mapping[str, View]) -> None:
        for name, (array, shape) in inputs.items():
            if not context.made.set_input_shape(name, shape):
                raise BundleError(f"{self._name} does not take {name} of shape {list(shape)}.")
            self._set_address(context, name, array)

    def _set_address(self, context: "_Context", name: str, array: DeviceArray) -> None:
        if not context.made.set_tensor_address(name, array.address):
            raise BundleError(f"{self._name} has no {name}; build the engines again.")

    def _shape(self, context: "_Context", name: str) -> ArrayShape:
        shape = tuple(context.made.get_tensor_shape(name))
        if any(size < 0 for size in shape):
            raise BundleError(f"{self._name} does not give the shape of {name}; quantize the bundle again.")
        return shape

    def enqueue(self, call: "_Call") -> None:
        """Put a call's work on the stream, its memory bound if its context has another's; `lock` is held."""
        context = call.context
        if context.bound is not call:
            self._set_inputs(context, call.inputs)
            for name, (array, _) in call.outputs.items():
                self._set_address(context, name, array)
            if missing := context.made.infer_shapes():
                raise BundleError(f"{self._name} lacks {', '.join(missing)}.")
            context.bound = call
        if not context.made.execute_async_v3(self._stream):
            raise BundleError(f"TensorRT could not run {self._name}; its log above says why.")

    def capture(self, call: "_Call") -> Captured | None:
        """Return the record of a call, None (and one warning) where capturing fails; `lock` is held."""
        try:
            return self._cuda.captured(lambda: self.enqueue(call))
        except BundleError as error:
            warnings.warn(f"{self._name} is run without a CUDA graph: {error}", CaptureWarning, stacklevel=3)
            return None


@dataclass(slots=True)
class _Context:
    """An execution context, and the call whose shapes and addresses it has."""

    made: Context
    bound: object = None


class _Call:
    """An engine, a context, and memory for inputs and outputs."""

    def __init__(
        self, graph: TensorRTGraph, context: _Context, inputs: Mapping[str, View], outputs: Mapping[str, View]
    ) -> None:
        self.graph, self.context, self.inputs, self.outputs = graph, context, inputs, outputs

    def run(self) -> None:
        with self.graph.lock:
            self.graph.enqueue(self)


class _CapturedCall(_Call):
    """A call with a context of its own, and the record of one run."""

    _runs = 0
    _captured: Captured | None = None

    def run(self) -> None:
        with self.graph.lock:
            self._runs += 1
            if self._runs == 2:
                self._captured = self.graph.capture(self)
            if self._captured is not None:
                self._captured.launch()
            else:
                self.graph.enqueue(self)

    def __del__(self) -> None:
        self._captured = None  # before the context and the memory that it runs on


class _HostCall:
    """A call whose inputs come from the host and whose outputs go there."""

    def __init__(self, graph: TensorRTGraph, inputs: dict[str, CudaArray], outputs: dict[str, CudaArray]) -> None:
        self.shapes = {name: array.shape for name, array in inputs.items()}
        self._inputs, self._outputs = inputs, outputs
        views = [{name: (array, array.shape) for name, array in side.items()} for side in (inputs, outputs)]
        self._run = graph.bind(*views, often=False)

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Copy, run, and copy back."""
        for name, host in feeds.items():
            self._inputs[name].upload(np.asarray(host, order="C"))  # ascontiguousarray gives a scalar a dimension
        self._run()
        results = [np.empty(self._outputs[name].shape, dtype=self._outputs[name].dtype) for name in outputs]
        for name, host in zip(outputs, results, strict=True):
            self._outputs[name].download(host)
        return results
