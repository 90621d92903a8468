"""What runs a bundle's graphs, chosen by its target. Nothing that a target needs is imported before it is chosen."""

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

from ..arrays import Array, Floats
from ..bundle import Bundle
from ..manifest.graphs import GraphRole
from ..manifest.guidance import Sampling
from ..manifest.schema import Manifest
from .sessions import open_graph

if TYPE_CHECKING:
    from ..gpu.engine_cache import Device


class Runner(Protocol):
    """A graph that was opened, wherever it runs."""

    def run(self, outputs: Sequence[str], feeds: Mapping[str, Array]) -> Sequence[Any]:
        """Run on arrays of the host; return the named outputs."""


Opener: TypeAlias = Callable[[Bundle, GraphRole], Runner]


class Head(Protocol):
    """Draws codes from a backbone's last hidden states."""

    def set(self, weights: Floats, sampling: Sampling) -> None:
        """Fix guidance weights, temperature and top-k for the picture to come."""

    def draw(self, uniform: float) -> int:
        """Draw the next code at `uniform`, a number in [0, 1)."""


def open_runner(bundle: Bundle, role: GraphRole, *, prepack: bool = True) -> Runner:
    """Open one graph on the bundle's target; raise `BundleError` when it cannot be run there."""
    target = bundle.manifest.target
    if target == "tensorrt":
        from ..gpu.engine_cache import open_engine

        return open_engine(bundle, role, _device())
    session = open_graph(bundle, role, prepack=prepack)
    if target in ("cuda", "rtx"):
        from ..gpu.ort import OrtGraph

        return OrtGraph(session, "cuda")
    return cast(Runner, session)


def on_device(manifest: Manifest) -> bool:
    """Whether a bundle's buffers lie on a GPU."""
    return manifest.target in ("cuda", "rtx", "tensorrt")


@cache
def _device() -> "Device":
    from ..gpu.engine_cache import Device

    return Device.find()
