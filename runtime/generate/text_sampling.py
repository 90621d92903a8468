"""How text is written: by the likeliest token each time, or by one that is drawn. Knows no graphs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from ..arguments import check_fields
from ..arrays import Floats
from ..errors import RequestError
from .options import check_seed

MAX_TEMPERATURE: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class TextOptions:
    """How to write an answer; None takes the model's longest, the likeliest tokens, all of them, and a random seed."""

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    seed: int | None = None

    def __post_init__(self) -> None:
        """Raise `RequestError` for a value that no answer can have."""
        check_fields(self)
        if self.max_tokens is not None and self.max_tokens < 1:
            raise RequestError(f"{self.max_tokens} tokens are too few for an answer; give 1 or more.")
        if self.temperature is not None and not 0 <= self.temperature <= MAX_TEMPERATURE:
            raise RequestError(
                f"temperature {self.temperature} is out of range; of answers it runs from 0 to {MAX_TEMPERATURE}."
            )
        if self.top_p is not None and not 0 < self.top_p <= 1:
            raise RequestError(f"top-p {self.top_p} is out of range; it is above 0 and at most 1.")
        if self.seed is not None:
            check_seed(self.seed)

    @property
    def draws(self) -> bool:
        """Whether tokens are drawn; without a temperature each is the likeliest."""
        return bool(self.temperature)

    def drawing(self) -> Callable[[Floats], int]:
        """Return a function that draws a token by its logits; the same seed draws the same tokens."""
        temperature, top_p, random = self.temperature or 1.0, self.top_p or 1.0, np.random.default_rng(self.seed)

        def draw(logits: Floats) -> int:
            with np.errstate(over="ignore"):  # far below the likeliest at a temperature near 0: their weight is 0
                weights = np.exp((logits - logits.max()).astype(np.float64) / temperature)
            order = np.argsort(-weights, kind="stable")
            sums = np.cumsum(weights[order])
            sums = sums[: np.searchsorted(sums, top_p * sums[-1]) + 1]
            return int(order[np.searchsorted(sums, random.random() * sums[-1], side="right")])

        return draw


LIKELIEST: Final = TextOptions()
