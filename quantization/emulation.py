"""A GPU bundle's graphs computed on the CPU, to see what they do to a picture where there is no such GPU.

Types, roundings and quantisation are those that the graphs state. In what order a device's kernels add up, and how fast
they are, is not seen.
"""

import numpy as np
import onnx_ir as ir
import onnxruntime as ort

from edgevlo.runtime.backends import Runner, on_device, open_runner
from edgevlo.runtime.bundle import Bundle
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest_graphs import GraphRole
from edgevlo.runtime.memory import check_bytes
from edgevlo.runtime.ort_device import OrtGraph
from edgevlo.runtime.sessions import declared, threads

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
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads(weights)
    options.log_severity_level = 3
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.disable_quant_qdq", "1")  # integer kernels, some saturate
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(path.parent))
    try:
        content = ir.to_proto(model).SerializeToString()
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own exceptions share no base class below Exception
        reason = str(error).strip().split("\n", 1)[0][:300]
        raise BundleError(f"{path} cannot be computed on a CPU: {reason}") from error
    return OrtGraph(session, "cpu")


def _constants(graph: ir.Graph) -> list[ir.TensorProtocol]:
    return [value.const_value for value in graph.initializers.values() if value.const_value is not None]
