"""How many tokens a KV cache holds: the fixed number of a GPU bundle, or as many as a request needs."""

from typing import Final

from ..manifest.schema import Manifest

_CAPACITY_STEP: Final = 256  # KV capacity grows in these steps, so that most requests meet buffers that already fit


def fixed_capacity(manifest: Manifest) -> int | None:
    """Return how many tokens the KV cache holds, None if it may have any size."""
    shapes = [tensor.shape for tensor in manifest.graphs["backbone"].inputs if tensor.name == "past_keys.0"]
    sizes = [shape[2] for shape in shapes if len(shape) == 4]  # other shapes are refused when the graph is opened
    return sizes[0] if sizes and isinstance(sizes[0], int) else None


def capacity_for(manifest: Manifest, tokens: int) -> int:
    """Return the capacity of the KV cache that a request of so many tokens is given."""
    step = min(-(-tokens // _CAPACITY_STEP) * _CAPACITY_STEP, manifest.backbone.max_positions)
    return fixed_capacity(manifest) or step
