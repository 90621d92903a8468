"""The manifest's graphs, tables and the shape of the backbone. Schema only: knows no ONNX."""

from typing import Annotated, Literal, TypeAlias

from msgspec import Meta, field

from .values import Bytes, Count, Dimension, Positions, Record, ShortText, Width

GraphRole: TypeAlias = Literal[
    "backbone", "image_head", "text_head", "image_decoder", "image_tokenizer", "vision_encoder"
]
Precision: TypeAlias = Literal["fp32", "fp16", "bf16", "int8", "int4", "fp8"]
DType: TypeAlias = Literal["float32", "float16", "bfloat16", "int64", "int32", "int8"]


class Tensor(Record, frozen=True, kw_only=True):
    """Name, type and shape of a graph's input or output; a dimension is a number or the name of one."""

    name: ShortText
    dtype: DType
    shape: Annotated[tuple[Dimension | ShortText, ...], Meta(max_length=8)]


Tensors: TypeAlias = Annotated[tuple[Tensor, ...], Meta(max_length=8192)]


class Parity(Record, frozen=True, kw_only=True):
    """What the export measured against the reference: the figure may not exceed the tolerance."""

    metric: ShortText
    error: Annotated[float, Meta(ge=0)]
    tolerance: Annotated[float, Meta(ge=0)]


class Graph(Record, frozen=True, kw_only=True):
    """One ONNX file: its precision, its interface, and how far it was from the reference when it was made."""

    file: ShortText
    precision: Precision
    inputs: Tensors
    outputs: Tensors
    parity: Parity | None = None
    # `kept`: operators whose inputs are not quantised although those of others are
    activations: Literal["int8", "fp8"] | None = None  # None: computed in the precision of the target
    kept: Annotated[tuple[ShortText, ...], Meta(max_length=65_536)] = ()
    # Weights that lie in other files of the bundle: how many bytes the graph reads of each.
    shared: Annotated[dict[ShortText, Bytes], Meta(max_length=16)] = field(default_factory=dict)


class Table(Record, frozen=True, kw_only=True):
    """A row-major table, mapped into memory: row i is the input embedding of token i, or of code i.

    Integers are laid out as in integer_table.py; with `block` as a head's blocks are, which are then the table's.
    """

    file: ShortText
    dtype: Literal["float32", "float16", "int8", "int4"]
    shape: tuple[Count, Count]
    block: Literal[32, 64, 128] | None = None  # columns that share a scale


class Backbone(Record, frozen=True, kw_only=True):
    """Shape of the transformer and its KV cache, `(rows, kv_heads, capacity, head_dim)` per layer and side."""

    layers: Annotated[int, Meta(ge=1, le=1024)]
    hidden_size: Width
    kv_heads: Annotated[int, Meta(ge=1, le=1024)]
    head_dim: Annotated[int, Meta(ge=1, le=4096)]
    max_positions: Positions
    cache_dtype: Literal["float32", "float16", "bfloat16", "int8"] = "float32"
    positions: Literal["1d"] = "1d"
