"""Graphs and manifest of a portable bundle rewritten for the targets `cuda`, `rtx` and `tensorrt`. Writes nothing.

All three run the master graph's standard operators in half precision over a KV cache of fixed capacity; they differ in
how quantised weights are written. GroupQueryAttention, which the CPU runs, is not used: the CUDA kernel of
onnxruntime-gpu 1.31.1 has no `query_seqlens`, so rows of different length could not take several tokens each.
"""

from collections.abc import Callable
from typing import Final, get_args

import msgspec
import onnx_ir as ir

from edgevlo.runtime.errors import RequestError
from edgevlo.runtime.manifest.abilities import Ability
from edgevlo.runtime.manifest.graphs import DType, Graph, GraphRole, Precision, Tensor
from edgevlo.runtime.manifest.guidance import Sampling
from edgevlo.runtime.manifest.interfaces import MAX_TOP_K
from edgevlo.runtime.manifest.schema import Manifest, Target
from edgevlo.runtime.pictures.sizes import GridRule, tokens_fed

from ..passes._graph import is_cache
from ..passes.dequantize_matmul import DequantizeMatMulPass
from ..passes.fixed_shapes import FixedCapacityPass, StaticTopKPass
from ..passes.half_precision import NORMS, Half, HalfPrecisionPass
from ..passes.without_top_p import INPUT as TOP_P
from ..passes.without_top_p import WithoutTopPPass

GPU_TARGETS: Final[tuple[Target, ...]] = ("cuda", "rtx", "tensorrt")

# The precision of unquantised weights and of everything between quantised ones.
HALVES: Final[dict[str, Half]] = {"fp16": "fp16", "bf16": "bf16", "int8": "fp16", "int4": "fp16", "fp8": "fp16"}

# The graphs in which everything is in half precision, and those in which only matmuls with weights are: a code is drawn
# from its distribution, an answer's token is the likeliest, and sums over either stay exact.
_WHOLE: Final[tuple[GraphRole, ...]] = ("backbone", "image_decoder", "vision_encoder")
_MATMULS_ONLY: Final[tuple[GraphRole, ...]] = ("image_head", "text_head")
# image_tokenizer stays float32: a changed code is a changed prompt.

_CAPACITY_STEP: Final = 256
_WORDS: Final = 512  # tokens of a prompt beside its pictures

_CACHE_TYPES: Final[dict[Half, DType]] = {"fp16": "float16", "bf16": "bfloat16"}


class TargetWarning(UserWarning):
    """A default of the model that bundles of a target cannot have."""


