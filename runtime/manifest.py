"""What a bundle says about itself: `manifest.json`, schema `edgevlo-bundle/1`, decoded strictly.

The manifest is data. It names graphs, tables, prompts and numbers; it holds no code and no template language, and this
module knows neither ONNX nor files other than the manifest itself. Unknown keys, wrong types and numbers out of range
are errors that name the file, the field and the reason.
"""

import re
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from .errors import BundleError

FORMAT: Final = "edgevlo-bundle/1"
MANIFEST_FILE: Final = "manifest.json"
MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024

Count: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Index: TypeAlias = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Bytes: TypeAlias = Annotated[int, Meta(ge=0, le=2**53)]  # the weights of a backbone are one file
Side: TypeAlias = Annotated[int, Meta(ge=1, le=65_536)]
Finite: TypeAlias = Annotated[float, Meta(ge=-1e6, le=1e6)]
Temperature: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
TopP: TypeAlias = Annotated[float, Meta(gt=0, le=1)]
GuidanceScale: TypeAlias = Annotated[float, Meta(ge=0, le=100)]
Channel: TypeAlias = Annotated[int, Meta(ge=0, le=255)]
ShortText: TypeAlias = Annotated[str, Meta(max_length=4096)]
Digest: TypeAlias = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]  # SHA-256
Words: TypeAlias = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]{1,80}\Z")]  # shown as they are

GraphRole: TypeAlias = Literal[
    "backbone", "image_head", "text_head", "image_decoder", "image_tokenizer", "vision_encoder"
]
Target: TypeAlias = Literal["portable", "cpu", "cuda", "rtx", "tensorrt"]
Precision: TypeAlias = Literal["fp32", "fp16", "bf16", "int8", "int4", "fp8"]
DType: TypeAlias = Literal["float32", "float16", "bfloat16", "int64", "int32", "int8"]
AbilityName: TypeAlias = Literal[
    "paint", "edit", "ask", "interleave", "detect", "segment", "edges", "boxes", "depth", "normals", "pose"
]
Field: TypeAlias = Literal["text", "images", "rows", "columns", "width", "height"]
Reading: TypeAlias = Literal["codes", "vision_encoder", "both"]  # both: what the vision encoder makes, then the codes


