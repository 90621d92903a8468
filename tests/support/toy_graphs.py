"""The toy bundle written with `onnx` alone: random attention over a static cache, 27 flat colours as codes.

The graphs follow docs/bundle.md and nothing else; toy_reference.py computes the same in float64.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel
from toy_bundle import TOY, toy_manifest
from toy_reference import (
    CELL,
    COUNT,
    HEAD_DIM,
    HIDDEN,
    KV_HEADS,
    LAYERS,
    MAX_POSITIONS,
    SPECIALS,
    TOKENS,
    VOCABULARY,
    WEIGHTS,
)

from edgevlo.runtime.bundle import seal, staged_folder
from edgevlo.runtime.files import remove_folder
from edgevlo.runtime.manifest.graphs import DType, Graph, GraphRole, Tensor


class _Builder:
    def __init__(self, name: str, opset: int = 24) -> None:
        self.name, self.opset = name, opset
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []

    def input(self, name: str, dtype: int, shape: Sequence[int | str]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, dtype, shape))
        return name

    def output(self, name: str, dtype: int, shape: Sequence[int | str]) -> None:
        self.outputs.append(helper.make_tensor_value_info(name, dtype, shape))

    def constant(self, value: npt.ArrayLike, dtype: npt.DTypeLike) -> str:
        name = f"c{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value, dtype=dtype), name))
        return name

    def op(self, kind: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        name = out or f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def save(self, path: Path) -> None:
        graph = helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=11)
        onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=512)


FLOAT: Final = TensorProto.FLOAT
INT64: Final = TensorProto.INT64


def _backbone(path: Path) -> None:
    net = _Builder("backbone")
    x = net.input("inputs_embeds", FLOAT, ("B", "S", HIDDEN))
    past = net.input("past_lengths", INT64, ("B",))
    counts = net.input("token_counts", INT64, ("B",))
    cache = ("B", KV_HEADS, "C", HEAD_DIM)
    for layer in range(LAYERS):
        net.input(f"past_keys.{layer}", FLOAT, cache)
        net.input(f"past_values.{layer}", FLOAT, cache)

    zero, one = net.constant(0, np.int64), net.constant(1, np.int64)
    tokens = net.op("Range", zero, net.op("Squeeze", net.op("Shape", x, start=1, end=2)), one)
    slots = net.op("Range", zero, net.op("Squeeze", net.op("Shape", "past_keys.0", start=2, end=3)), one)
    positions = net.op("Add", net.op("Unsqueeze", past, net.constant([1], np.int64)), tokens)
    mask = net.op("LessOrEqual", slots, net.op("Unsqueeze", positions, net.constant([1, 3], np.int64)))
    placed = net.op("Min", positions, net.constant(MAX_POSITIONS - 1, np.int64))
    x = net.op("Add", x, net.op("Gather", net.constant(WEIGHTS.places, np.float32), placed))
    split = net.constant([0, 0, KV_HEADS, HEAD_DIM], np.int64)
    for layer, matrices in enumerate(WEIGHTS.layers):
        wq, wk, wv, wo = (net.constant(matrix, np.float32) for matrix in matrices)
        q, k, v = (
            net.op("Transpose", net.op("Reshape", net.op("MatMul", x, w), split), perm=[0, 2, 1, 3])
            for w in (wq, wk, wv)
        )
        keys = net.op("TensorScatter", f"past_keys.{layer}", k, past, out=f"present_keys.{layer}", axis=2)
        values = net.op("TensorScatter", f"past_values.{layer}", v, past, out=f"present_values.{layer}", axis=2)
        attended = net.op("Attention", q, keys, values, mask)
        merged = net.op("Reshape", net.op("Transpose", attended, perm=[0, 2, 1, 3]), net.constant([0, 0, -1], np.int64))
        x = net.op("Add", x, net.op("MatMul", merged, wo))
    hidden = net.op("Tanh", x, out="hidden")
    last = net.op("Unsqueeze", net.op("Sub", counts, one), net.constant([1], np.int64))
    net.op("GatherND", hidden, last, out="last_hidden", batch_dims=1)
    net.output("hidden", FLOAT, ("B", "S", HIDDEN))
    net.output("last_hidden", FLOAT, ("B", HIDDEN))
    for layer in range(LAYERS):
        net.output(f"present_keys.{layer}", FLOAT, cache)
        net.output(f"present_values.{layer}", FLOAT, cache)
    net.save(path)


def _image_head(path: Path) -> None:
    net = _Builder("image_head")
    hidden = net.input("hidden", FLOAT, ("N", "R", HIDDEN))
    weights = net.input("weights", FLOAT, ("R",))
    temperature = net.input("temperature", FLOAT, ())
    top_k = net.input("top_k", INT64, (1,))
    top_p = net.input("top_p", FLOAT, (1,))
    uniform = net.input("uniform", FLOAT, ("N",))
    # every branch's own logits, then their weighted sum: [N,R,K] -> [N,K]
    each = net.op("MatMul", hidden, net.constant(WEIGHTS.image_head, np.float32))
    logits = net.op("MatMul", weights, each, out="logits")
    zero, one = net.constant([0], np.int64), net.constant([1], np.int64)
    all_kept = net.op("Equal", top_k, zero)
    count = net.constant([COUNT], np.int64)
    kept = net.op("Min", net.op("Where", all_kept, count, top_k), count)
    net.nodes.append(helper.make_node("TopK", [logits, kept], ["largest", "places"], axis=-1))
    least = net.op("ReduceMin", "largest", one, keepdims=1)
    dropped = net.op("Where", net.op("Less", logits, least), net.constant(-np.inf, np.float32), logits)
    greedy = net.op("Equal", temperature, net.constant(0, np.float32))
    divisor = net.op("Where", greedy, net.constant(1, np.float32), temperature)
    shares = net.op("Softmax", net.op("Div", dropped, divisor), axis=-1)
    net.nodes.append(helper.make_node("TopK", [shares, count], ["falling", "their_places"], axis=-1))
    before = net.op("CumSum", "falling", net.constant(1, np.int64), exclusive=1)
    needed = net.op("Where", net.op("Less", before, top_p), "falling", net.constant(1, np.float32))
    small = net.op("Less", shares, net.op("ReduceMin", needed, one, keepdims=1))
    cdf = net.op("CumSum", net.op("Where", small, net.constant(0, np.float32), shares), net.constant(1, np.int64))
    total = net.op("Slice", cdf, net.constant([COUNT - 1], np.int64), count, one)
    target = net.op("Mul", net.op("Unsqueeze", uniform, one), total)
    below = net.op("And", net.op("LessOrEqual", cdf, target), net.op("Less", cdf, total))
    drawn = net.op("ReduceSum", net.op("Cast", below, to=INT64), one, keepdims=0)
    net.op("Where", greedy, net.op("ArgMax", logits, axis=-1, keepdims=0), drawn, out="code")
    net.output("code", INT64, ("N",))
    net.output("logits", FLOAT, ("N", COUNT))
    net.save(path)


def _text_head(path: Path) -> None:
    net = _Builder("text_head")
    hidden = net.input("hidden", FLOAT, ("B", HIDDEN))
    net.op("MatMul", hidden, net.constant(WEIGHTS.text_head, np.float32), out="logits")
    net.output("logits", FLOAT, ("B", TOKENS))
    net.save(path)


def _image_decoder(path: Path) -> None:
    net = _Builder("image_decoder", opset=20)
    codes = net.input("codes", INT64, (1, "h", "w"))
    flat = np.repeat(WEIGHTS.colours, CELL * CELL, axis=1)  # (codes, 3 * cell * cell), a channel's pixels together
    cells = net.op("Gather", net.constant(flat, np.float32), codes)
    planes = net.op("Transpose", cells, perm=[0, 3, 1, 2])
    net.op("DepthToSpace", planes, out="pixels", blocksize=CELL, mode="CRD")
    net.output("pixels", FLOAT, (1, 3, "H", "W"))
    net.save(path)


def _image_tokenizer(path: Path) -> None:
    net = _Builder("image_tokenizer", opset=20)
    pixels = net.input("pixel_values", FLOAT, (1, 3, "H", "W"))
    means = net.op("AveragePool", pixels, kernel_shape=[CELL, CELL], strides=[CELL, CELL])
    cells = net.op("Unsqueeze", net.op("Transpose", means, perm=[0, 2, 3, 1]), net.constant([3], np.int64))
    away = net.op("Sub", cells, net.constant(WEIGHTS.colours, np.float32))  # (1, h, w, codes, 3)
    distances = net.op("ReduceSum", net.op("Mul", away, away), net.constant([4], np.int64), keepdims=0)
    net.op("ArgMin", distances, out="codes", axis=-1, keepdims=0)
    net.output("codes", INT64, (1, "h", "w"))
    net.save(path)


_WRITERS: Final = {
    "backbone": _backbone,
    "image_head": _image_head,
    "text_head": _text_head,
    "image_decoder": _image_decoder,
    "image_tokenizer": _image_tokenizer,
}
_DTYPES: Final[dict[int, DType]] = {FLOAT: "float32", INT64: "int64"}


def _interface(values: Sequence[onnx.ValueInfoProto]) -> tuple[Tensor, ...]:
    def shape(value: onnx.ValueInfoProto) -> tuple[int | str, ...]:
        return tuple(size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim)

    return tuple(
        Tensor(name=value.name, dtype=_DTYPES[value.type.tensor_type.elem_type], shape=shape(value)) for value in values
    )


def _tokenizer(path: Path) -> None:
    tokenizer = Tokenizer(WordLevel(VOCABULARY, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Whitespace(), pre_tokenizers.Digits(individual_digits=True)]
    )
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIALS])
    tokenizer.save(str(path))


def make_toy(destination: Path) -> Path:
    """Write the toy bundle and return its folder."""
    with staged_folder(destination) as folder:
        graphs: dict[GraphRole, Graph] = {}
        for role, write in _WRITERS.items():
            file = f"{role}.onnx"
            write(folder / file)
            graph = onnx.load(folder / file, load_external_data=False).graph
            graphs[role] = Graph(  # type: ignore[index]
                file=file, precision="fp32", inputs=_interface(graph.input), outputs=_interface(graph.output)
            )
        WEIGHTS.table.astype("<f4").tofile(folder / "token_embedding.bin")
        _tokenizer(folder / "tokenizer.json")
        (folder / "LICENCE.txt").write_text("Made for tests.\n")
        seal(folder, toy_manifest(graphs))
    return destination


if __name__ == "__main__":
    remove_folder(TOY)
    make_toy(TOY)
