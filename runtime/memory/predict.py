"""How much memory a bundle takes on a CPU: its modules on disk, its KV cache, and the peak of painting a picture.

    peak = RUNTIME + TOKENIZER * tokenizer.json
         + weights of the graphs that are opened, as ONNX Runtime keeps them: backbone, image_head, image_decoder, and
           text_head where requests are read
         + KV cache: 2 sides * layers * rows * kv_heads * capacity * head_dim numbers; a row is a guidance branch
         + prefill: the longest prompt's tokens in every row, times all that the linear layers of one layer give for a
           token (its weights / hidden_size) and four hidden states, and the attention's scores, tokens * capacity
           a head; a bound, measured at 40 to 90 % of it
         + decoder: DECODER times the largest value that its graph names, at the picture's size

The constants are measured on x86-64 Linux, Python 3.11, ONNX Runtime 1.32, as resident sets of a process that opened
one graph after another, of bundles of 35 to 240 MB with int4, int8, fp16 and fp32 weights (benchmarks/memory.py holds
the whole against the peaks):

- RUNTIME: Python with the imports of the runtime 66 MB, ONNX Runtime's code and threads once a graph ran 18 MB.
- TOKENIZER: resident bytes while one of 100,000 words is read were 11.1 times its JSON's, with 40,000 merges 7.6 times.
- Weights: fp32 ones are copied into the order that matmuls want, and the file's pages given back: 0.98 to 1.03.
  Blocks of MatMulNBits are copied beside two float32 numbers each, the scale and a sum, and the pages of the scales
  stay: blocks + 2 scales that the system cannot take back, blocks + 3 scales in all. Measured with 268 MB of blocks:
  1.00 to 1.06 and 1.02 to 1.08 times that, ONNX Runtime's own megabytes included, of int4 and of int8 alike.
  int8 for Q/DQ and fp8 keep 1.04, together 1.12 to 1.13.
  Convolutions in fp32 take 1.1 to 1.37 of their file; half precision, cast and reordered when opened, 3.2 to 3.4.
- DECODER: 4.1 values of the largest size are held at once by Janus-Pro's at 384x384, 5.4 where its graph names no
  shapes within a GroupNorm; others were not measured since decoders run without an arena, so more counts.
- A KV cache of more than 64 MiB is given back before a picture is decoded, so the larger of the two counts. A preview
  comes while the cache is in use, and takes its rows' share of the decoder's memory beside it: that is not counted.

Weights of graphs that an ability does not use are not opened, tables are mapped and a picture reads few of their rows:
neither counts. What is resident beyond what must be (pages of files that the system takes back when it wants them) is
in the peak, not in what a request needs. GPUs are not predicted: their memory is their own.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ..guidance_weights import merged, weighted_branches
from ..manifest.graphs import Backbone, GraphRole
from ..manifest.guidance import Branch
from ..manifest.schema import Manifest, file_bytes, graph_bytes
from ..pictures.sizes import Shape, tokens_fed
from .kv_cache_capacity import capacity_for
from .onnx_shapes import Value, largest, read_values, read_weights

_RUNTIME: Final = 84 * 2**20
_TOKENIZER: Final = 11
_DECODER: Final = 7
_KEPT: Final = 64 * 2**20  # of a KV cache: what is larger is not kept for the next picture
_PROMPT_TOKENS: Final = 64  # assumed length of a prompt

# Resident bytes a byte of weights on disk: all of them, and those that the system cannot take back.
_FLOAT: Final = (1.03, 1.0)
_EIGHT_BITS: Final = (1.13, 1.05)
_HALF: Final = (3.3, 3.3)
_CONVOLUTIONS: Final = (1.37, 1.37)  # of weights stored in fp32
_CONVOLUTIONAL: Final = ("image_decoder", "image_tokenizer")

_NUMBER: Final = {"float32": 4, "float16": 2, "bfloat16": 2, "int8": 1}


@dataclass(frozen=True, slots=True)
class Module:
    """A part of a bundle: what it is stored in, its bytes on disk, and those that it shares of other modules' files."""

    precision: str
    bytes: int
    shared: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The backbone's work for one request: rows of the KV cache, its capacity, and tokens of the longest prompt."""

    rows: int
    capacity: int
    prompt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Bytes of a process that paints one picture of the default size with default guidance, at their peak."""

    runtime: int
    tokenizer: int
    weights: int
    kv_cache: int
    prefill: int
    decoder: int

    @property
    def peak(self) -> int:
        """All that is held at once."""
        held = self.runtime + self.tokenizer + self.weights + self.prefill
        return held + cache_and_decoder(self.kv_cache, self.decoder)


def modules(manifest: Manifest) -> dict[str, Module]:
    """Return the graphs by role, with all their files, and the tables."""
    tables = {"token_embedding": manifest.token_embedding, "code_embedding": manifest.code_embedding}
    named: dict[str, Module] = {}
    for role, graph in manifest.graphs.items():
        named[role] = Module(graph.precision, file_bytes(manifest, role), sum(graph.shared.values()))
    for name, table in tables.items():
        if table is not None:
            precision = {"float32": "fp32", "float16": "fp16"}.get(table.dtype, table.dtype)
            named[name] = Module(precision, manifest.files[table.file].bytes)
    return named


def kv_bytes(shape: Backbone, rows: int, capacity: int) -> int:
    """Return the bytes of a KV cache."""
    return 2 * shape.layers * rows * shape.kv_heads * capacity * shape.head_dim * _NUMBER[shape.cache_dtype]


def gives_way(cache: int) -> bool:
    """Whether a KV cache of so many bytes is given back before a picture is decoded."""
    return cache > _KEPT


def cache_and_decoder(cache: int, decoder: int) -> int:
    """Return what a KV cache and the decoder take at most at once."""
    return max(cache, decoder) if gives_way(cache) else cache + decoder


def default_work(manifest: Manifest) -> Work:
    """Return the backbone's work of a default picture; of a default answer where the model does not paint."""
    paint, guidance = manifest.abilities.get("paint"), manifest.guidance
    if paint is None:
        tokens = _PROMPT_TOKENS + manifest.answer.max_tokens
        return Work(rows=1, capacity=capacity_for(manifest, tokens), prompt=_PROMPT_TOKENS)
    grid = Shape(*manifest.grid.default)
    tokens = _PROMPT_TOKENS + tokens_fed(grid.rows, grid.columns, len(manifest.image_block.row_suffix))
    scale = guidance.default_scale if paint.guidance_scale is None else paint.guidance_scale
    rows = merged((_kind(branch), weight) for branch, weight in weighted_branches(guidance, scale))
    return Work(rows=max(1, len(rows)), capacity=capacity_for(manifest, tokens), prompt=_PROMPT_TOKENS)


