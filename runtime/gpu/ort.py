"""A graph on a GPU through ONNX Runtime: buffers are `OrtValue`s there, bound once. For targets `cuda` and `rtx`."""

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import numpy as np
import onnxruntime as ort

from ..arrays import Array, ArrayShape
from ..graphs.protocols import DeviceArray, Session, View
from ..manifest.graphs import DType

_BFLOAT16: Final = 16  # ONNX's number of the type that numpy lacks
_NO_CAPTURE: Final = -1

# Every captured graph of the process has a number of its own: it is bound to its buffers.
_numbers: Iterator[int] = itertools.count(1)


class OrtArray:
    """Memory on a device of ONNX Runtime."""

    def __init__(self, shape: ArrayShape, dtype: DType, device: str) -> None:
        self._shape, self.dtype, self.device = shape, dtype, device
        kind = _BFLOAT16 if dtype == "bfloat16" else np.dtype(dtype).type
        self.value = ort.OrtValue.ortvalue_from_shape_and_type(shape, kind, device, 0)
        if dtype == "bfloat16":
            zeros = ort.OrtValue.ortvalue_from_numpy_with_onnx_type(np.zeros(shape, np.uint16), _BFLOAT16)
            self.value.update_inplace(zeros)
        else:
            self.value.update_inplace(np.zeros(shape, dtype))

    @property
    def shape(self) -> ArrayShape:
        """Its shape."""
        return self._shape

    @property
    def address(self) -> int:
        """Where it begins, on the device."""
        return int(self.value.data_ptr())

    def upload(self, host: Array) -> None:
        """Copy an array of the host to the device."""
        self.value.update_inplace(host)

    def download(self, host: Array) -> None:
        """Copy the memory into an array of the host."""
        np.copyto(host, self.value.numpy())


class OrtGraph:
    """A session on a device; where it was opened with CUDA graphs, what is run often is captured."""

    def __init__(self, session: Session, device: str) -> None:
        self.session, self._device = session, device
        options = session.get_provider_options().get("CUDAExecutionProvider", {})
        self._captures = options.get("enable_cuda_graph") == "1"

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> Sequence[Any]:
        """Run on arrays of the host; ONNX Runtime copies them."""
        return self.session.run(outputs, feeds, self._options(_NO_CAPTURE))

    def array(self, shape: ArrayShape, dtype: DType) -> OrtArray:
        """Return new memory on the device, all zeros."""
        return OrtArray(shape, dtype, self._device)

    def bind(self, inputs: Mapping[str, View], outputs: Mapping[str, View], *, often: bool) -> Callable[[], None]:
        """Return a function that runs on this memory."""
        binding = self.session.io_binding()
        for name, (array, shape) in inputs.items():
            binding.bind_input(name, self._device, 0, _kind(array), shape, array.address)
        for name, (array, shape) in outputs.items():
            binding.bind_output(name, self._device, 0, _kind(array), shape, array.address)
        options = self._options(next(_numbers) if often else _NO_CAPTURE)
        kept = (inputs, outputs)  # the binding has their addresses alone

        def run() -> None:
            self.session.run_with_iobinding(binding, options)
            assert kept

        return run

    def _options(self, number: int) -> ort.RunOptions | None:
        if not self._captures:
            return None
        options = ort.RunOptions()
        options.add_run_config_entry("gpu_graph_id", str(number))
        return options


def _kind(array: DeviceArray) -> Any:
    return _BFLOAT16 if array.dtype == "bfloat16" else np.dtype(array.dtype).type
