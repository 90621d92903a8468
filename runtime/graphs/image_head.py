"""From hidden states to the next code: guidance and the draw happen in the graph (export/graphs).

Knows no grid and no tokens.
"""

from collections.abc import Sequence

import numpy as np

from ..arrays import Array, Floats
from ..manifest.guidance import Sampling
from .backbone_kv_cache import bind
from .protocols import Session


class ImageHead:
    """Draws a code from the hidden states of all guidance branches, `hidden` (branches, hidden_size), read in place."""

    def __init__(self, session: Session, hidden: Floats) -> None:
        self._session = session
        self._weights = np.zeros(hidden.shape[0], dtype=np.float32)
        self._temperature = np.zeros((), dtype=np.float32)
        self._top_k = np.zeros(1, dtype=np.int64)
        self._top_p = np.ones(1, dtype=np.float32)
        self._uniform = np.zeros(1, dtype=np.float32)
        self._code = np.zeros(1, dtype=np.int64)
        self._binding = session.io_binding()
        self._settings: dict[str, Array] = {
            "weights": self._weights,
            "temperature": self._temperature,
            "top_k": self._top_k,
        }
        if any(value.name == "top_p" for value in session.get_inputs()):
            self._settings["top_p"] = self._top_p
        inputs = {"hidden": hidden[np.newaxis], "uniform": self._uniform, **self._settings}
        bind(self._binding, inputs, {"code": self._code})

    def set(self, weights: Floats, sampling: Sampling) -> None:
        """Fix guidance weights, temperature, top-k and top-p for the picture to come."""
        self._weights[:] = weights
        self._temperature[()] = sampling.temperature
        self._top_k[0] = sampling.top_k
        self._top_p[0] = max(sampling.top_p, float(np.finfo(np.float32).tiny))  # the likeliest code is always kept

    def draw(self, uniform: float) -> int:
        """Draw the next code at `uniform`, a number in [0, 1)."""
        self._uniform[0] = uniform
        self._session.run_with_iobinding(self._binding)
        return int(self._code[0])

    def draw_all(self, hidden: Floats, uniforms: Sequence[float]) -> list[int]:
        """Draw a code after each of several tokens, `hidden` (branches, tokens, hidden_size), each at its uniform."""
        feeds = {"hidden": np.ascontiguousarray(hidden.swapaxes(0, 1)), "uniform": np.array(uniforms, np.float32)}
        (codes,) = self._session.run(["code"], {**feeds, **self._settings})
        return list(map(int, codes))
