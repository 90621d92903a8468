"""A backbone that also says what stands behind each of its layers, run as the runtime runs any session.

The graph is the bundle's own, in memory, with the hidden states between its layers as further outputs; its weights stay
in the bundle's files, and nothing is written. Needs onnx-ir. Knows no prompts and no codes.
"""

from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import onnxruntime as ort

from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.manifest import Target, graph_bytes
from edgevlo.runtime.sessions import EXACT_INT8, open_rewritten

Array = npt.NDArray[Any]
Floats = npt.NDArray[np.float32]

_PREFIX: Final = "layer_output."  # what the exporter calls the hidden state behind a layer
_SEEN: Final = "seen."
_ON_CPU: Final[tuple[Target, ...]] = ("portable", "cpu")


class LayeredSession:
    """Stands in for a backbone's session; `states` are the hidden states (rows, width, hidden_size) of the last run."""

    def __init__(self, session: ort.InferenceSession, names: Sequence[str]) -> None:
        self._session = session
        self._names = tuple(names)
        self.states: dict[str, Floats] = {}

    def io_binding(self) -> ort.IOBinding:
        """Return a binding whose first outputs are the hidden states."""
        binding = self._session.io_binding()
        for name in self._names:
            binding.bind_output(_SEEN + name, "cpu")
        return binding

    def run_with_iobinding(self, binding: ort.IOBinding) -> None:
        """Run, and keep what the hidden states are."""
        self._session.run_with_iobinding(binding)
        found = binding.get_outputs()[: len(self._names)]
        self.states = {name: value.numpy() for name, value in zip(self._names, found, strict=True)}

    def run(self, names: Sequence[str], feeds: Mapping[str, Array]) -> list[Array]:
        """Run on arrays and return the outputs asked for."""
        outputs: list[Array] = self._session.run(list(names), dict(feeds))
        return outputs


def unseen_layers(bundle: Bundle) -> str | None:
    """Return in words why the layers of a bundle cannot be looked at; None if they can."""
    if find_spec("onnx_ir") is None:
        return "onnx-ir is not installed"
    if bundle.manifest.target not in _ON_CPU:
        return f"those of a bundle for {bundle.manifest.target} cannot be"
    if not layer_names(bundle):
        return "the backbone's graph does not name them"
    return None


def layer_names(bundle: Bundle) -> tuple[str, ...]:
    """Return the hidden states that the backbone's graph names, in the order of the layers."""
    import onnx_ir as ir

    graph = ir.load(bundle.path(bundle.manifest.graphs["backbone"].file)).graph
    named = {str(output.name) for node in graph for output in node.outputs if output.name}
    return tuple(sorted((name for name in named if _number(name) is not None), key=lambda name: _number(name) or 0))


def open_layered(bundle: Bundle, names: Sequence[str]) -> LayeredSession:
    """Open a backbone with these hidden states as further outputs; raise `BundleError` if it cannot be opened."""
    import onnx_ir as ir

    path = bundle.path(bundle.manifest.graphs["backbone"].file)
    model = ir.load(path)
    values = {output.name: output for node in model.graph for output in node.outputs}
    for name in names:
        copy = ir.node("Cast", [values[name]], attributes={"to": ir.DataType.FLOAT})
        model.graph.append(copy)
        copy.outputs[0].name, copy.outputs[0].type = _SEEN + name, ir.TensorType(ir.DataType.FLOAT)
        model.graph.outputs.append(copy.outputs[0])
    content, weights = ir.to_proto(model).SerializeToString(), graph_bytes(bundle.manifest, "backbone")
    return LayeredSession(open_rewritten(content, path, weights, EXACT_INT8), names)


def _number(name: str) -> int | None:
    digits = name.removeprefix(_PREFIX)
    return int(digits) if digits != name and digits.isdecimal() else None
