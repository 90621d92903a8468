"""A GPU bundle's graphs computed on the CPU, to see what they do to a picture where there is no such GPU.

Types, roundings and quantisation are those that the graphs state. In what order a device's kernels add up, and how fast
they are, is not seen.
"""

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.backends import Runner, on_device, open_runner
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.manifest_graphs import GraphRole
from edgevlo.runtime.memory import check_bytes
from edgevlo.runtime.ort_device import OrtGraph
from edgevlo.runtime.sessions import declared, open_rewritten

from .rounded_float import RoundedFloatPass


def open_emulated(bundle: Bundle, role: GraphRole) -> Runner:
    """Open a graph, on the CPU whatever it was made for; it does for a runtime's `open_runner`.

    Raises `BundleError` if it cannot be opened and `MemoryShortError` when its weights do not fit in float32.
    """
    if not on_device(bundle.manifest):
        return open_runner(bundle, role)
    path = bundle.path(declared(bundle, role).file)
    model = ir.load(path)
    weights = 4 * sum(int(np.prod(tensor.shape.numpy())) for tensor in _constants(model.graph))
    remedy = "Use a larger machine, or leave the quality unmeasured (edgevlo quantize --quality-requests 0)"
    check_bytes(weights, f"computing the {role} of {bundle.manifest.name} on a CPU takes", "in float32", remedy)
    RoundedFloatPass()(model)
    content = ir.to_proto(model).SerializeToString()
    session = open_rewritten(
        content, path, weights, ("session.disable_quant_qdq", "1")
    )  # integer kernels, some saturate
    return OrtGraph(session, "cpu")


def _constants(graph: ir.Graph) -> list[ir.TensorProtocol]:
    return [value.const_value for value in graph.initializers.values() if value.const_value is not None]
