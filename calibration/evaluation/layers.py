"""A backbone that also says what stands behind each of its layers, run as the runtime runs any session.

The graph is the bundle's own, in memory, with the hidden states between its layers as further outputs; its weights stay
in the bundle's files, and nothing is written. Needs onnx-ir. Knows no prompts and no codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

import onnxruntime as ort

from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.backends import on_device, open_runner
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.graphs.sessions import EXACT_INT8, open_rewritten
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import graph_bytes

if TYPE_CHECKING:
    import onnx_ir as ir


_PREFIX: Final = "layer_output."  # what the exporter calls the hidden state behind a layer
_SEEN: Final = "seen."


@dataclass(slots=True)
class LayerStates:
    """The hidden states behind layers, float32 (rows, width, hidden_size): by name, as the last run left them."""

    names: tuple[str, ...]
    last: dict[str, Floats] = field(default_factory=dict)


class SeeingOpener(Protocol):
    """Opens a graph; a backbone, where `states` are given, so that every run leaves its hidden states there."""

    def __call__(self, bundle: Bundle, role: GraphRole, states: LayerStates | None = None, /) -> Runner:
        """Raise `BundleError` when the graph cannot be opened."""


class LayeredSession:
    """Stands in for a backbone's session, and leaves its hidden states in `states`."""

    def __init__(self, session: ort.InferenceSession, states: LayerStates) -> None:
        self._session, self._states = session, states

    def io_binding(self) -> ort.IOBinding:
        """Return a binding whose first outputs are the hidden states."""
        binding = self._session.io_binding()
        for name in self._states.names:
            binding.bind_output(_SEEN + name, "cpu")
        return binding

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions | None = None) -> None:
        """Run, and keep what the hidden states are."""
        self._session.run_with_iobinding(binding, options)
        names = self._states.names
        found = binding.get_outputs()[: len(names)]
        self._states.last = {name: value.numpy() for name, value in zip(names, found, strict=True)}

    def run(self, names: Sequence[str], feeds: Mapping[str, Array], options: ort.RunOptions | None = None) -> list[Any]:
        """Run on arrays and return the outputs asked for; the hidden states are not looked at."""
        outputs: list[Any] = self._session.run(list(names), dict(feeds), options)
        return outputs

    def get_provider_options(self) -> dict[str, dict[str, str]]:
        """Return what the session was opened with."""
        options: dict[str, dict[str, str]] = self._session.get_provider_options()
        return options


def unseen_layers(bundle: Bundle, open_graph: SeeingOpener) -> str | None:
    """Return in words why the layers of a bundle, opened so, cannot be looked at; None if they can."""
    if find_spec("onnx_ir") is None:
        return "onnx-ir is not installed"
    if open_graph is open_seeing and on_device(bundle.manifest):
        return f"those of a bundle for {bundle.manifest.target} can be with --emulate only"
    if not layer_names(bundle):
        return "the backbone's graph does not name them"
    return None


def layer_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the hidden states that the backbone's graph names, in the order of the layers."""
    import onnx_ir as ir

    graph = ir.load(bundle.path(bundle.manifest.graphs["backbone"].file)).graph
    named = {str(output.name) for node in graph for output in node.outputs if output.name}
    return tuple(sorted((name for name in named if _number(name) is not None), key=lambda name: _number(name) or 0))


def open_seeing(bundle: Bundle, role: GraphRole, states: LayerStates | None = None, /) -> Runner:
    """Open a graph as the runtime does, or, to fill `states`, the backbone of a bundle for CPUs."""
    if states is None:
        return open_runner(bundle, role)
    import onnx_ir as ir

    path = bundle.path(bundle.manifest.graphs[role].file)
    model = ir.load(path)
    show_layers(model, states)
    content = ir.to_proto(model).SerializeToString()
    session = open_rewritten(content, path, graph_bytes(bundle.manifest, role), EXACT_INT8)
    return cast(Runner, LayeredSession(session, states))


def show_layers(model: "ir.Model", states: LayerStates) -> None:
    """Make hidden states further outputs of a backbone, as `LayeredSession` binds them."""
    import onnx_ir as ir

    values = {output.name: output for node in model.graph for output in node.outputs}
    for name in states.names:
        copy = ir.node("Cast", [values[name]], attributes={"to": ir.DataType.FLOAT})
        model.graph.append(copy)
        copy.outputs[0].name, copy.outputs[0].type = _SEEN + name, ir.TensorType(ir.DataType.FLOAT)
        model.graph.outputs.append(copy.outputs[0])


def _number(name: str) -> int | None:
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits != name and digits.isdecimal() else None
