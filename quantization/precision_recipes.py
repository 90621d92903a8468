"""Recipes: the precision of each module's weights on each target, as data.

A request may change them (`requested_precisions.py`), a verdict keeps modules unquantised that fail (`fallbacks.py`),
and a budget the layers that are harmed most (`calibration/evaluation/sensitivity.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
LARGE_BLOCK: Final = 128  # of four bits on CPUs, where the quality check passes (`cpu_defaults.py`)
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