class Record(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of the manifest: immutable, keyword-only, and without room for keys nobody knows."""


class Producer(Record, frozen=True, kw_only=True):
    """The program that wrote the bundle."""

    name: ShortText
    version: ShortText


class Source(Record, frozen=True, kw_only=True):
    """The checkpoint that the bundle was made from."""

    id: ShortText
    licence: ShortText
    revision: ShortText = ""


class File(Record, frozen=True, kw_only=True):
    """Size and SHA-256 of one file of the bundle."""

    bytes: Bytes
    sha256: Digest


class Tensor(Record, frozen=True, kw_only=True):
    """Name, type and shape of a graph's input or output; a dimension is a number or the name of one."""

    name: ShortText
    dtype: DType
    shape: tuple[int | str, ...]


class Parity(Record, frozen=True, kw_only=True):
    """What the export measured against the reference: the figure may not exceed the tolerance."""

    metric: ShortText
    error: Annotated[float, Meta(ge=0)]
    tolerance: Annotated[float, Meta(ge=0)]


class Graph(Record, frozen=True, kw_only=True):
    """One ONNX file: its precision, its interface, and how far it was from the reference when it was made."""

    file: ShortText
    precision: Precision
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    parity: Parity | None = None
    activations: Literal["int8", "fp8"] | None = None  # None: computed in the precision of the target
    kept: tuple[ShortText, ...] = ()  # operators whose inputs are not quantised although those of others are


class Table(Record, frozen=True, kw_only=True):
    """A row-major table, mapped into memory: row i is the input embedding of token i, or of code i.

    Of integers a row is laid out as in integer_table.py.
    """

    file: ShortText
    dtype: Literal["float32", "float16", "int8", "int4"]
    shape: tuple[Count, Count]


class Backbone(Record, frozen=True, kw_only=True):
    """Shape of the transformer and its KV cache, `(rows, kv_heads, capacity, head_dim)` per layer and side."""

    layers: Annotated[int, Meta(ge=1, le=1024)]
    hidden_size: Count
    kv_heads: Count
    head_dim: Count
    max_positions: Count
    cache_dtype: Literal["float32", "float16", "bfloat16", "int8"] = "float32"
    positions: Literal["1d"] = "1d"


class Codes(Record, frozen=True, kw_only=True):
    """The image codes: how many, the token of code 0 (the others follow), and the side of a cell in pixels.

    Codes with a table of their own (`code_embedding`) are numbered after the last token of the vocabulary.
    """

    count: Annotated[int, Meta(ge=2, le=2**24)]
    first_token: Index
    cell: Annotated[int, Meta(ge=1, le=256)]


class Grid(Record, frozen=True, kw_only=True):
    """Which grids the model paints; all bounds inclusive, in cells. `max_ratio` bounds long side over short side.

    Rows and columns are multiples of `step`. A `fixed` grid is the only one that the model paints: every bound is that
    of `default`.
    """

    kind: Literal["free", "fixed"] = "free"
    rows: tuple[Side, Side]
    columns: tuple[Side, Side]
    cells: tuple[Count, Count]
    default: tuple[Side, Side]  # rows, columns
    max_ratio: Annotated[float, Meta(ge=1, le=1000)] = 1000.0
    step: Side = 1


class Tag(Record, frozen=True, kw_only=True):
    """A number as a special token: `prefix`, then `offset + number / unit` in so many `digits`, then `suffix`."""

    prefix: ShortText
    suffix: ShortText = ""
    digits: Annotated[int, Meta(ge=1, le=9)] = 1
    offset: Index = 0
    unit: Side = 1

    def name(self, number: int) -> str:
        """Return the name of the token that stands for a number."""
        return f"{self.prefix}{self.offset + number // self.unit:0{self.digits}d}{self.suffix}"


class Piece(Record, frozen=True, kw_only=True):
    """A piece of a prompt: exactly one of a special token by name, literal text, or a field to fill in.

    `rows` and `columns` count cells, `width` and `height` pixels; they are written as decimal text, or as a `tag`.
    """

    token: ShortText | None = None
    text: ShortText | None = None
    field: Field | None = None
    tag: Tag | None = None

    def __post_init__(self) -> None:
        if sum(part is not None for part in (self.token, self.text, self.field)) != 1:
            raise ValueError("a piece is exactly one of token, text and field")
        if self.tag is not None and self.field not in ("rows", "columns"):
            raise ValueError("only the fields rows and columns have a tag")


class ImageBlock(Record, frozen=True, kw_only=True):
    """How an image stands in the sequence, read or painted: opener, rows each ended by the suffix, closer.

    A picture that is read shows its `codes`, row by row, or what `vision_encoder` makes of it: embeddings that need no
    rows. `separator` is the text between two pictures that are read.
    """

    open: tuple[Piece, ...]
    row_suffix: tuple[ShortText, ...] = ()
    suffix_last_row: bool = True
    close: tuple[ShortText, ...] = ()
    features: Literal["codes", "vision_encoder"] = "codes"
    separator: ShortText = ""


class Branch(Record, frozen=True, kw_only=True):
    """One guidance branch and its weight, `constant + scale * guidance_scale + image_scale * image_guidance_scale`.

    `prompt` is the ability's own prompt; `negative` is the same with the text replaced by the negative prompt;
    `template` is a prompt of its own, in which `text` is the negative prompt; `pad_codes` is the ability's prompt with
    `Guidance.pad` for every code of a picture that it shows; `pad_middle` is that prompt with every token but the first
    and the last replaced by it. The pads are read and attended to like any token.
    """

    kind: Literal["prompt", "negative", "template", "pad_codes", "pad_middle"]
    constant: Finite
    scale: Finite
    image_scale: Finite = 0.0
    prompt: tuple[Piece, ...] = ()  # for template

    @property
    def reads_negative(self) -> bool:
        """Whether the negative prompt stands in this branch."""
        return self.kind == "negative" or any(piece.field == "text" for piece in self.prompt)


class Guidance(Record, frozen=True, kw_only=True):
    """The guided logits are the weighted sum of the branches' logits; the first branch alone is without guidance.

    Branches whose prompts are the same, as those are that differ in pictures where none is shown, count as one.
    """

    branches: Annotated[tuple[Branch, ...], Meta(min_length=1, max_length=16)]
    default_scale: GuidanceScale = 1.0
    default_image_scale: GuidanceScale | None = None  # given where a branch has an image_scale
    negative_text: ShortText = ""
    pad: ShortText | None = None  # a token; for pad_codes and pad_middle


class Sampling(Record, frozen=True, kw_only=True):
    """How codes are drawn: temperature 0 is greedy, top-k 0 and top-p 1 keep every code.

    In this order, as in transformers: divided by the temperature, the `top_k` likeliest, of those the fewest that have
    `top_p` of the probability together.
    """

    temperature: Temperature = 1.0
    top_k: Index = 0
    top_p: TopP = 1.0


class Answer(Record, frozen=True, kw_only=True):
    """How text answers end; each token is the likeliest, with `text_only` the likeliest that is no code."""

    stop: Annotated[tuple[ShortText, ...], Meta(min_length=1)]
    max_tokens: Count = 256
    text_only: bool = False


class FitPadSquare(Record, frozen=True, kw_only=True):
    """The longest side becomes `side`, the other keeps the ratio but has `min_side` at least; the rest is `color`.

    `rounding` is that of the shorter side; the picture stands in the middle, one pixel up or left if it cannot. With
    `pad_first` the square is made around the picture as it is and scaled then.
    """

    side: Side
    min_side: Side = 1
    color: tuple[Channel, Channel, Channel]
    rounding: Literal["round", "truncate"] = "round"
    pad_first: bool = False


class Cover(Record, frozen=True, kw_only=True):
    """A picture is scaled until it covers the size, its ratio kept, and what stands out on both sides is cut off.

    `rounding` is that of the side that stands out. A picture `halve` times as large as the size both ways is halved by
    averaging until it no longer is; 0 never does. With `full` the size is the one nearest in ratio of those that a row
    and a column more would make larger than any.
    """

    rounding: Literal["round", "truncate"] = "round"
    halve: Annotated[int, Meta(ge=0, le=64)] = 0
    full: bool = False


class Preprocess(Record, frozen=True, kw_only=True):
    """From 8-bit RGB to `pixel_values`: a size, then `(x / 255 - mean) / std`.

    Pictures of an allowed grid within the limits are read as they are, others in the nearest grid, stretched or, with
    `cover`, cropped; with `fit_pad_square` all become the same square, whose pixels both limits are. With
    `smart_resize` the grid of another picture is that of its sides rounded to cells; beyond a limit, of its sides
    scaled to the limit, rounded down to stay below the upper one and up to stay above the lower one.
    """

    min_pixels: Count
    max_pixels: Count
    mean: tuple[Finite, Finite, Finite] = (0.5, 0.5, 0.5)
    std: tuple[
        Annotated[float, Meta(gt=0, le=1e6)], Annotated[float, Meta(gt=0, le=1e6)], Annotated[float, Meta(gt=0, le=1e6)]
    ] = (0.5, 0.5, 0.5)
    resample: Literal["bicubic", "lanczos", "bilinear", "nearest"] = "bicubic"
    fit_pad_square: FitPadSquare | None = None
    cover: Cover | None = None
    smart_resize: bool = False


class Postprocess(Record, frozen=True, kw_only=True):
    """From the decoder's output to 8-bit RGB: `(y * scale + offset) * 255`, clipped, then truncated or rounded."""

    scale: Finite = 0.5
    offset: Finite = 0.5
    rounding: Literal["truncate", "round"] = "truncate"


class Domain(Record, frozen=True, kw_only=True):
    """The only pictures that a narrow image tokenizer holds: decoding their codes gives them back.

    A cell of another picture that comes back further away than `tolerance`, the root mean square over its pixels and
    channels in levels from 0 to 255, is said to be outside. `name` is what the pictures are called, `cells` what codes
    stand for in them, `see` where to read more.
    """

    name: Words
    cells: Words = "cells"
    tolerance: Annotated[float, Meta(ge=0, le=255)]
    see: Words | None = None


class Request(Record, frozen=True, kw_only=True):
    """The words the runtime sends for an ability that takes no free text; `{objects}` is filled for detection."""

    text: ShortText
    everything: ShortText = ""
    separator: ShortText = ", "


class Ability(Record, frozen=True, kw_only=True):
    """One thing the model can do: its prompt, what comes back, and how many pictures it takes.

    `reads` is what its prompt shows of a picture, where that is not `image_block.features`. `labels` (segmentation)
    are the colours of the painted classes; `unit` (detection) is what box numbers count.
    """

    prompt: tuple[Piece, ...]
    output: Literal["image", "text", "interleaved", "detections"]
    images: tuple[Index, Index] = (0, 0)
    reads: Reading | None = None
    request: Request | None = None
    guidance_scale: GuidanceScale | None = None
    sampling: Sampling | None = None
    labels: dict[ShortText, tuple[Channel, Channel, Channel]] | None = None
    unit: Literal["cell", "pixel"] | None = None


class Quality(Record, frozen=True, kw_only=True):
    """What a bundle was measured to keep of the one it was made from, and whether that is within its limits.

    `reference` is the SHA-256 of the other bundle's manifest, `data` that of the requests both were given, `limits` the
    precision by whose limits it was judged. A bundle that did not pass was kept by a decision of who made it.
    """

    reference: Digest
    requests: Count
    data: Digest
    limits: Precision
    passed: bool
    figures: dict[Words, Finite]
    reasons: tuple[ShortText, ...] = ()

    def __post_init__(self) -> None:
        if self.passed == bool(self.reasons):
            raise ValueError("quality has reasons if and only if it did not pass")


class Manifest(Record, frozen=True, kw_only=True):
    """What `manifest.json` says. Read once; nothing changes it afterwards."""

    format: Literal["edgevlo-bundle/1"]
    name: Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}\Z")]
    family: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}\Z")]
    producer: Producer
    source: Source
    target: Target
    graphs: dict[GraphRole, Graph]
    token_embedding: Table
    code_embedding: Table | None = None  # None: the codes are tokens of the vocabulary
    tokenizer: ShortText
    backbone: Backbone
    codes: Codes
    grid: Grid
    image_block: ImageBlock
    guidance: Guidance
    sampling: Sampling
    answer: Answer
    preprocess: Preprocess
    postprocess: Postprocess
    abilities: dict[AbilityName, Ability]
    domain: Domain | None = None  # None: the tokenizer takes any picture
    quality: Quality | None = None  # None: nobody measured it
    files: dict[str, File]


