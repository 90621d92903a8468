"""The precision of each module's weights, as data. The only place that says which layers are not quantised."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final, Literal, TypeAlias, get_args

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.graphs import GraphRole, Precision

Module: TypeAlias = GraphRole | Literal["tables"]  # tables: the embeddings of tokens and codes
Method: TypeAlias = Literal["rtn", "k_quant", "hqq", "gptq", "awq"]  # a file each in weight_only/

METHODS: Final[tuple[Method, ...]] = get_args(Method)
SYMMETRIC: Final[tuple[Method, ...]] = ("rtn", "gptq", "awq")  # without zero points, which TensorRT does not take
DATA_DRIVEN: Final[tuple[Method, ...]] = ("gptq", "awq")  # need the second moments of the layers' inputs
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
    """Matrices of linear layers in fp8 (E4M3), one float32 scale an output, dequantised in front of the matmul."""

    precision: Literal["fp8"] = "fp8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Float32:
    """float32, as in the portable bundle. On a GPU only whole modules can be, elsewhere every layer."""

    precision: Literal["fp32"] = "fp32"


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetHalf:
    """Not quantised on a GPU: in half precision wherever `targets/gpu.py` computes in it, float32 elsewhere."""


Weights: TypeAlias = Blocks | Half | Float8 | Float32 | TargetHalf
Recipe: TypeAlias = Mapping[Module, Weights]  # a module that is not named is not quantised

# Blocks of 32 are the most exact, blocks of 64 nearly so with half the scales: a sixteenth of the weights' own bytes.
INT8: Final = Blocks(precision="int8", bits=8, block_size=64)
GPU_INT8: Final = Blocks(precision="int8", bits=8, block_size=32)
INT4: Final = Blocks(precision="int4", bits=4, block_size=32)
LARGE_BLOCK: Final = 128  # of four bits on CPUs, where the quality check passes (`faster.py`)
HALF, EXACT_HALF, BFLOAT = Half(), Half(lossless=True), Half(precision="bf16")
FP8: Final = Float8()
FLOAT32: Final = Float32()
TARGET_HALF: Final = TargetHalf()

# image_tokenizer is never rounded: a changed code is a changed prompt. Neither is image_decoder: int8 convolutions are
# no faster. int4 is for the backbone and the text head alone, which hold most of the weights: codes are drawn from
# the image head's logits, and a picture's features enter every answer.
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

# What is not named is in half precision (`targets/gpu.py`), the matmuls of the image head too: its sums are exact.
GPU: Final[dict[str, Recipe]] = {
    "fp16": {"tables": HALF},
    "bf16": {"tables": HALF},
    "int8": {"backbone": GPU_INT8, "text_head": GPU_INT8, "tables": HALF},
    "int4": {"backbone": INT4, "text_head": INT4, "tables": HALF},
}
FP8_TARGETS: Final = ("rtx", "tensorrt")  # a CPU computes it in float32, ONNX Runtime's CUDA provider as well
GPU_FP8: Final[Recipe] = {"backbone": FP8, "text_head": FP8, "tables": HALF}

# What `--module` can give one module or layer instead of its recipe.
KINDS: Final[dict[str, Weights]] = {
    "fp32": FLOAT32, "fp16": HALF, "bf16": BFLOAT, "fp8": FP8, "int8": INT8, "int4": INT4,
}  # fmt: skip


def is_quantised(weights: Weights) -> bool:
    """Whether weights are rounded: not kept in float, nor stored without any loss."""
    return not (isinstance(weights, Float32 | TargetHalf) or (isinstance(weights, Half) and weights.lossless))


def unquantised(target: str) -> Weights:
    """Return what a module is on a target where neither recipe nor override names it."""
    return FLOAT32 if target == "cpu" else TARGET_HALF


def recipe_of(target: str, weights: str) -> Recipe:
    """Return the recipe of a kind of weights for a target; raise `RequestError` for one that it does not have."""
    recipes = CPU if target == "cpu" else GPU | ({"fp8": GPU_FP8} if target in FP8_TARGETS else {})
    if weights not in recipes:
        raise RequestError(f"{target} does not support {weights!r} weights; choose one of {', '.join(recipes)}.")
    return recipes[weights]


@dataclass(frozen=True, slots=True)
class Override:
    """The precision of modules or layers whose names fit `pattern` (`*` is anything), instead of the recipe's."""

    pattern: str
    weights: Weights

    def fits(self, name: str) -> bool:
        """Whether the pattern matches this module or layer."""
        return fnmatchcase(name, self.pattern)


@dataclass(frozen=True, slots=True)
class Choice:
    """A recipe and the overrides of it; of two that match, the later wins. `default` is what neither names."""

    recipe: Recipe
    overrides: tuple[Override, ...] = ()
    default: Weights = FLOAT32

    def of(self, module: Module, layer: str = "") -> Weights:
        """Return the precision of a module, or of one linear layer in it."""
        for override in reversed(self.overrides):
            if override.fits(module) or (layer and override.fits(layer)):
                return override.weights
        return self.recipe.get(module, self.default)

    @property
    def blocks(self) -> frozenset[Blocks]:
        """Every way in which weights are quantised in blocks."""
        found = (*self.recipe.values(), *(one.weights for one in self.overrides))
        return frozenset(weights for weights in found if isinstance(weights, Blocks))

    def with_blocks(self, method: Method | None, block_size: int | None) -> "Choice":
        """Return the same with another method or block size wherever weights are quantised in blocks."""
        changes = {"method": method, "block_size": block_size}
        given = {name: value for name, value in changes.items() if value is not None}

        def changed(weights: Weights) -> Weights:
            return dataclasses.replace(weights, **given) if isinstance(weights, Blocks) else weights  # type: ignore[arg-type]

        recipe = {module: changed(weights) for module, weights in self.recipe.items()}
        overrides = tuple(Override(one.pattern, changed(one.weights)) for one in self.overrides)
        return Choice(recipe, overrides, self.default)

    def in_large_blocks(self) -> "Choice":
        """Return the same with the modules that the recipe gives four bits in blocks of `LARGE_BLOCK`."""

        def changed(weights: Weights) -> Weights:
            if isinstance(weights, Blocks) and weights.bits == 4:
                return dataclasses.replace(weights, block_size=LARGE_BLOCK)
            return weights

        return dataclasses.replace(self, recipe={module: changed(weights) for module, weights in self.recipe.items()})

    def overridden(self, *overrides: Override) -> "Choice":
        """Return the same with further overrides."""
        return dataclasses.replace(self, overrides=(*self.overrides, *overrides))


def override(text: str, target: str) -> Override:
    """Read `PATTERN=KIND`, such as `*.down_proj=int8`; raise `RequestError` for anything else."""
    pattern, _, kind = text.rpartition("=")
    if not pattern or kind not in KINDS:
        raise RequestError(f"--module {text!r} is not of the form PATTERN={'|'.join(KINDS)}.")
    if kind == "fp8" and target not in FP8_TARGETS:
        raise RequestError(f"--module {text!r}: only targets {' and '.join(FP8_TARGETS)} support fp8 weights.")
    if target == "cpu":
        return Override(pattern, KINDS[kind])
    if kind == "bf16":
        raise RequestError(f"--module {text!r}: on {target} the half precision is that of --weights; write fp16.")
    on_gpus: dict[str, Weights] = {"fp16": TARGET_HALF, "int8": GPU_INT8}
    return Override(pattern, on_gpus.get(kind, KINDS[kind]))
