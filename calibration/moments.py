"""Second moments of what a bundle's products read while it does what its users ask: what GPTQ corrects by.

They are kept in memory, K x K float32 for every input of K channels: 4.3 GB for the shape of Janus-Pro-1B.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import CalibrationError
from edgevlo.runtime.manifest_graphs import GraphRole
from edgevlo.runtime.model import Model

from .calibrate import COUNT, Progress, carried_out
from .observe import ObservedEngine, Observer, Watched, flat, real_tokens, rows_of
from .store import Grids
from .workload import cases

Floats = npt.NDArray[np.float32]


@dataclass
class MomentObserver(Observer):
    """Adds up `x x^T` over all that each product with weights reads, `(K, K)` by the product's name."""

    moments: dict[str, Floats] = field(default_factory=dict)

    def take(self, role: GraphRole, seen: Mapping[str, npt.NDArray[Any]], watched: Sequence[Watched]) -> None:
        """Add what one run of a graph showed."""
        rows = rows_of(role, seen)
        for one in watched:
            if one.channels != (-1,):
                continue  # no product of a matrix
            values = seen[one.name]
            parts = [flat(values, one.channels)] if rows is None else [x for _, x in real_tokens(values, one, rows)]
            if not all(np.isfinite(x).all() for x in parts):
                raise CalibrationError(
                    f"{one.readers[0]} of {role} reads NaN or infinity; check the checkpoint's weights."
                )
            added = sum((x.T @ x for x in parts), start=np.zeros((values.shape[-1],) * 2, dtype=np.float32))
            first, *others = one.readers
            if first in self.moments:
                self.moments[first] += added
            else:
                self.moments.update(dict.fromkeys((first, *others), added))


def second_moments(
    bundle: Path,
    *,
    prompts: Path | None = None,
    count: int = COUNT,
    progress: Progress | None = None,
) -> dict[str, Floats]:
    """Run a portable bundle on requests, as `calibrate` does; return the moments by the product's name.

    Raises `RequestError` for prompts that cannot be used, `CalibrationError` for NaN and infinity.
    """
    opened = open_bundle(bundle)
    listed = cases(opened.manifest, prompts, None, count)
    observer, grids = MomentObserver({}), Grids()
    model = Model(opened, ObservedEngine(opened, observer))
    for number, case in enumerate(listed):
        for grid, rows in carried_out(model, observer, case, grids):
            if progress is not None:
                progress(f"{case.ability}, request {number + 1} of {len(listed)}", len(grid), rows)
            if case.ability == "paint" and len(grid) == rows:
                grids[str(number)] = grid
    return observer.moments