def _kind(branch: Branch) -> Hashable:
    """Return what tells a branch's prompt from another's where no picture is shown: there are no codes to pad."""
    if branch.kind == "pad_codes":
        return "prompt"
    return (branch.kind, branch.prompt) if branch.prompt else branch.kind


def predict(folder: Path, manifest: Manifest) -> Prediction | None:
    """Return the memory of painting one default picture; None for GPUs and for models that do not paint.

    Raises `BundleError` when the decoder's file cannot be read.
    """
    if not on_cpu(manifest) or "paint" not in manifest.abilities:
        return None
    work, decoder = default_work(manifest), manifest.graphs["image_decoder"]
    painting: list[GraphRole] = ["backbone", "image_head", "image_decoder"]
    if "understand" in manifest.abilities:  # the request is read first, and the answer written by the text head
        painting.append("text_head")
    return Prediction(
        runtime=_RUNTIME,
        tokenizer=tokenizer_bytes(manifest),
        weights=sum(_resident(folder, manifest, role)[0] for role in painting),
        kv_cache=kv_bytes(manifest.backbone, work.rows, work.capacity),
        prefill=prefill_bytes(manifest, work),
        decoder=decoder_bytes(read_values(folder / decoder.file), Shape(*manifest.grid.default)),
    )


def prefill_bytes(manifest: Manifest, work: Work) -> int:
    """Return a bound of what reading the longest prompt takes."""
    shape, tokens = manifest.backbone, work.rows * work.prompt
    graph = manifest.graphs["backbone"]
    numbers = graph_bytes(manifest, "backbone") / {"fp32": 4, "fp16": 2, "bf16": 2, "int4": 0.6}.get(graph.precision, 1)
    widths = numbers / shape.layers / shape.hidden_size + 4 * shape.hidden_size
    scores = shape.hidden_size // shape.head_dim * work.capacity
    return round(4 * tokens * (widths + scores))


def decoder_bytes(values: Iterable[Value], grid: Shape) -> int:
    """Return what decoding a grid takes, by the values of the decoder's graph."""
    return round(_DECODER * largest(values, {"h": grid.rows, "w": grid.columns}))


def weights_bytes(folder: Path, manifest: Manifest, roles: Iterable[GraphRole]) -> int:
    """Return what opening graphs takes that the system cannot take back."""
    return sum(_resident(folder, manifest, role)[1] for role in roles if role in manifest.graphs)


def on_cpu(manifest: Manifest) -> bool:
    """Whether a bundle runs in this process's own memory."""
    return manifest.target in ("portable", "cpu")


def tokenizer_bytes(manifest: Manifest) -> int:
    """Return what the tokenizer takes."""
    return _TOKENIZER * manifest.files[manifest.tokenizer].bytes


def _resident(folder: Path, manifest: Manifest, role: GraphRole) -> tuple[int, int]:
    """Return the bytes of an open graph's weights: resident, and those that the system cannot take back."""
    graph = manifest.graphs[role]
    half, blocks, scales = read_weights(folder / graph.file)
    rest = max(0, graph_bytes(manifest, role) - half - blocks - scales)
    if role in _CONVOLUTIONAL:
        factors = _CONVOLUTIONS
    else:
        factors = _EIGHT_BITS if graph.precision in ("int8", "int4", "fp8") else _FLOAT
    most, least = (rest * factor + half * halved for factor, halved in zip(factors, _HALF, strict=True))
    return round(most + blocks + 3 * scales), round(least + blocks + 2 * scales)
