"""What becomes of each module's weights, as data. The only place that says which layers keep their precision."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest_graphs import GraphRole, Precision

Module: TypeAlias = GraphRole | Literal["tables"]  # tables: the input embeddings of tokens and codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Blocks:
    """Matrices of linear layers in blocks of `block_size` inputs, `bits` each, one float32 scale a block."""

    precision: Precision
    bits: int
    block_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Half:
    """Numbers stored in float16 and computed with in float32; `lossless`: only where that changes none."""

    precision: Precision = "fp16"
    lossless: bool = False


Weights: TypeAlias = Blocks | Half
Recipe: TypeAlias = Mapping[Module, Weights]  # a module that is not named stays as it is

# Blocks of 32 are the most exact, blocks of 64 nearly so with half the scales: a sixteenth of the weights' own bytes.
INT8: Final = Blocks(precision="int8", bits=8, block_size=64)
GPU_INT8: Final = Blocks(precision="int8", bits=8, block_size=32)
INT4: Final = Blocks(precision="int4", bits=4, block_size=32)
HALF, EXACT_HALF = Half(), Half(lossless=True)

# image_tokenizer keeps every number, since a changed code is a changed prompt. image_decoder keeps them too: int8
# convolutions are no faster. vision_encoder stays float until what int8 does to answers is measured.
CPU: Final[dict[str, Recipe]] = {
    "fp32": {},
    "int8": {
        "backbone": INT8, "text_head": INT8, "image_head": INT8, "tables": HALF, "image_decoder": EXACT_HALF,
        "image_tokenizer": EXACT_HALF,
    },
    "int4": {
        "backbone": INT4, "text_head": INT4, "image_head": INT8, "tables": HALF, "image_decoder": EXACT_HALF,
        "image_tokenizer": EXACT_HALF,
    },
}  # fmt: skip

# GPUs keep in half precision what is not named (`gpu_targets.py`): the heads' products too, as their sums are exact.
GPU: Final[dict[str, Recipe]] = {
    "fp16": {},
    "bf16": {},
    "int8": {"backbone": GPU_INT8, "text_head": GPU_INT8},
    "int4": {"backbone": INT4, "text_head": INT4},
}


def recipe_of(target: str, weights: str) -> Recipe:
    """Return the recipe of a kind of weights for a target; raise `RequestError` for one that it does not have."""
    recipes = CPU if target == "cpu" else GPU
    if weights not in recipes:
        raise RequestError(f"{target} has no weights of kind {weights!r}; choose one of {', '.join(recipes)}.")
    return recipes[weights]
