"""Which shapes an engine must take, worked out from the manifest. Knows neither TensorRT nor files.

The backbone has two profiles over one set of weights: `step`, for a token of every guidance branch and what the grid
forces after a row, and `prompt`. The KV cache has one capacity, which the graph states.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..arrays import ArrayShape
from ..errors import BundleError
from ..manifest.graphs import GraphRole
from ..manifest.schema import Manifest

Span: TypeAlias = tuple[int, int, int]  # smallest, most usual, largest

STEP: Final = 0
PROMPT: Final = 1

_USUAL_PROMPT: Final = 128  # tokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """Smallest, most usual and largest shape of every input."""

    smallest: Mapping[str, ArrayShape]
    usual: Mapping[str, ArrayShape]
    largest: Mapping[str, ArrayShape]

    def holds(self, shapes: Mapping[str, ArrayShape]) -> bool:
        """Whether inputs of these shapes are within the profile."""
        return all(
            low <= size <= high
            for name, shape in shapes.items()
            for low, size, high in zip(self.smallest[name], shape, self.largest[name], strict=True)
        )


def capacity(manifest: Manifest) -> int:
    """Return how many tokens the KV cache of a bundle's backbone holds; raise `BundleError` where that is not fixed."""
    shape = next(tensor.shape for tensor in manifest.graphs["backbone"].inputs if tensor.name == "past_keys.0")
    if not isinstance(shape[2], int):
        raise BundleError(
            f"{manifest.name} has a KV cache of variable size; target {manifest.target!r} needs a fixed one. "
            "Quantize the portable bundle again."
        )
    return shape[2]


def profiles(manifest: Manifest, role: GraphRole) -> tuple[Profile, ...]:
    """Return the profiles of a graph, at least one."""
    return tuple(_profile(manifest, role, spans) for spans in _spans(manifest, role))


def _spans(manifest: Manifest, role: GraphRole) -> tuple[dict[str, Span], ...]:
    """Return for each profile what the named dimensions of a graph may be."""
    branches, grid, cell = len(manifest.guidance.branches), manifest.grid, manifest.codes.cell
    rows: Span = (1, grid.default[0], grid.rows[1])  # a picture is decoded after every row
    columns: Span = (grid.columns[0], grid.default[1], grid.columns[1])
    several: Span = (1, branches, branches)
    match role:
        case "backbone":
            held = capacity(manifest)
            step: Span = (1, 1, min(held, 1 + len(manifest.image_block.row_suffix)))
            prompt: Span = (1, min(held, _USUAL_PROMPT), held)
            return {"B": several, "S": step}, {"B": several, "S": prompt}
        case "image_head":
            return ({"N": (1, 1, 1), "R": several},)
        case "text_head":
            return ({"B": (1, 1, 1)},)
        case "image_decoder":
            return ({"h": rows, "w": columns},)
        case "image_tokenizer":
            low = grid.rows[0] * cell
            height: Span = (low, rows[1] * cell, rows[2] * cell)
            width: Span = (columns[0] * cell, columns[1] * cell, columns[2] * cell)
            return ({"H": height, "W": width},)
        case "vision_encoder":
            return ({"N": (1, 1, 1)},)


def _profile(manifest: Manifest, role: GraphRole, spans: Mapping[str, Span]) -> Profile:
    def shapes(which: int) -> dict[str, ArrayShape]:
        return {
            tensor.name: tuple(
                size if isinstance(size, int) else _span(role, spans, size)[which] for size in tensor.shape
            )
            for tensor in manifest.graphs[role].inputs
        }

    return Profile(smallest=shapes(0), usual=shapes(1), largest=shapes(2))


def _span(role: GraphRole, spans: Mapping[str, Span], size: str) -> Span:
    if size not in spans:
        raise BundleError(f"graphs.{role} has an input of size {size!r}, which no profile names. Export it again.")
    return spans[size]
