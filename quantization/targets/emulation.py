"""A GPU bundle's graphs computed on the CPU, to see what they do to a picture where there is no such GPU.

Types, roundings and quantisation are those that the graphs state. In what order a device's kernels add up, and how fast
they are, is not seen.
"""

from typing import Final, cast

import numpy as np
import onnx_ir as ir
import onnxruntime as ort

from edgevlo.calibration.evaluation.layers import LayeredSession, LayerStates, open_seeing, show_layers
from edgevlo.runtime.backends import on_device
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.gpu.ort import OrtGraph
from edgevlo.runtime.graphs.protocols import Runner
from edgevlo.runtime.graphs.sessions import declared, open_rewritten
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.memory.predict import check_bytes

from ..passes._load import load_model
from .rounded_float import RoundedFloatPass

_REMEDY: Final = "Use another machine, or leave the quality unmeasured: edgevlo quantize --quality-requests 0"


def open_emulated(bundle: Bundle, role: GraphRole, states: LayerStates | None = None, /) -> Runner:
    """Open a graph, on the CPU whatever it was made for; it does for `open_runner` and for `open_seeing`.

    Raises `BundleError` if it cannot be opened and `MemoryShortError` when its weights do not fit in float32.
    """
    if not on_device(bundle.manifest):
        return open_seeing(bundle, role, states)
    path = bundle.path(declared(bundle, role).file)
    model = load_model(path)
    weights = 4 * sum(int(np.prod(tensor.shape.numpy())) for tensor in _constants(model.graph))
    who = f"computing the {role} of {bundle.manifest.name} on a CPU takes"
    check_bytes(weights, who, "in float32", _REMEDY)
    RoundedFloatPass()(model)
    if states is not None:
        show_layers(model, states)
    no_integer_kernels = ("session.disable_quant_qdq", "1")  # of which some saturate
    content = ir.to_proto(model).SerializeToString()
    session = open_rewritten(content, path, weights, no_integer_kernels, remedy=_REMEDY)
    return OrtGraph(session if states is None else cast(ort.InferenceSession, LayeredSession(session, states)), "cpu")


def _constants(graph: ir.Graph) -> list[ir.TensorProtocol]:
    return [value.const_value for value in graph.initializers.values() if value.const_value is not None]
