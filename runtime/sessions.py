"""ONNX Runtime sessions of a bundle's graphs, checked against the manifest. Knows no shapes of its own."""

from typing import Final

import onnxruntime as ort

from .bundle import Bundle
from .errors import BundleError
from .manifest import GraphRole, Target, Tensor

PROVIDERS: Final[dict[Target, str]] = {
    "portable": "CPUExecutionProvider",
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}
_DTYPES: Final = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(bfloat16)": "bfloat16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
}


def open_graph(bundle: Bundle, role: GraphRole, *, threads: int = 0) -> ort.InferenceSession:
    """Open one graph on the bundle's target; `threads` 0 uses every core.

    Raises `BundleError` when the graph cannot be loaded, when its interface is not the manifest's, or when the device
    that the bundle was made for is not there: a bundle never runs elsewhere silently.
    """
    graph = bundle.manifest.graphs[role]
    path = bundle.path(graph.file)
    provider = PROVIDERS.get(bundle.manifest.target)
    if provider is None or provider not in ort.get_available_providers():
        raise BundleError(
            f"{bundle.folder} is made for target {bundle.manifest.target!r}, which this installation of onnxruntime "
            f"cannot run (it has {', '.join(ort.get_available_providers())}). Quantize the portable bundle for 'cpu'."
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # prompts differ in length; a pattern per length would grow for ever
    try:
        session = ort.InferenceSession(path, options, providers=[provider])
    except Exception as error:  # onnxruntime's own exceptions share no base class below Exception
        raise BundleError(f"{path} cannot be opened: {_first_line(error)}. Export the bundle again.") from error
    for kind, declared, found in (
        ("inputs", graph.inputs, session.get_inputs()),
        ("outputs", graph.outputs, session.get_outputs()),
    ):
        _compare(f"{path}: {kind}", declared, found)
    return session


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]


def _compare(where: str, declared: tuple[Tensor, ...], found: list[ort.NodeArg]) -> None:
    """Raise `BundleError` unless names, types and fixed dimensions are those of the manifest."""
    by_name = {argument.name: argument for argument in found}
    if by_name.keys() != {tensor.name for tensor in declared}:
        differing = sorted(by_name.keys() ^ {tensor.name for tensor in declared})
        raise BundleError(f"{where} differ from the manifest in {', '.join(differing[:4])}. Export the bundle again.")
    for tensor in declared:
        argument = by_name[tensor.name]
        dtype = _DTYPES.get(argument.type, argument.type)
        shape = tuple(argument.shape)
        fits = len(shape) == len(tensor.shape) and all(
            not isinstance(ours, int) or not isinstance(theirs, int) or ours == theirs
            for ours, theirs in zip(tensor.shape, shape, strict=True)
        )
        if dtype != tensor.dtype or not fits:
            raise BundleError(
                f"{where}: {tensor.name} is {dtype}{list(shape)}, the manifest says {tensor.dtype}"
                f"{list(tensor.shape)}. Export the bundle again."
            )
