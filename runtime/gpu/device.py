"""A backbone and an image head whose buffers lie on a device. Knows no device: a `DeviceGraph` does.

The KV cache never leaves the device. A step sends the embeddings of its tokens and the rows' lengths there; the image
head reads `last_hidden` where it lies, and it comes back only where the host asks for it, as answers do.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from ..arrays import ArrayShape, Floats
from ..graphs.backbone_kv_cache import Backbone, Call
from ..graphs.embeddings import Embeddings
from ..graphs.protocols import DeviceArray, DeviceGraph, View
from ..manifest import graphs as manifest_graphs
from ..manifest.graphs import DType
from ..manifest.guidance import Sampling


class _DeviceCall(Call):
    """A call of one width, on the host and on the device."""

    def __init__(self, backbone: "DeviceBackbone", width: int, size: int, *, often: bool) -> None:
        super().__init__(backbone.rows, width, size)
        graph, rows = backbone.graph, backbone.rows
        self.device_embeds = graph.array((rows, width, size), "float32")
        self.device_hidden = graph.array((rows, width, size), "float32")
        self.device_counts = graph.array((rows,), "int64")
        inputs = {
            "inputs_embeds": self.device_embeds,
            "past_lengths": backbone.device_lengths,
            "token_counts": self.device_counts,
        }
        inputs |= {f"past_{name}": array for name, array in backbone.device_cache.items()}
        outputs = {"hidden": self.device_hidden, "last_hidden": backbone.device_last_hidden}
        outputs |= {f"present_{name}": array for name, array in backbone.device_cache.items()}
        self.run = graph.bind(_views(inputs), _views(outputs), often=often)


class DeviceBackbone(Backbone):
    """A backbone whose cache, inputs and outputs lie on a device; hidden states are copied when they are read."""

    def __init__(
        self, graph: DeviceGraph, shape: manifest_graphs.Backbone, embeddings: Embeddings, *, rows: int, capacity: int
    ) -> None:
        self.graph = graph
        super().__init__(None, shape, embeddings, rows=rows, capacity=capacity)
        self.device_lengths = graph.array((rows,), "int64")
        self.device_last_hidden = graph.array((rows, shape.hidden_size), "float32")
        self._copied = True  # whether the host has what the device has

    @property
    def last_hidden(self) -> Floats:
        """The hidden states (rows, hidden_size) behind the last tokens, the same memory of the host each time."""
        if not self._copied:
            self.device_last_hidden.download(self._last_hidden)
            self._copied = True
        return self._last_hidden

    def append(self, tokens: Sequence[Sequence[int]], features: Floats | None = None) -> Floats:
        """Read some more tokens of every row; as `Backbone.append`."""
        call = self._read(tokens, features)
        assert isinstance(call, _DeviceCall)
        call.device_hidden.download(call.hidden)
        return call.hidden

    def _make_cache(self, names: Sequence[str], shape: ArrayShape, dtype: DType) -> None:
        self.device_cache = {name: self.graph.array(shape, dtype) for name in names}

    def _bind(self, width: int, *, often: bool) -> Call:
        return _DeviceCall(self, width, self._last_hidden.shape[1], often=often)

    def _run(self, call: Call) -> None:
        assert isinstance(call, _DeviceCall)
        call.device_embeds.upload(call.embeds)
        call.device_counts.upload(call.counts)
        self.device_lengths.upload(self.lengths)
        call.run()
        self._copied = False


class DeviceImageHead:
    """Draws a code from `last_hidden` of a backbone on the same device, guidance branches as rows."""

    def __init__(self, graph: DeviceGraph, backbone: DeviceBackbone, codes: int) -> None:
        rows, size = backbone.device_last_hidden.shape
        self._weights, self._temperature = graph.array((rows,), "float32"), graph.array((), "float32")
        self._top_k, self._uniform = graph.array((1,), "int64"), graph.array((1,), "float32")
        self._code, logits = graph.array((1,), "int64"), graph.array((1, codes), "float32")
        inputs = {
            "weights": self._weights,
            "temperature": self._temperature,
            "top_k": self._top_k,
            "uniform": self._uniform,
        }
        hidden: View = (backbone.device_last_hidden, (1, rows, size))
        outputs = _views({"code": self._code, "logits": logits})
        self._run = graph.bind({"hidden": hidden, **_views(inputs)}, outputs, often=True)
        self._host_uniform = np.zeros(1, dtype=np.float32)
        self._host_code = np.zeros(1, dtype=np.int64)

    def set(self, weights: Floats, sampling: Sampling) -> None:
        """Fix guidance weights, temperature and top-k for the picture to come."""
        self._weights.upload(np.ascontiguousarray(weights, dtype=np.float32))
        self._temperature.upload(np.array(sampling.temperature, dtype=np.float32))
        self._top_k.upload(np.array([sampling.top_k], dtype=np.int64))

    def draw(self, uniform: float) -> int:
        """Draw the next code at `uniform`, a number in [0, 1)."""
        self._host_uniform[0] = uniform
        self._uniform.upload(self._host_uniform)
        self._run()
        self._code.download(self._host_code)
        return int(self._host_code[0])


def _views(arrays: Mapping[str, DeviceArray]) -> dict[str, View]:
    return {name: (array, array.shape) for name, array in arrays.items()}
