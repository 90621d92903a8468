"""A backbone that also outputs the hidden states behind its layers, run as the runtime runs any session.

The graph is the bundle's own, in memory, with the hidden states between its layers as further outputs; its weights stay
in the bundle's files, and nothing is written. Needs onnx-ir. Knows no prompts and no codes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Final

import onnxruntime as ort

from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.backends import on_device
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.graphs.onnx_sessions import EXACT_INT8, open_rewritten
from edgevlo.runtime.graphs.protocols import Session
from edgevlo.runtime.manifest.schema import graph_bytes
from edgevlo.runtime.memory.predict import weights_bytes
from edgevlo.runtime.memory.refuse import check_available

if TYPE_CHECKING:
    import onnx_ir as ir

_PREFIX: Final = "layer_output."  # what the exporter calls the hidden state behind a layer
_COPY: Final = "copy."


@dataclass(slots=True)
class LayerStates:
    """The hidden states behind layers, float32 (rows, width, hidden_size): by name, as the last run left them."""

    names: tuple[str, ...]
    last: dict[str, Floats] = field(default_factory=dict)


class LayeredSession:
    """Stands in for a backbone's session and leaves its hidden states in `states`."""

    def __init__(self, session: Session, states: LayerStates) -> None:
        self._session, self._states = session, states

    def get_inputs(self) -> Sequence[ort.NodeArg]:
        """Return the session's inputs."""
        return self._session.get_inputs()

    def get_provider_options(self) -> Mapping[str, Mapping[str, str]]:
        """Return the session's own options."""
        return self._session.get_provider_options()

    def io_binding(self) -> ort.IOBinding:
        """Return a binding whose first outputs are the hidden states."""
        binding = self._session.io_binding()
        for name in self._states.names:
            binding.bind_output(_COPY + name, "cpu")
        return binding

    def run_with_iobinding(self, binding: ort.IOBinding, options: ort.RunOptions | None = None, /) -> None:
        """Run, and keep the hidden states."""
        self._session.run_with_iobinding(binding, options)
        names = self._states.names
        found = binding.get_outputs()[: len(names)]
        self._states.last = {name: value.numpy() for name, value in zip(names, found, strict=True)}

    def run(
        self, outputs: Sequence[str], feeds: Mapping[str, Array], options: ort.RunOptions | None = None, /
    ) -> Sequence[Any]:
        """Run on arrays and return these outputs; the hidden states are not kept."""
        return self._session.run(outputs, feeds, options)


def why_no_layers(bundle: Bundle) -> str | None:
    """Return in words why the layers of a bundle cannot be compared; None if they can."""
    if find_spec("onnx_ir") is None:
        return "onnx-ir is not installed"
    if on_device(bundle.manifest):
        return f"those of a bundle for {bundle.manifest.target} are visible only where it is emulated"
    if not layer_names(bundle):
        return "the backbone's graph does not name its layers"
    return None


def layer_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the hidden states that the backbone's graph names, in the order of the layers."""
    import onnx_ir as ir

    graph = ir.load(bundle.path(bundle.manifest.graphs["backbone"].file)).graph
    named = {str(output.name) for node in graph for output in node.outputs if output.name}
    return tuple(sorted((name for name in named if _number(name) is not None), key=lambda name: _number(name) or 0))


def open_layered(bundle: Bundle, states: LayerStates) -> LayeredSession:
    """Open a backbone on the CPU so that every run leaves its hidden states in `states`.

    Raises `BundleError` if it cannot be opened, `MemoryShortError` if its weights do not fit.
    """
    import onnx_ir as ir

    check_available(bundle, weights_bytes(bundle.folder, bundle.manifest, ("backbone",)), "for its backbone")

    path = bundle.path(bundle.manifest.graphs["backbone"].file)
    model = ir.load(path)
    _add_outputs(model, states)
    exact = (EXACT_INT8,) if bundle.manifest.target == "cpu" else ()  # as the runtime opens it
    content = ir.to_proto(model).SerializeToString()
    session = open_rewritten(content, path, graph_bytes(bundle.manifest, "backbone"), *exact)
    return LayeredSession(session, states)


def _add_outputs(model: "ir.Model", states: LayerStates) -> None:
    """Make hidden states further outputs of a backbone, as `LayeredSession` binds them."""
    import onnx_ir as ir

    values = {output.name: output for node in model.graph for output in node.outputs}
    for name in states.names:
        copy = ir.node("Cast", [values[name]], attributes={"to": ir.DataType.FLOAT})
        model.graph.append(copy)
        copy.outputs[0].name, copy.outputs[0].type = _COPY + name, ir.TensorType(ir.DataType.FLOAT)
        model.graph.outputs.append(copy.outputs[0])


def _number(name: str) -> int | None:
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits != name and digits.isdecimal() else None
