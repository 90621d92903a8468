"""What becomes of each module's weights, as data. The only place that says which layers keep their precision."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias, get_args

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.graphs import GraphRole, Precision

Module: TypeAlias = GraphRole | Literal["tables"]  # tables: the input embeddings of tokens and codes
Method: TypeAlias = Literal["rtn", "k_quant", "hqq", "gptq", "awq"]  # blocks.py says what they do

METHODS: Final[tuple[Method, ...]] = get_args(Method)
SYMMETRIC: Final[tuple[Method, ...]] = ("rtn", "gptq", "awq")  # those without zero points, which TensorRT does not hold
BY_READING: Final[tuple[Method, ...]] = ("gptq", "awq")  # those that go by what the model reads
BLOCK_SIZES: Final = (32, 64, 128)


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Matrices of linear layers in blocks of `block_size` inputs, `bits` each, one float32 scale a block."""

    precision: Precision
    bits: int
    block_size: int
    method: Method = "rtn"


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Numbers stored in half precision and computed with in float32; `lossless`: only where that changes none."""

    precision: Literal["fp16", "bf16"] = "fp16"
    lossless: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Float8:
    """Matrices of linear layers in fp8 (E4M3), one float32 scale an output, dequantised in front of the product."""

    precision: Literal["fp8"] = "fp8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Float32:
    """A whole module in float32 on a GPU, where what is not quantised is in half precision."""

    precision: Literal["fp32"] = "fp32"


Weights: TypeAlias = Blocks | Half | Float8 | Float32
Recipe: TypeAlias = Mapping[Module, Weights]  # a module that is not named stays as it is

# Blocks of 32 are the most exact, blocks of 64 nearly so with half the scales: a sixteenth of the weights' own bytes.
INT8: Final = Blocks(precision="int8", bits=8, block_size=64)
GPU_INT8: Final = Blocks(precision="int8", bits=8, block_size=32)
INT4: Final = Blocks(precision="int4", bits=4, block_size=32)
HALF, EXACT_HALF, BFLOAT = Half(), Half(lossless=True), Half(precision="bf16")
FP8: Final = Float8()
FLOAT32: Final = Float32()

# image_tokenizer keeps every number, since a changed code is a changed prompt. image_decoder keeps them too: int8
# convolutions are no faster. In int4 only the backbone and the text head are, which hold most of the weights: codes are
# drawn from the image head's logits, and a picture's features enter every answer.
CPU: Final[dict[str, Recipe]] = {
    "fp32": {},
    "fp16": {
        "backbone": HALF, "text_head": HALF, "image_head": HALF, "tables": HALF, "vision_encoder": HALF,
        "image_decoder": HALF, "image_tokenizer": EXACT_HALF,
    },
    "bf16": {
        "backbone": BFLOAT, "text_head": BFLOAT, "image_head": BFLOAT, "tables": HALF, "vision_encoder": HALF,
        "image_decoder": HALF, "image_tokenizer": EXACT_HALF,
    },
    "int8": {
        "backbone": INT8, "text_head": INT8, "image_head": INT8, "tables": INT8, "vision_encoder": INT8,
        "image_decoder": EXACT_HALF, "image_tokenizer": EXACT_HALF,
    },
    "int4": {
        "backbone": INT4, "text_head": INT4, "image_head": INT8, "tables": INT8, "vision_encoder": INT8,
        "image_decoder": EXACT_HALF, "image_tokenizer": EXACT_HALF,
    },
}  # fmt: skip

# GPUs keep in half precision what is not named (`gpu_targets.py`): the heads' products too, as their sums are exact.
GPU: Final[dict[str, Recipe]] = {
    "fp16": {"tables": HALF},
    "bf16": {"tables": HALF},
    "int8": {"backbone": GPU_INT8, "text_head": GPU_INT8, "tables": HALF},
    "int4": {"backbone": INT4, "text_head": INT4, "tables": HALF},
}
FP8_TARGETS: Final = ("rtx", "tensorrt")  # a CPU computes it in float32, ONNX Runtime's CUDA provider as well
GPU_FP8: Final[Recipe] = {"backbone": FP8, "text_head": FP8, "tables": HALF}

# What one module, or one layer, can be made instead of what the recipe says.
KINDS: Final[dict[str, Weights | None]] = {
    "fp32": None, "fp16": HALF, "bf16": BFLOAT, "fp8": FP8, "int8": INT8, "int4": INT4,
}  # fmt: skip


def changes_numbers(weights: Weights | None) -> bool:
    """Whether weights are other numbers afterwards."""
    return not (weights is None or isinstance(weights, Float32) or (isinstance(weights, Half) and weights.lossless))


def recipe_of(target: str, weights: str) -> Recipe:
    """Return the recipe of a kind of weights for a target; raise `RequestError` for one that it does not have."""
    recipes = CPU if target == "cpu" else GPU | ({"fp8": GPU_FP8} if target in FP8_TARGETS else {})
    if weights not in recipes:
        raise RequestError(f"{target} has no weights of kind {weights!r}; choose one of {', '.join(recipes)}.")
    return recipes[weights]


@dataclass(frozen=True, slots=True)
class Override:
    """Modules or products whose names fit `pattern` (`*` is anything) become this instead; None: they stay float."""

    pattern: str
    weights: Weights | None

    def fits(self, name: str) -> bool:
        """Whether the pattern means this module or product."""
        return fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipe and what overrides it; of two overrides that mean the same, the later one holds."""

    recipe: Recipe
    overrides: tuple[Override, ...] = ()

    def of(self, module: Module, product: str = "") -> Weights | None:
        """Return what becomes of a module, or of one product in it."""
        for override in reversed(self.overrides):
            if override.fits(module) or (product and override.fits(product)):
                return override.weights
        return self.recipe.get(module)

    @property
    def blocks(self) -> frozenset[Blocks]:
        """How weights are quantised in blocks, wherever they are."""
        found = (*self.recipe.values(), *(one.weights for one in self.overrides))
        return frozenset(weights for weights in found if isinstance(weights, Blocks))

    def rounded(self, method: Method | None, block_size: int | None) -> "Choice":
        """Return the same with another method or block size wherever weights are quantised in blocks."""
        changes = {"method": method, "block_size": block_size}
        given = {name: value for name, value in changes.items() if value is not None}

        def changed(weights: Weights | None) -> Weights | None:
            return dataclasses.replace(weights, **given) if isinstance(weights, Blocks) else weights  # type: ignore[arg-type]

        recipe = {module: weights for module, old in self.recipe.items() if (weights := changed(old)) is not None}
        return Choice(recipe, tuple(Override(one.pattern, changed(one.weights)) for one in self.overrides))


def override(text: str, target: str) -> Override:
    """Read `PATTERN=KIND`, as `*.down_proj=int8`; raise `RequestError` for anything else."""
    pattern, _, kind = text.rpartition("=")
    if not pattern or kind not in KINDS:
        raise RequestError(f"{text!r} does not say what becomes of which module; write PATTERN={'|'.join(KINDS)}.")
    if kind == "fp8" and target not in FP8_TARGETS:
        raise RequestError(f"target {target!r} cannot hold weights in fp8; only {' and '.join(FP8_TARGETS)} can.")
    if target == "cpu":
        return Override(pattern, KINDS[kind])
    if kind == "bf16":
        raise RequestError(f"{text!r}: on {target} what is not quantised has the recipe's half precision; write fp16.")
    return Override(pattern, {"fp32": FLOAT32, "fp16": None, "int8": GPU_INT8}.get(kind, KINDS[kind]))
