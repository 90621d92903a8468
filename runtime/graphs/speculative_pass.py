"""Several codes in one pass of the backbone, each followed by a draw, and those after a wrong one taken back."""

import weakref
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from .backbone_kv_cache import Backbone
from .codes_per_pass import Pace
from .image_head import ImageHead


class Window:
    """Reads groups of tokens, one a cell, and counts the passes that it took; `name` is that of its pace."""

    def __init__(self, backbone: Backbone, head: ImageHead, name: str) -> None:
        self._backbone, self._head = backbone, head
        self._before = backbone.lengths.copy()
        self._ends: list[int] = []
        self.passes = 0
        window = weakref.proxy(self)  # in no circle: a cache is given back with the last one who uses it
        self.pace = Pace(lambda width: window._measure(width), name)

    def read(self, groups: Sequence[Sequence[int]], uniforms: Sequence[float]) -> list[int]:
        """Read the groups in every row; return the codes drawn after each of them."""
        self.passes += 1
        self._before = self._backbone.lengths.copy()
        self._ends = list(accumulate(map(len, groups)))
        tokens = [token for group in groups for token in group]
        if len(groups) == 1:
            self._backbone.step(tokens)
            return [self._head.draw(uniforms[0])]
        hidden = self._backbone.append([tokens] * self._backbone.rows)
        return self._head.draw_all(hidden[:, np.array(self._ends) - 1], uniforms)

    def keep(self, groups: int) -> None:
        """Forget what the last pass read after its first so many groups; 0 forgets all of it."""
        if groups < len(self._ends):
            self._backbone.take_back(self._before + (self._ends[groups - 1] if groups else 0))

    def _measure(self, width: int) -> None:
        """Read so many tokens that mean nothing, draw after each, and forget them."""
        passes = self.passes
        self.read([(0,)] * width, (0.5,) * width)
        self.keep(0)
        self.passes = passes
