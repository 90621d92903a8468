"""The `ort` pass against the master graph: prompts of different length, steps, several tokens a step, roll-back."""

from collections import Counter
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from exported import Exported

from edgevlo.quantization.passes.group_query_attention import GroupQueryAttentionPass
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.manifest.graphs import Backbone
from edgevlo.runtime.manifest.schema import read_manifest

ROWS = 2

# Tokens that each row reads in a call; negative: tokens that it takes back.
CALLS = ((9, 5), (1, 1), (2, 2), (2, 1), (-3, -2), (4, 2), (1, 1), (1, 3), (-1, 0), (2, 2))


class Cache:
    """A session over one static cache, past and present bound to the same memory, as the runtime binds them."""

    def __init__(self, folder: Path, capacity: int) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.log_severity_level = 3
        self.session = ort.InferenceSession(folder / "backbone.onnx", options, providers=["CPUExecutionProvider"])
        self.shape: Backbone = read_manifest(folder).backbone
        shape = (ROWS, self.shape.kv_heads, capacity, self.shape.head_dim)
        layers = range(self.shape.layers)
        self.cache = {f"{side}.{layer}": np.zeros(shape, np.float32) for layer in layers for side in ("keys", "values")}
        self.lengths = np.zeros(ROWS, np.int64)

    def bind(self, embeds: Array, counts: tuple[int, ...]) -> tuple[ort.IOBinding, Array, Array]:
        self.kept = (np.ascontiguousarray(embeds), np.array(counts, np.int64))  # the binding has their addresses
        hidden, last = np.zeros_like(embeds), np.zeros((ROWS, self.shape.hidden_size), np.float32)
        binding = self.session.io_binding()
        inputs = {"inputs_embeds": self.kept[0], "past_lengths": self.lengths, "token_counts": self.kept[1]}
        inputs |= {f"past_{name}": array for name, array in self.cache.items()}
        outputs = {"hidden": hidden, "last_hidden": last}
        outputs |= {f"present_{name}": array for name, array in self.cache.items()}
        for name, array in inputs.items():
            binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        for name, array in outputs.items():
            binding.bind_output(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        return binding, hidden, last

    def read(self, embeds: Array, counts: tuple[int, ...]) -> tuple[Array, Array]:
        """Read some tokens of every row, padded on the right; return `hidden` and `last_hidden`."""
        binding, hidden, last = self.bind(embeds, counts)
        self.session.run_with_iobinding(binding)
        self.lengths += counts
        return hidden, last


def tell(folder: Path, capacity: int) -> list[Array]:
    """Return what every call gives for its valid tokens."""
    cache, random = Cache(folder, capacity), np.random.default_rng(0)
    given: list[Array] = []
    for counts in CALLS:
        if min(counts) < 0:
            cache.lengths += counts
            continue
        embeds = random.standard_normal((ROWS, max(counts), cache.shape.hidden_size)).astype(np.float32)
        hidden, last = cache.read(embeds, counts)
        given += [hidden[row, :count] for row, count in enumerate(counts)]
        given.append(last)
    return given


@pytest.fixture(scope="module")
def expected(exported: Exported) -> list[Array]:
    return tell(exported.portable, 40)


@pytest.mark.parametrize("capacity", [24, 40, 512])
def test_every_call_equals_the_master_graph(exported: Exported, expected: list[Array], capacity: int) -> None:
    for ours, theirs in zip(tell(exported.cpu, capacity), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_rows_do_not_see_each_other(exported: Exported) -> None:
    random = np.random.default_rng(1)
    size = read_manifest(exported.cpu).backbone.hidden_size
    first, second, other = (random.standard_normal((1, 6, size)).astype(np.float32) for _ in range(3))

    hidden, _ = Cache(exported.cpu, 32).read(np.concatenate([first, second]), (6, 6))
    beside, _ = Cache(exported.cpu, 32).read(np.concatenate([first, other]), (6, 4))

    np.testing.assert_array_equal(hidden[0], beside[0])


def test_taking_back_and_reading_again_gives_the_same(exported: Exported) -> None:
    cache, random = Cache(exported.cpu, 32), np.random.default_rng(2)
    embeds = random.standard_normal((ROWS, 8, cache.shape.hidden_size)).astype(np.float32)
    before, _ = cache.read(embeds, (8, 8))
    cache.lengths -= 3
    after, _ = cache.read(embeds[:, 5:], (3, 3))
    np.testing.assert_allclose(after, before[:, 5:], atol=1e-5)


def test_the_interface_stays_and_the_operators_are_fused(exported: Exported) -> None:
    before, after = ir.load(exported.portable / "backbone.onnx"), ir.load(exported.cpu / "backbone.onnx")
    layers = read_manifest(exported.cpu).backbone.layers
    for attribute in ("inputs", "outputs"):
        described = [
            [(value.name, value.dtype, str(value.shape)) for value in getattr(model.graph, attribute)]
            for model in (before, after)
        ]
        assert described[0] == described[1]
    kinds = Counter(node.op_type for node in after.graph)
    assert kinds["GroupQueryAttention"] == layers
    assert not kinds.keys() & {"Attention", "TensorScatter", "RotaryEmbedding", "Transpose", "Reshape", "LessOrEqual"}


def test_a_graph_without_a_static_cache_is_left_alone(exported: Exported) -> None:
    model = ir.load(exported.portable / "text_head.onnx")
    assert not GroupQueryAttentionPass()(model).modified
