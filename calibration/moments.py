"""Second moments of the inputs of a bundle's linear layers, which GPTQ (as Hessians) and AWQ need.

They are kept in memory, K x K float32 for every input of K channels: 4.3 GB for the shape of Janus-Pro-1B. AWQ needs
their diagonals alone, K. Inputs of many steps are added at once: each addition passes over all K x K sums.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Array, Floats, Progress
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import CalibrationError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.memory.predict import weights_bytes
from edgevlo.runtime.memory.refuse import check_available
from edgevlo.runtime.model import Model

from .observe import ROLES, ObservedEngine, Observer, Watched, flat, real_tokens, rows_of, watched
from .requests import cases
from .run_requests import COUNT, carry_out_all

GATHERED: Final = 256  # tokens between additions


@dataclass
class MomentObserver(Observer):
    """Sums `x x^T` over the inputs of each linear layer, `(K, K)` by the layer's name.

    With `squares` only the diagonals, `(K,)`.
    """

    squares: bool = False
    moments: dict[str, Floats] = field(default_factory=dict)
    _waiting: dict[str, list[Floats]] = field(default_factory=dict)

    def take(self, role: GraphRole, observed: Mapping[str, Array], watched: Sequence[Watched]) -> None:
        """Add the inputs of one run."""
        rows = rows_of(role, observed)
        for one in watched:
            if one.channels != (-1,):
                continue  # not the input of a MatMul with weights
            values = observed[one.name]
            parts = [flat(values, one.channels)] if rows is None else [x for _, x in real_tokens(values, one, rows)]
            if not all(np.isfinite(x).all() for x in parts):
                raise CalibrationError(
                    f"{one.readers[0]} of {role} reads NaN or infinity; check the checkpoint's weights."
                )
            first = one.readers[0]
            if first not in self.moments:
                width = values.shape[-1]
                shape = (width,) if self.squares else (width, width)
                self.moments.update(dict.fromkeys(one.readers, np.zeros(shape, dtype=np.float32)))
            waiting = self._waiting.setdefault(first, [])
            waiting += [x.copy() for x in parts]
            if sum(map(len, waiting)) >= GATHERED:
                self._add_up(first)

    def _add_up(self, layer: str) -> None:
        x = np.concatenate(self._waiting.pop(layer))
        self.moments[layer] += np.einsum("tk,tk->k", x, x) if self.squares else x.T @ x

    def finished(self) -> dict[str, Floats]:
        """Return the second moments of all inputs."""
        for layer in list(self._waiting):
            self._add_up(layer)
        return self.moments


def moments_bytes(bundle: Bundle) -> int:
    """Return the memory that the second moments of a bundle take."""
    total = 0
    for role in bundle.manifest.graphs.keys() & set(ROLES):
        graph = ir.load(bundle.path(bundle.manifest.graphs[role].file)).graph
        matrices = {node.name: node.inputs[1] for node in graph if node.op_type == "MatMul"}
        for one in watched(graph, role):
            matrix = matrices.get(one.readers[0]) if one.channels == (-1,) else None
            if matrix is not None and matrix.const_value is not None:
                total += 4 * int(matrix.const_value.shape.numpy()[0]) ** 2
    return total


def second_moments(
    bundle: Bundle,
    *,
    prompts: Path | None = None,
    count: int = COUNT,
    squares: bool = False,
    progress: Progress | None = None,
) -> dict[str, Floats]:
    """Run a portable bundle on requests, as `calibrate` does; return second moments by the linear layer's name.

    With `squares` only their diagonals.

    Raises `RequestError` for prompts that cannot be used, `CalibrationError` for NaN and infinity, `MemoryShortError`
    when the moments do not fit into what is available.
    """
    weights = weights_bytes(bundle.folder, bundle.manifest, bundle.manifest.graphs)
    if not squares:
        check_available(bundle, moments_bytes(bundle) + weights, "for `method='gptq'`; other methods take less")
    listed = cases(bundle.manifest, prompts, None, count)
    observer = MomentObserver({}, squares=squares)
    model = Model(bundle, ObservedEngine(bundle, observer))
    carry_out_all(model, observer, listed, "", progress, ours=prompts is None)
    return observer.finished()
