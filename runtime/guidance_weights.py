"""Classifier-free guidance: which branches a picture is painted with, and how much each counts.

The graph `image_head` sums the branches' hidden states by these weights before its last layer, which is linear
(export/graphs/guided_image_head.py). The manifest defines the branches.
"""

from collections.abc import Hashable, Iterable
from typing import Final, TypeVar

from .manifest.guidance import Branch, Guidance

_NO_WEIGHT: Final = 1e-9  # of branches that cancel out, as 1.2 - 1 and -0.2 do up to rounding

Prompt = TypeVar("Prompt", bound=Hashable)


def weighted_branches(guidance: Guidance, scale: float, image_scale: float | None = None) -> list[tuple[Branch, float]]:
    """Return the branches that have any weight at these guidance scales, with their weights.

    Without an image scale the model's own is used: branches with the same prompt are merged anyway.
    """
    following = (guidance.default_image_scale or 0.0) if image_scale is None else image_scale
    weighed = [(one, one.constant + one.scale * scale + one.image_scale * following) for one in guidance.branches]
    return [(branch, weight) for branch, weight in weighed if weight != 0]


def merged(prompts: Iterable[tuple[Prompt, float]]) -> dict[Prompt, float]:
    """Return the weight of every prompt: equal ones count as one, and those whose weights cancel out are left out."""
    weights: dict[Prompt, float] = {}
    for prompt, weight in prompts:
        weights[prompt] = weights.get(prompt, 0.0) + weight
    return {prompt: weight for prompt, weight in weights.items() if abs(weight) > _NO_WEIGHT}
