"""A tiny real bundle, made with `onnx` alone: random attention over a static cache, 27 flat colours as codes.

The graphs follow docs/bundle.md and nothing else; `Reference` computes the same in float64 with plain numpy.
"""

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from tokenizers import AddedToken, Tokenizer, pre_tokenizers
from tokenizers.models import WordLevel

from edgevlo.runtime.arrays import Floats
from edgevlo.runtime.bundle import seal, staged_folder
from edgevlo.runtime.manifest.abilities import Ability, Answer, Request
from edgevlo.runtime.manifest.graphs import Backbone, DType, Graph, GraphRole, Table, Tensor
from edgevlo.runtime.manifest.guidance import Branch, Guidance, Sampling
from edgevlo.runtime.manifest.pictures import Codes, Grid, Postprocess, Preprocess
from edgevlo.runtime.manifest.prompts import ImageBlock, Piece
from edgevlo.runtime.manifest.schema import FORMAT, Manifest, Producer, Source

LAYERS: Final = 2
HIDDEN: Final = 16
KV_HEADS: Final = 2
HEAD_DIM: Final = 8
COUNT: Final = 27  # codes: three levels a channel
CELL: Final = 4
MAX_POSITIONS: Final = 400

SPECIALS: Final = ("<unk>", "<bos>", "<eos>", "<image>", "<grid>", "<eol>", "<eoi>")
WORDS: Final = (
    *("a", "red", "blue", "green", "big", "car", "house", "tree", "ugly", "on", "the", "left", "where", "is", "it"),
    *("一", "辆", "红", "车", "find", "everything"),
)
SYMBOLS: Final = tuple("0123456789*.,;:?!-")
VOCABULARY: Final = {token: index for index, token in enumerate((*SPECIALS, *WORDS, *SYMBOLS))}
FIRST_TOKEN: Final = len(VOCABULARY)
TOKENS: Final = FIRST_TOKEN + COUNT


@dataclass(frozen=True, slots=True)
class Weights:
    """Every number of the model, in float32."""

    table: Floats  # (tokens, hidden)
    places: Floats  # (positions, hidden)
    layers: tuple[tuple[Floats, ...], ...]  # q, k, v, o for each layer
    image_head: Floats  # (hidden, codes)
    text_head: Floats  # (hidden, tokens)
    colours: Floats  # (codes, 3), in [-1, 1]


def make_weights() -> Weights:
    rng = np.random.default_rng(5)

    def normal(*shape: int, scale: float = 1.0) -> Floats:
        return rng.normal(0.0, scale, shape).astype(np.float32)

    square = (HIDDEN, HIDDEN)
    return Weights(
        table=normal(TOKENS, HIDDEN),
        places=normal(MAX_POSITIONS, HIDDEN, scale=0.5),
        layers=tuple(tuple(normal(*square, scale=0.6) for _ in range(4)) for _ in range(LAYERS)),
        image_head=normal(HIDDEN, COUNT, scale=1.5),
        text_head=normal(HIDDEN, TOKENS),
        colours=np.array([[r, g, b] for r in (-1, 0, 1) for g in (-1, 0, 1) for b in (-1, 0, 1)], dtype=np.float32),
    )


WEIGHTS: Final = make_weights()


class Reference:
    """The toy's backbone and head over a whole sequence at once, in float64."""

    def hidden(self, ids: Sequence[int]) -> Floats:
        """Return (tokens, hidden)."""
        x = WEIGHTS.table[list(ids)].astype(np.float64) + WEIGHTS.places[: len(ids)]
        future = np.triu(np.full((len(ids), len(ids)), -np.inf), 1)
        for matrices in WEIGHTS.layers:
            wq, wk, wv, wo = (matrix.astype(np.float64) for matrix in matrices)
            q, k, v = (
                (x @ w).reshape(len(ids), KV_HEADS, HEAD_DIM).transpose(1, 0, 2) for w in (wq, wk, wv)
            )  # (heads, tokens, head_dim)
            scores = q @ k.transpose(0, 2, 1) / np.sqrt(HEAD_DIM) + future
            shares = np.exp(scores - scores.max(-1, keepdims=True))
            shares /= shares.sum(-1, keepdims=True)
            x = x + (shares @ v).transpose(1, 0, 2).reshape(len(ids), HIDDEN) @ wo
        return np.tanh(x)

    def image_logits(self, ids: Sequence[int]) -> Floats:
        """Return (codes,) after the last of `ids`."""
        logits: Floats = self.hidden(ids)[-1] @ WEIGHTS.image_head.astype(np.float64)
        return logits

    def text_logits(self, ids: Sequence[int]) -> Floats:
        """Return (tokens,) after the last of `ids`."""
        logits: Floats = self.hidden(ids)[-1] @ WEIGHTS.text_head.astype(np.float64)
        return logits


