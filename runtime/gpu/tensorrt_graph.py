"""One engine on the GPU: its tensors bound to memory, its profiles, and captured graphs of what runs often.

Knows no bundle: names and types come from the engine itself.
"""

import threading
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np

from ..arrays import Array, ArrayShape
from ..errors import BundleError
from ..graphs.protocols import DeviceArray, View
from ..manifest.graphs import DType
from .cuda import Cuda, CudaArray
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
    """An engine with one execution context for each of its profiles. One thread at a time runs it."""

    def __init__(self, trt: TensorRT, cuda: Cuda, serialized: bytes, profiles: Sequence[Profile], name: str) -> None:
        self._trt, self._cuda, self._profiles, self._name = trt, cuda, profiles, name
        self._runtime = trt.Runtime(severity_logger(trt))  # kept: the engine lives no longer than it
        engine = self._runtime.deserialize_cuda_engine(serialized)
        if engine is None:
            raise BundleError(f"TensorRT {trt.__version__} cannot open the engine of {name}; build the engines again.")
        if engine.num_optimization_profiles != len(profiles):
            raise BundleError(f"the engine of {name} was built for other shapes; build the engines again.")
        self._engine: CudaEngine = engine
        self._lock = threading.Lock()
        self._bound: dict[int, object] = {}
        names = [engine.get_tensor_name(index) for index in range(engine.num_io_tensors)]
        self.inputs = [one for one in names if engine.get_tensor_mode(one) == trt.TensorIOMode.INPUT]
        self.outputs = [one for one in names if one not in self.inputs]
        for one in names:
            if engine.get_tensor_location(one) != trt.TensorLocation.DEVICE:
                raise BundleError(
                    f"{name} reads {one} on the host, which cannot be captured; quantize the bundle again."
                )
        self._contexts = [self._context(index) for index in range(len(profiles))]

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
        call = _Call(self, inputs, outputs)
        return call.run_captured if often else call.run

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Copy arrays of the host to the GPU, run, and copy the named outputs back."""
        inputs: dict[str, View] = {}
        for name, host in feeds.items():
            array = self.array(host.shape, self.dtype(name))
            array.upload(np.ascontiguousarray(host))
            inputs[name] = (array, host.shape)
        with self._lock:
            context = self._contexts[self._profile(inputs)]
            self._set_inputs(context, inputs)
            made = {name: self.array(self._shape(context, name), self.dtype(name)) for name in self.outputs}
        self.bind(inputs, {name: (array, array.shape) for name, array in made.items()}, often=False)()
        results = [np.empty(made[name].shape, dtype=made[name].dtype) for name in outputs]
        for name, host in zip(outputs, results, strict=True):
            made[name].download(host)
        return results

    def _context(self, profile: int) -> Context:
        context = self._engine.create_execution_context()
        if context is None:
            raise MemoryError(f"the GPU has too little free memory for {self._name}")
        if not context.set_optimization_profile_async(profile, self._stream):
            raise BundleError(f"the engine of {self._name} lacks profile {profile}; build the engines again.")
        self._cuda.wait()
        return context

    @property
    def _stream(self) -> int:
        return int(self._cuda.stream)

    def _profile(self, inputs: Mapping[str, View]) -> int:
        """Return the first profile that the inputs fit into; raise `BundleError` if there is none."""
        shapes = {name: shape for name, (_, shape) in inputs.items()}
        for index, profile in enumerate(self._profiles):
            if profile.holds(shapes):
                return index
        given = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items() if not name.startswith("past_"))
        raise BundleError(f"the engine of {self._name} was not built for these shapes: {given}.")

    def _set_inputs(self, context: Context, inputs: Mapping[str, View]) -> None:
        for name, (array, shape) in inputs.items():
            if not context.set_input_shape(name, shape):
                raise BundleError(f"{self._name} does not take {name} of shape {list(shape)}.")
            self._set_address(context, name, array)

    def _set_address(self, context: Context, name: str, array: DeviceArray) -> None:
        if not context.set_tensor_address(name, array.address):
            raise BundleError(f"{self._name} has no {name}; build the engines again.")

    def _shape(self, context: Context, name: str) -> ArrayShape:
        shape = tuple(context.get_tensor_shape(name))
        if any(size < 0 for size in shape):
            raise BundleError(f"{self._name} does not give the shape of {name}; quantize the bundle again.")
        return shape

    def enqueue(self, call: "_Call") -> None:
        """Put a call's work on the stream, its memory bound if another's was."""
        context = self._contexts[call.profile]
        if self._bound.get(call.profile) is not call:
            self._set_inputs(context, call.inputs)
            for name, (array, _) in call.outputs.items():
                self._set_address(context, name, array)
            if missing := context.infer_shapes():
                raise BundleError(f"{self._name} lacks {', '.join(missing)}.")
            self._bound[call.profile] = call
        if not context.execute_async_v3(self._stream):
            raise BundleError(f"TensorRT could not run {self._name}; its log above says why.")

    def locked(self) -> threading.Lock:
        """Return the lock that whoever runs the engine holds."""
        return self._lock

    def capture(self, call: "_Call") -> Callable[[], None] | None:
        """Return a function that runs a captured call, None (and one warning) where capturing fails."""
        try:
            return self._cuda.captured(lambda: self.enqueue(call))
        except BundleError as error:
            warnings.warn(f"{self._name} is run without a CUDA graph: {error}", CaptureWarning, stacklevel=2)
            return None


class _Call:
    """An engine, memory for its inputs and outputs, and the record of one run."""

    def __init__(self, graph: TensorRTGraph, inputs: Mapping[str, View], outputs: Mapping[str, View]) -> None:
        self.graph, self.inputs, self.outputs = graph, inputs, outputs
        self.profile = graph._profile(inputs)
        self._runs = 0
        self._captured: Callable[[], None] | None = None

    def run(self) -> None:
        with self.graph.locked():
            self.graph.enqueue(self)

    def run_captured(self) -> None:
        with self.graph.locked():
            self._runs += 1
            if self._runs == 2:
                self._captured = self.graph.capture(self)
            if self._captured is not None:
                self._captured()
            else:
                self.graph.enqueue(self)
