"""Pictures painted with several codes a pass, beside the same ones painted one code at a time."""

from typing import Any

import numpy as np

from edgevlo.runtime.model import Model


def assert_the_same_for_every_width(model: Model, prompt: str = "a red car") -> None:
    """Paint a picture of few rows, greedily and by chance, each with another width."""
    for width, options in ((7, {"temperature": 0.0}), (3, {"temperature": 1.0, "seed": 3})):
        np.testing.assert_array_equal(_codes(model, prompt, width, options), _codes(model, prompt, 1, options))


def _codes(model: Model, prompt: str, width: int, options: dict[str, Any]) -> Any:
    """Return the first three rows of codes: random weights paint all rows alike."""
    strokes = model.paint_rows(prompt, codes_per_pass=width, **options)
    return next(stroke.codes for stroke in strokes if stroke.rows_done == min(3, stroke.rows))