def draw(logits: Floats, temperature: float, top_k: int, top_p: float, uniform: float) -> int:
    """Draw as docs/bundle.md says, in float64."""
    if temperature == 0:
        return int(logits.argmax())
    if top_k:
        logits = np.where(logits < np.sort(logits)[-min(top_k, len(logits))], -np.inf, logits)
    shares = np.exp((logits - logits.max()) / temperature)
    if top_p < 1:
        falling = np.sort(shares)[::-1]
        needed = int((falling.cumsum() < top_p * shares.sum()).sum()) + 1
        shares = np.where(shares < falling[needed - 1], 0, shares)
    cumulative = np.cumsum(shares)
    return int(np.searchsorted(cumulative, uniform * cumulative[-1], side="right"))


# Graphs.


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


def token(name: str) -> Piece:
    return Piece(token=name)


TEXT: Final = Piece(field="text")
IMAGES: Final = Piece(field="images")


def toy_manifest(graphs: dict[GraphRole, Graph]) -> Manifest:
    painted = (token("<bos>"), TEXT)
    shown = (token("<bos>"), IMAGES, TEXT)
    return Manifest(
        format=FORMAT,
        name="toy",
        family="toy",
        producer=Producer(name="tests", version="1"),
        source=Source(id="tests/toy", licence="Apache-2.0"),
        target="cpu",
        graphs=graphs,
        token_embedding=Table(file="token_embedding.bin", dtype="float32", shape=(TOKENS, HIDDEN)),
        tokenizer="tokenizer.json",
        backbone=Backbone(
            layers=LAYERS, hidden_size=HIDDEN, kv_heads=KV_HEADS, head_dim=HEAD_DIM, max_positions=MAX_POSITIONS
        ),
        codes=Codes(count=COUNT, first_token=FIRST_TOKEN, cell=CELL),
        grid=Grid(rows=(1, 12), columns=(1, 12), cells=(1, 100), default=(4, 5), max_ratio=3.0),
        image_block=ImageBlock(
            open=(token("<image>"), Piece(field="rows"), Piece(text="*"), Piece(field="columns"), token("<grid>")),
            row_suffix=("<eol>",),
            close=("<eoi>",),
        ),
        guidance=Guidance(
            branches=(
                Branch(kind="prompt", constant=0.0, scale=1.0),
                Branch(kind="negative", constant=1.0, scale=-1.0),
            ),
            default_scale=2.0,
            negative_text="ugly",
        ),
        sampling=Sampling(temperature=1.0, top_k=0),
        answer=Answer(stop=("<eos>",), max_tokens=12),
        preprocess=Preprocess(min_pixels=CELL * CELL, max_pixels=100 * CELL * CELL),
        postprocess=Postprocess(rounding="round"),
        abilities={
            "paint": Ability(prompt=painted, output="image"),
            "edit": Ability(prompt=shown, output="image", images=(1, 2)),
            "ask": Ability(prompt=shown, output="text", images=(1, 2)),
            "detect": Ability(
                prompt=shown,
                output="detections",
                images=(1, 1),
                request=Request(text="find {objects}", everything="everything"),
                unit="cell",
            ),
            "segment": Ability(
                prompt=shown,
                output="image",
                images=(1, 1),
                request=Request(text="where is it"),
                sampling=Sampling(temperature=0.0),
                guidance_scale=1.0,
                labels={"car": (255, 0, 0)},
            ),
        },
        files={},
    )


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


def rewritten(
    toy: Path,
    destination: Path,
    *edits: Callable[[dict[str, Any]], object],
    files: Mapping[str, bytes] = MappingProxyType({}),
) -> Path:
    """Copy a bundle with other files and an edited manifest, sizes and hashes put right again."""
    shutil.copytree(toy, destination)
    for name, content in files.items():
        (destination / name).write_bytes(content)
    tree = json.loads((toy / "manifest.json").read_text())
    for edit in edits:
        edit(tree)
    (destination / "manifest.json").unlink()
    named = {graph["file"] for graph in tree["graphs"].values()}
    for role in _WRITERS:
        for path in destination.glob(f"{role}.onnx*"):
            if path.name.removesuffix(".data") not in named:
                path.unlink()
    seal(destination, msgspec.convert(tree, Manifest))
    return destination