def usual_capacity(manifest: Manifest) -> int:
    """Return a KV capacity that holds the largest picture, as many as an ability reads, and a prompt of 512 tokens."""
    shown = (ability.images[1] * _shown_tokens(manifest, ability) for ability in manifest.abilities.values())
    needed = _picture_tokens(manifest) + max(shown, default=0) + _WORDS
    return min(manifest.backbone.max_positions, -(-needed // _CAPACITY_STEP) * _CAPACITY_STEP)


def _picture_tokens(manifest: Manifest) -> int:
    """Return how many tokens the largest picture is as codes."""
    block, grid = manifest.image_block, manifest.grid
    return grid.cells[1] + grid.rows[1] * len(block.row_suffix) + len(block.open) + len(block.close)


def _shown_tokens(manifest: Manifest, ability: Ability) -> int:
    """Return how many tokens a prompt takes to show the largest picture: codes, features, or the one and the other."""
    block, reads = manifest.image_block, ability.reads or manifest.image_block.features
    codes = _picture_tokens(manifest)
    if reads == "codes":
        return codes
    (features,) = manifest.graphs["vision_encoder"].outputs
    rows = features.shape[1]
    taken = (rows if isinstance(rows, int) else codes) + len(block.open) + len(block.close)
    return taken + codes if reads == "both" else taken


def check_capacity(manifest: Manifest, capacity: int) -> None:
    """Raise `RequestError` unless a KV cache of so many tokens makes sense for the model."""
    if not 1 <= capacity <= manifest.backbone.max_positions:
        most = manifest.backbone.max_positions
        raise RequestError(f"`capacity={capacity}` is out of range; {manifest.name} takes 1 to {most} tokens.")
    if capacity < (least := _least_request(manifest)):
        raise RequestError(
            f"`capacity={capacity}` holds nothing that {manifest.name} can do: its smallest picture alone takes "
            f"{least} tokens. Use more, or leave it out for {usual_capacity(manifest)}."
        )


def _least_request(manifest: Manifest) -> int:
    """Return how many tokens the smallest picture takes after a prompt of one token; 1 where none is painted."""
    if not any(ability.output == "image" for ability in manifest.abilities.values()):
        return 1
    rule, block = GridRule(grid=manifest.grid, cell=manifest.codes.cell), manifest.image_block
    least = rule.nearest(rule.cell, rule.cell)
    return 1 + len(block.open) + tokens_fed(least.rows, least.columns, len(block.row_suffix))


def gpu_passes(target: str, role: GraphRole, *, half: Half | None, capacity: int) -> list[ir.passes.PassBase]:
    """Return the passes that make a graph, its weights quantised already, into that of a GPU target.

    Without `half` it stays float32, which the backbone cannot.
    """
    passes: list[ir.passes.PassBase] = []
    if role == "backbone":
        passes.append(FixedCapacityPass(capacity))
    if role == "image_head":
        passes += [WithoutTopPPass(), StaticTopKPass()]
    if target != "cuda":
        passes.append(DequantizeMatMulPass())
    if half is not None and role in _WHOLE:
        # bfloat16 is for the transformer's range; pictures want the digits.
        passes.append(HalfPrecisionPass(half if role == "backbone" else "fp16", keep=NORMS, caches=role == "backbone"))
    if half is not None and role in _MATMULS_ONLY:
        passes.append(HalfPrecisionPass(half, only_matmuls=True))
    return passes


def gpu_graph(role: GraphRole, graph: Graph, *, half: Half | None, capacity: int) -> Graph:
    """Return the manifest's entry of a graph after `gpu_passes`; a quantised precision stays."""
    if role == "backbone" and half is not None:
        rewrite = _cache_tensor(half, capacity)
        graph = msgspec.structs.replace(
            graph, inputs=tuple(map(rewrite, graph.inputs)), outputs=tuple(map(rewrite, graph.outputs))
        )
    if role == "image_head":
        graph = msgspec.structs.replace(graph, inputs=tuple(one for one in graph.inputs if one.name != TOP_P))
    if half is None or role not in (*_WHOLE, *_MATMULS_ONLY) or graph.precision != "fp32":
        return graph
    kept: Precision = half if role in ("backbone", *_MATMULS_ONLY) else "fp16"
    return msgspec.structs.replace(graph, precision=kept)


def gpu_backbone(manifest: Manifest, half: Half) -> Manifest:
    """Return the manifest with the cache type that `gpu_passes` leave, and sampling that the image head can do."""
    if manifest.backbone.cache_dtype == "int8":  # quantised already
        backbone = manifest.backbone
    else:
        backbone = msgspec.structs.replace(manifest.backbone, cache_dtype=_CACHE_TYPES[half])
    count = manifest.codes.count
    abilities = {
        name: msgspec.structs.replace(ability, sampling=ability.sampling and _on_gpu(ability.sampling, count))
        for name, ability in manifest.abilities.items()
    }
    sampling = _on_gpu(manifest.sampling, count)
    return msgspec.structs.replace(manifest, backbone=backbone, sampling=sampling, abilities=abilities)


def changed_sampling(manifest: Manifest) -> list[str]:
    """Return in words which of a model's own numbers of sampling a GPU bundle cannot have, and what it has instead."""
    drawn = {"painting": manifest.sampling}
    drawn |= {name: ability.sampling for name, ability in manifest.abilities.items() if ability.sampling is not None}
    found = []
    for name, before in drawn.items():
        after = _on_gpu(before, manifest.codes.count)
        if after.top_k:
            found += [f"top-k of {name} {after.top_k} instead of {before.top_k}"] if after.top_k != before.top_k else []
        found += [f"top-p of {name} 1 instead of {before.top_p:g}"] if after.top_p != before.top_p else []
    return found


def _on_gpu(sampling: Sampling, count: int) -> Sampling:
    """Return the nearest sampling that the image head of a GPU bundle applies to so many codes."""
    top_k = 0 if sampling.top_k >= count else min(sampling.top_k, MAX_TOP_K)
    return msgspec.structs.replace(sampling, top_k=top_k, top_p=1.0)


def half_of(weights: str) -> Half:
    """Return the half precision that goes with a kind of weights; raise `RequestError` for a kind GPUs do not have."""
    if weights not in HALVES:
        raise RequestError(
            f"GPU targets do not support {weights!r} weights; choose one of {', '.join(HALVES)} "
            f"(activations are in {' or '.join(get_args(Half))})."
        )
    return HALVES[weights]


def _cache_tensor(half: Half, capacity: int) -> Callable[[Tensor], Tensor]:
    def rewrite(tensor: Tensor) -> Tensor:
        if not is_cache(tensor.name):
            return tensor
        rows, heads, _, size = tensor.shape
        dtype = tensor.dtype if tensor.dtype == "int8" else _CACHE_TYPES[half]
        return msgspec.structs.replace(tensor, dtype=dtype, shape=(rows, heads, capacity, size))

    return rewrite
