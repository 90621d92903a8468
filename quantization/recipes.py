"""What becomes of each graph's weights, as data. The only place that says which layers keep their precision."""

from dataclasses import dataclass
from typing import Final

from edgevlo.runtime.manifest import GraphRole, Precision


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """Weights of these graphs' MatMuls in blocks of `block_size` inputs, `bits` each, one float32 scale a block."""

    precision: Precision
    bits: int
    block_size: int
    graphs: tuple[GraphRole, ...]


# Blocks of 32: the most exact, and with AVX2 the fastest too (2048 x 2048, one row: 0.22 ms; blocks of 128: 0.28 ms).
# image_head stays float: every code is drawn from its logits, and it is a small part of what a step reads.
# image_tokenizer and image_decoder stay float: a changed code is a changed prompt, and int8 convolutions are no faster.
# vision_encoder stays float until what int8 does to answers is measured.
RECIPES: Final[dict[str, Recipe | None]] = {
    "fp32": None,
    "int8": Recipe(precision="int8", bits=8, block_size=32, graphs=("backbone", "text_head")),
    "int4": Recipe(precision="int4", bits=4, block_size=32, graphs=("backbone", "text_head")),
}
