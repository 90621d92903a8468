"""The largest key and value of every channel, read from the KV cache of a bundle that carries out requests.

Any bundle for CPUs whose cache is float will do, a quantised one too: the ranges are of its own keys and values.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import numpy as np

from edgevlo.runtime.arrays import Floats, Progress
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.engine import Engine, Painter
from edgevlo.runtime.model import Model

from .evaluation.cases import PICTURES
from .observe import Observer
from .requests import cases
from .run_requests import carry_out_all

# Requests, the abilities in turn. What is beyond the ranges is clipped, for which QuantizedCachePass leaves a margin.
COUNT: Final = 4


class CacheObservedEngine(Engine):
    """Runs a bundle's graphs as usual, and looks at the cache at the end of every request."""

    def __init__(self, bundle: Bundle) -> None:
        super().__init__(bundle)
        self.peaks: dict[str, Floats] = {}  # (kv_heads * head_dim,) by `keys.i` and `values.i`

    @contextmanager
    def painter(self, prompts: Sequence[Sequence[int]], more: int, features: Floats | None = None) -> Iterator[Painter]:
        """Lend the runtime's own painter."""
        with super().painter(prompts, more, features) as painter:
            yield painter
            for row in range(painter.backbone.rows):
                for name, held in painter.backbone.cached(row).items():
                    largest = np.abs(held).max(axis=1).reshape(-1)
                    self.peaks[name] = np.maximum(largest, self.peaks.get(name, np.float32(0)))


def cache_ranges(
    bundle: Bundle, *, prompts: Path | None = None, count: int = COUNT, progress: Progress | None = None
) -> dict[str, Floats]:
    """Carry out the requests of a file, or those that ship; return the largest absolute value of every channel.

    (kv_heads * head_dim,) by `keys.i` and `values.i`. Requests of a file show pictures that ship, as it need not paint.
    Raises `RequestError` for requests that the bundle cannot use.
    """
    listed = cases(bundle.manifest, prompts, None if prompts is None else PICTURES, count)
    engine = CacheObservedEngine(bundle)
    carry_out_all(Model(bundle, engine), Observer({}), listed, "KV cache, ", progress, ours=prompts is None)
    return engine.peaks
