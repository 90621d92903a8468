"""What a replay found, in lines, and its refusal in one."""

from collections.abc import Mapping
from dataclasses import dataclass

from ..errors import DeviceError
from ..manifest.graphs import GraphRole
from .limits import FIGURES
from .record import FigureName


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure of a replay beside its limit."""

    name: FigureName
    value: float
    limit: float

    @property
    def graph(self) -> GraphRole:
        """The graph that it shows."""
        return FIGURES[self.name].graph

    @property
    def is_within(self) -> bool:
        """Whether the figure keeps its limit; what is not a number does not."""
        return self.value >= self.limit if FIGURES[self.name].is_share else self.value <= self.limit

    @property
    def line(self) -> str:
        """The figure in words."""
        figure = FIGURES[self.name]
        return f"{figure.graph:16} {figure.text}: {self._shown(self.value)} ({self._bound})"

    @property
    def fault(self) -> str:
        """The graph and the figure, in a clause."""
        figure = FIGURES[self.name]
        return f"{figure.graph} is wrong ({figure.text}: {self._shown(self.value)}, {self._bound})"

    @property
    def _bound(self) -> str:
        return f"at {'least' if FIGURES[self.name].is_share else 'most'} {self._shown(self.limit)}"

    def _shown(self, value: float) -> str:
        return f"{value:.0%}" if FIGURES[self.name].is_share else f"{value:.2g}"


def findings(values: Mapping[FigureName, float], limits: Mapping[FigureName, float]) -> list[Finding]:
    """Return the figures of a replay with their limits, in the order of the data."""
    return [Finding(name=name, value=values[name], limit=limits[name]) for name in FIGURES if name in values]


def refuse(found: list[Finding], where: str, device: str) -> None:
    """Raise `DeviceError` at the first figure outside its limit, which is where things went wrong first."""
    wrong = next((one for one in found if not one.is_within), None)
    if wrong is not None:
        raise refusal(wrong.fault, where, device)


def refusal(fault: str, where: str, device: str) -> DeviceError:
    """Return the error of a bundle that gives other results on a device than it was made with."""
    return DeviceError(
        f"{where} gives other results here than where it was made: {fault}, on {device}. Update the driver "
        "and ONNX Runtime or TensorRT, or use a bundle for 'cpu'."
    )
