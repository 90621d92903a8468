"""The transformer over a static KV cache. Knows token ids and row lengths, not prompts, codes or pixels.

Every buffer is made once and bound once. A call writes token embeddings into a bound buffer and runs the graph; past
and present are the same memory, so nothing is allocated or copied, and taking tokens back is lowering a length.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
import onnxruntime as ort

from ..arrays import Array, Floats, Tokens
from ..errors import RequestError
from ..manifest import graphs as manifest_graphs
from ..manifest.graphs import DType
from .embeddings import Embeddings
from .protocols import Session

# Calls of up to this many tokens keep their buffers: a painting step, a row's end, a few tokens to verify.
_KEPT_WIDTH: Final = 16


class Call:
    """Buffers for calls of one width: `embeds` and `hidden` (rows, width, hidden_size)."""

    def __init__(self, rows: int, width: int, size: int) -> None:
        self.embeds = np.zeros((rows, width, size), dtype=np.float32)
        self.hidden = np.zeros((rows, width, size), dtype=np.float32)
        self.counts = np.full(rows, width, dtype=np.int64)
        self.run: Callable[[], None]


class Backbone:
    """`rows` sequences of up to `capacity` tokens each, and what the transformer says after their last tokens."""

    def __init__(
        self,
        session: Session | None,
        shape: manifest_graphs.Backbone,
        embeddings: Embeddings,
        *,
        rows: int,
        capacity: int,
    ) -> None:
        self._session = session
        self._embeddings = embeddings
        self.rows = rows
        self.capacity = capacity
        self.lengths: Tokens = np.zeros(rows, dtype=np.int64)
        self._longest = 0
        self._last_hidden = np.zeros((rows, shape.hidden_size), dtype=np.float32)
        cache_shape = (rows, shape.kv_heads, capacity, shape.head_dim)
        sides = [(side, layer) for side in ("keys", "values") for layer in range(shape.layers)]
        self._make_cache([f"{side}.{layer}" for side, layer in sides], cache_shape, shape.cache_dtype)
        self._calls: dict[int, Call] = {}

    @property
    def last_hidden(self) -> Floats:
        """The hidden states (rows, hidden_size) behind the last tokens, the same memory after every call."""
        return self._last_hidden

    def prefill(self, prompts: Sequence[Sequence[int]], features: Floats | None = None) -> None:
        """Forget everything and read one prompt a row; the prompts may differ in length."""
        self.lengths[:] = self._longest = 0
        self._read(prompts, features)

    def append(self, tokens: Sequence[Sequence[int]], features: Floats | None = None) -> Floats:
        """Read some more tokens of every row, at least one each; return `hidden` (rows, longest, hidden_size).

        An id -1 - i stands for row i of `features` (features, hidden_size). The rows are padded on the right; what
        stands behind a row's own tokens has no meaning. The result is overwritten by the next call of the same width.
        """
        return self._read(tokens, features).hidden

    def _read(self, tokens: Sequence[Sequence[int]], features: Floats | None) -> Call:
        width = max(map(len, tokens))
        call = self._call(width)
        for row, ids in enumerate(tokens):
            call.counts[row] = len(ids)
            self._embeddings.write(ids, features, call.embeds[row, : len(ids)])
        self._run(call)
        self.lengths += call.counts
        self._longest = int(self.lengths.max())
        return call

    def step(self, tokens: Sequence[int]) -> None:
        """Read the same tokens in every row: the next code, and what the grid forces after it."""
        call = self._call(len(tokens))
        call.counts.fill(len(tokens))
        for place, token in enumerate(tokens):
            call.embeds[:, place] = self._embeddings.row(token)
        self._run(call)
        self.lengths += len(tokens)
        self._longest += len(tokens)

    def take_back(self, lengths: Tokens) -> None:
        """Forget every token of a row after its first `lengths[row]`."""
        if np.any(lengths > self.lengths) or np.any(lengths < 0):
            raise ValueError(f"cannot take back to {lengths}: the rows hold {self.lengths} tokens")
        self.lengths[:] = lengths
        self._longest = int(lengths.max())

    def cached(self, row: int) -> dict[str, Array]:
        """Return what a row holds, (kv_heads, tokens, head_dim) by `keys.i` and `values.i`; views of the cache."""
        return {name: array[row, :, : self.lengths[row]] for name, array in self._cache.items()}

    def _make_cache(self, names: Sequence[str], shape: tuple[int, ...], dtype: DType) -> None:
        self._cache = {name: np.zeros(shape, dtype) for name in names}

    def _run(self, call: Call) -> None:
        call.run()

    def _call(self, width: int) -> Call:
        needed = self._longest + width
        if needed > self.capacity:
            raise RequestError(f"{needed} tokens do not fit into the KV cache of {self.capacity}; shorten the prompt.")
        call = self._calls.get(width)
        if call is None:
            kept = width <= _KEPT_WIDTH
            call = self._bind(width, often=kept)
            if kept:
                self._calls[width] = call
        return call

    def _bind(self, width: int, *, often: bool) -> Call:
        call, session = Call(self.rows, width, self._last_hidden.shape[1]), self._session
        inputs: dict[str, Array] = {
            "inputs_embeds": call.embeds,
            "past_lengths": self.lengths,
            "token_counts": call.counts,
        }
        inputs |= {f"past_{name}": array for name, array in self._cache.items()}
        outputs: dict[str, Array] = {"hidden": call.hidden, "last_hidden": self._last_hidden}
        outputs |= {f"present_{name}": array for name, array in self._cache.items()}
        assert session is not None
        binding = session.io_binding()
        bind(binding, inputs, outputs)
        call.run = lambda: session.run_with_iobinding(binding)
        return call


def bind(binding: ort.IOBinding, inputs: Mapping[str, Array], outputs: Mapping[str, Array]) -> None:
    """Bind arrays in place: the graph reads and writes their memory from now on."""
    for name, array in inputs.items():
        binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
    for name, array in outputs.items():
        binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
