"""How far a device may be from a bundle's record: the figures of a replay, and their limits. Data and one rule.

A device that computes a bundle's graphs correctly differs from the record by the order of its sums and by roundings,
less than the bundle differs from its float reference by being quantised. So a limit is twice that difference, where it
was measured, but no tighter than the default of the number format and no wider than a bound well below what garbage
gives: hidden states or logits that have nothing to do with the recorded ones have an error of 1 or more.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..manifest.graphs import GraphRole, Precision
from ..manifest.schema import Manifest
from .record import FigureName, SelfCheck, figures_of
from .sketch import COLUMNS


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure of a replay: the graph that it shows, its name in words, and how it is written."""

    graph: GraphRole
    text: str
    is_share: bool = False  # of what is equal: more is better. Others are differences


# In the order of the data: where the backbone is wrong, what its heads give is too.
FIGURES: Final[dict[FigureName, Figure]] = {
    "hidden_error": Figure("backbone", "relative error of hidden states"),
    "image_logits": Figure("image_head", "largest logit difference"),
    "codes_equal": Figure("image_head", "equal codes", is_share=True),
    "text_logits": Figure("text_head", "largest logit difference"),
    "tokens_equal": Figure("text_head", "equal tokens", is_share=True),
    "pixels": Figure("image_decoder", "mean pixel difference in levels"),
    "read_codes_equal": Figure("image_tokenizer", "equal codes", is_share=True),
    "features_error": Figure("vision_encoder", "relative error of features"),
}

# Default limits by number format: relative error of vectors, and levels of pixels.
_ERROR: Final[dict[Precision, float]] = {
    "fp32": 0.02, "fp16": 0.05, "bf16": 0.1, "fp8": 0.2, "int8": 0.15, "int4": 0.2,
}  # fmt: skip
_LEVELS: Final[dict[Precision, float]] = {
    "fp32": 1.0, "fp16": 3.0, "bf16": 6.0, "fp8": 6.0, "int8": 4.0, "int4": 6.0,
}  # fmt: skip
_LARGEST: Final = 6.0  # of some hundred differences: as many standard deviations, guidance adding to them
_TIMES_MEASURED: Final = 2.0
_MOST_ERROR: Final = 0.5
_MOST_SPREADS: Final = 1.5  # of logits, in standard deviations of the recorded ones; garbage gives 4 and more
_MOST_LEVELS: Final = 16.0
_LEAST_READ: Final = 0.9  # of the test card's codes: some lie between two

_COARSEST_LAST: Final[tuple[Precision, ...]] = ("fp32", "fp16", "bf16", "int8", "fp8", "int4")
_STORED: Final[dict[str, Precision]] = {
    "float32": "fp32", "float16": "fp16", "bfloat16": "bf16", "int8": "int8", "int4": "int4",
}  # fmt: skip


def limits_for(
    record: SelfCheck, manifest: Manifest, measured: Mapping[FigureName, float] | None = None
) -> dict[FigureName, float]:
    """Return the limits of a record. `measured` are the figures of the float reference that replayed it, if it did."""
    return {
        name: float(f"{_limit(name, record, manifest, (measured or {}).get(name)):.4g}")
        for name in FIGURES
        if name in figures_of(record)
    }


def _limit(name: FigureName, record: SelfCheck, manifest: Manifest, measured: float | None) -> float:
    if name == "read_codes_equal":
        return _LEAST_READ
    if FIGURES[name].is_share:
        return 1.0  # of the draws that the record is sure of (replay.py)
    usual, most = _ERROR[_precision(name, manifest)], _MOST_ERROR
    if name in ("image_logits", "text_logits"):
        spread = _spread(record, FIGURES[name].graph)
        usual, most = usual * _LARGEST * spread, _MOST_SPREADS * spread
    elif name == "pixels":
        usual, most = _LEVELS[_precision(name, manifest)], _MOST_LEVELS
    seen = measured if measured is not None and np.isfinite(measured) else 0.0
    return min(max(usual, _TIMES_MEASURED * seen), most)


def _precision(name: FigureName, manifest: Manifest) -> Precision:
    """Return the coarsest format that a figure depends on: heads read what the backbone computes."""
    graph, graphs = FIGURES[name].graph, manifest.graphs
    found = [graphs[graph].precision]
    if graphs[graph].activations == "int8":
        found.append("int8")
    if graph in ("backbone", "image_head", "text_head"):
        tables = (table for table in (manifest.token_embedding, manifest.code_embedding) if table is not None)
        stored = (*(table.dtype for table in tables), manifest.backbone.cache_dtype)
        found += [graphs["backbone"].precision, *(_STORED[dtype] for dtype in stored)]
    return max(found, key=_COARSEST_LAST.index)


def _spread(record: SelfCheck, head: GraphRole) -> float:
    """Return the standard deviation of a head's recorded logits."""
    draws = [draw for one in record.sequences if one.head == head for draw in one.draws]
    return float(np.std([draw.logits[:COLUMNS] for draw in draws])) if draws else 0.0
