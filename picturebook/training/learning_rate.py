"""The learning rate over a run."""

from __future__ import annotations

from .curriculum import Recipe


def rate_at(recipe: Recipe, progress: float, steps_since_start: int) -> float:
    """Warm-up after every start, then constant, then linear decay to 2 %."""
    warm = min(1.0, (steps_since_start + 1) / recipe.warmup)
    left = min(1.0, (1.0 - progress) / recipe.decay) if recipe.decay else 1.0
    return recipe.rate * warm * max(left, 0.02)