# A path inside the bundle: no absolute paths, no parent folders, no backslashes, no hidden files.
_INSIDE: Final = re.compile(r"^[A-Za-z0-9_][A-Za-z0-9._-]*(/[A-Za-z0-9_][A-Za-z0-9._-]*)*$")


# What an ability gives, where that is no image.
_GIVES: Final[dict[AbilityName, str]] = {"ask": "text", "interleave": "interleaved", "detect": "detections"}


def read_manifest(folder: Path) -> Manifest:
    """Read and check `folder/manifest.json`; raise `BundleError` naming file, field and reason."""
    path = folder / MANIFEST_FILE
    try:
        if path.is_symlink():
            raise BundleError(
                f"{path} is a link; a bundle holds plain files only. Copy the file itself into the bundle."
            )
        size = path.stat().st_size
        if size > MAX_MANIFEST_BYTES:
            raise BundleError(f"{path} has {size} bytes; a manifest has at most {MAX_MANIFEST_BYTES}. Export it again.")
        raw = path.read_bytes()
    except OSError as error:
        raise BundleError(f"{path} cannot be read ({error.strerror}); is {folder} a bundle folder?") from error
    try:
        declared = msgspec.json.decode(raw, type=dict[str, msgspec.Raw]).get("format")
        if declared is not None and bytes(declared) != f'"{FORMAT}"'.encode():
            raise BundleError(
                f'{path}: format is {bytes(declared).decode(errors="replace")[:80]}; this edgevlo reads "{FORMAT}". '
                "Export the checkpoint again with this version."
            )
        manifest = msgspec.json.decode(raw, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BundleError(f"{path}: {error}. Export or download the bundle again.") from error
    _check(manifest, path)
    return manifest


def _check(manifest: Manifest, path: Path) -> None:
    """Raise `BundleError` unless the manifest's parts agree with each other."""

    def refuse(field: str, reason: str) -> None:
        raise BundleError(f"{path}: {field} {reason}. Export or download the bundle again.")

    for name in manifest.files:
        if not _INSIDE.fullmatch(name) or name == MANIFEST_FILE:
            refuse(f"files has {name!r}, which", "is not a plain path inside the bundle")
    named = {f"graphs.{role}.file": graph.file for role, graph in manifest.graphs.items()}
    named |= {"token_embedding.file": manifest.token_embedding.file, "tokenizer": manifest.tokenizer}
    if manifest.code_embedding is not None:
        named["code_embedding.file"] = manifest.code_embedding.file
    for field, file in named.items():
        if file not in manifest.files:
            refuse(field, f"names {file!r}, which is not listed under files")
    if manifest.token_embedding.shape[1] != manifest.backbone.hidden_size:
        refuse("token_embedding.shape", f"is not (tokens, {manifest.backbone.hidden_size})")
    tokens, codes = manifest.token_embedding.shape[0], manifest.codes
    if manifest.code_embedding is None:
        if codes.first_token + codes.count > tokens:
            refuse("codes", f"ends after the last of {tokens} tokens")
    elif manifest.code_embedding.shape != (codes.count, manifest.backbone.hidden_size):
        refuse("code_embedding.shape", f"is not ({codes.count}, {manifest.backbone.hidden_size})")
    elif codes.first_token != tokens:
        refuse("codes.first_token", f"is not {tokens}, the first after the tokens, though code_embedding is given")
    if any(piece.field not in (None, "rows", "columns") for piece in manifest.image_block.open):
        refuse("image_block.open", "names text, images or pixels, which only a prompt may")
    grid = manifest.grid
    for field, (low, high) in {"rows": grid.rows, "columns": grid.columns, "cells": grid.cells}.items():
        if low > high:
            refuse(f"grid.{field}", f"has its lower bound {low} above its upper bound {high}")
    rows, columns = grid.default
    inside = (
        grid.rows[0] <= rows <= grid.rows[1]
        and grid.columns[0] <= columns <= grid.columns[1]
        and grid.cells[0] <= rows * columns <= grid.cells[1]
        and max(rows, columns) <= min(rows, columns) * grid.max_ratio + 1e-9
        and rows % grid.step == columns % grid.step == 0
    )
    if not inside:
        refuse("grid.default", f"({rows} rows, {columns} columns) is outside the grid's own bounds")
    if grid.kind == "fixed" and (grid.rows, grid.columns, grid.cells) != (
        (rows, rows),
        (columns, columns),
        (rows * columns, rows * columns),
    ):
        refuse("grid.default", "is not the only grid within the bounds, though grid.kind is fixed")
    preprocess = manifest.preprocess
    if preprocess.min_pixels > preprocess.max_pixels:
        refuse("preprocess.min_pixels", "is above max_pixels")
    if (square := preprocess.fit_pad_square) is not None:
        if not preprocess.min_pixels == preprocess.max_pixels == square.side**2:
            refuse("preprocess", f"has other limits than the {square.side**2} pixels of fit_pad_square")
        if square.min_side > square.side:
            refuse("preprocess.fit_pad_square.min_side", "is above side")
        if preprocess.cover is not None:
            refuse("preprocess.cover", "stands beside fit_pad_square; a picture is cropped or padded")
    if preprocess.smart_resize and (square is not None or preprocess.cover is not None):
        refuse("preprocess.smart_resize", "stands beside cover or fit_pad_square, which have sizes of their own")
    kinds = {branch.kind for branch in manifest.guidance.branches}
    if kinds.isdisjoint({"pad_codes", "pad_middle"}) != (manifest.guidance.pad is None):
        refuse("guidance.pad", "is given if and only if a branch is of kind pad_codes or pad_middle")
    if any(branch.image_scale for branch in manifest.guidance.branches) != (
        manifest.guidance.default_image_scale is not None
    ):
        refuse("guidance.default_image_scale", "is given if and only if a branch has an image_scale")
    for branch in manifest.guidance.branches:
        if branch.prompt and branch.kind != "template":
            refuse("guidance.branches", f"gives a prompt to a branch of kind {branch.kind}; template has one")
        if branch.kind == "template" and not (branch.prompt or manifest.image_block.open):
            refuse("guidance.branches", "has a template without any token")
        if any(piece.field not in (None, "text", "images") for piece in branch.prompt):
            refuse("guidance.branches", "names a size, which only prompts and image_block.open may")
    for field, reads in {
        "image_block.features": manifest.image_block.features,
        **{f"abilities.{name}.reads": ability.reads for name, ability in manifest.abilities.items()},
    }.items():
        if reads not in ("vision_encoder", "both"):
            continue
        if manifest.image_block.row_suffix:
            refuse("image_block.row_suffix", "stands between rows, which features of vision_encoder do not have")
        if square is None:
            refuse(field, f"is {reads}, which needs preprocess.fit_pad_square")
        if any(piece.field is not None for piece in manifest.image_block.open):
            refuse("image_block.open", "names rows or columns, which features of vision_encoder do not have")
    head = manifest.graphs.get("image_head")
    for field, sampling in {
        "sampling": manifest.sampling,
        **{f"abilities.{name}.sampling": ability.sampling for name, ability in manifest.abilities.items()},
    }.items():
        if sampling is None or sampling.top_p == 1:
            continue
        if head is None or "top_p" not in {tensor.name for tensor in head.inputs}:
            refuse(f"{field}.top_p", f"is {sampling.top_p}, but the graph image_head has no input of that name")
    if manifest.domain is not None:
        for role in ("image_tokenizer", "image_decoder"):
            if role not in manifest.graphs:
                refuse("domain", f"needs the graph {role}, which the bundle lacks")
    readers: dict[Reading, tuple[GraphRole, ...]] = {
        "codes": ("image_tokenizer",),
        "vision_encoder": ("vision_encoder",),
        "both": ("vision_encoder", "image_tokenizer"),
    }
    needed: dict[str, tuple[GraphRole, ...]] = {
        "image": ("backbone", "image_head", "image_decoder"),
        "text": ("backbone", "text_head"),
        "interleaved": ("backbone", "text_head", "image_head", "image_decoder"),
        "detections": ("backbone", "text_head"),
    }
    for name, ability in manifest.abilities.items():
        gives = _GIVES.get(name, "image")
        if ability.output != gives:
            refuse(f"abilities.{name}.output", f"is {ability.output}; {name} gives {gives}")
        reading = ability.reads or manifest.image_block.features
        for role in needed[ability.output] + (readers[reading] if ability.images[1] else ()):
            if role not in manifest.graphs:
                refuse(f"abilities.{name}", f"needs the graph {role}, which the bundle lacks")
        if any(piece.field in ("rows", "columns") for piece in ability.prompt):
            refuse(f"abilities.{name}.prompt", "names rows or columns, which only image_block.open may")
        if ability.output != "image" and any(piece.field in ("width", "height") for piece in ability.prompt):
            refuse(f"abilities.{name}.prompt", "names a width or height, but the ability gives no picture")
        if (ability.images[1] > 0) != any(piece.field == "images" for piece in ability.prompt):
            refuse(f"abilities.{name}", "takes pictures if and only if its prompt has a field images")
        if ability.images[0] > ability.images[1]:
            refuse(f"abilities.{name}.images", "has its lower bound above its upper bound")
        if ability.output == "interleaved":
            if len(manifest.image_block.open) != 1 or manifest.image_block.open[0].token is None:
                refuse("image_block.open", "is not one token, at which a picture of interleave could begin")
            if grid.kind != "fixed" or reading != "codes" or not kinds <= {"prompt", "template"}:
                refuse(
                    f"abilities.{name}",
                    "needs a fixed grid, pictures read as codes, and branches of kind prompt or template alone",
                )
        if ability.output == "detections" and reading != "codes":
            refuse(f"abilities.{name}", "gives boxes in cells of a picture's codes, which the model does not read")


def encode_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as indented JSON, ready to be written."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
