"""ONNX Runtime sessions of a bundle's graphs, checked against the manifest. Knows no shapes of its own."""

from typing import Final

import onnxruntime as ort

from .bundle import Bundle
from .contract import contract, difference
from .errors import AbilityError, BundleError
from .manifest import MANIFEST_FILE, DType, GraphRole, Target, Tensor

PROVIDERS: Final[dict[Target, str]] = {
    "portable": "CPUExecutionProvider",
    "cpu": "CPUExecutionProvider",
    "cuda": "CUDAExecutionProvider",
}
_SIDES: Final = ("inputs", "outputs")
_DTYPES: Final[dict[str, DType]] = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(bfloat16)": "bfloat16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
}


# Below this many bytes of weights one thread is faster than two: a step is so short that handing out its parts costs
# more than it saves (benchmarks/results/painting.json).
_ONE_THREAD_BYTES: Final = 16 * 1024 * 1024


def open_graph(bundle: Bundle, role: GraphRole, *, prepack: bool = True) -> ort.InferenceSession:
    """Open one graph on the bundle's target.

    Without `prepack` the weights are mapped and not rearranged: slower to run, but opening takes no memory for them.
    Raises `BundleError` when the graph cannot be loaded, when its interface is not the manifest's, or when the device
    that the bundle was made for is not there: a bundle never runs elsewhere silently.
    """
    graph = bundle.manifest.graphs.get(role)
    if graph is None:
        raise AbilityError(f"{bundle.manifest.name} has no {role}, which this needs; use a bundle that has one.")
    path = bundle.path(graph.file)
    declared = (graph.inputs, graph.outputs)
    for kind, ours, theirs in zip(_SIDES, contract(bundle.manifest, role), declared, strict=True):
        _compare(f"{bundle.folder / MANIFEST_FILE}: graphs.{role}.{kind}", ours, theirs)
    provider = PROVIDERS.get(bundle.manifest.target)
    if provider is None or provider not in ort.get_available_providers():
        raise BundleError(
            f"{bundle.folder} is made for target {bundle.manifest.target!r}, which this installation of onnxruntime "
            f"cannot run (it has {', '.join(ort.get_available_providers())}). Quantize the portable bundle for 'cpu'."
        )
    options = ort.SessionOptions()
    files = bundle.manifest.files
    weights = sum(listed.bytes for name, listed in files.items() if name.startswith(graph.file))
    options.intra_op_num_threads = 1 if weights < _ONE_THREAD_BYTES else 0  # 0: every core
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # prompts differ in length; a pattern per length would grow for ever
    # x86 CPUs without VNNI add two products of bytes in 16 bits, which overflow; this keeps int8 exact there.
    options.add_session_config_entry("session.x64quantprecision", "1")
    if not prepack:
        options.add_session_config_entry("session.disable_prepacking", "1")
    try:
        session = ort.InferenceSession(path, options, providers=[provider])
    except Exception as error:  # onnxruntime's own exceptions share no base class below Exception
        raise BundleError(f"{path} cannot be opened: {_first_line(error)}. Export the bundle again.") from error
    for kind, ours, found in zip(_SIDES, declared, (session.get_inputs(), session.get_outputs()), strict=True):
        _compare(f"{path}: {kind}", ours, tuple(map(_described, found)))
    return session


def _first_line(error: Exception) -> str:
    return str(error).strip().split("\n", 1)[0][:300]


def _compare(where: str, expected: tuple[Tensor, ...], found: tuple[Tensor, ...]) -> None:
    """Raise `BundleError` unless names, types and fixed sizes are the expected ones."""
    if reason := difference(expected, found):
        raise BundleError(f"{where} are not what the runtime expects: {reason}. Export the bundle again.")


def _described(argument: ort.NodeArg) -> Tensor:
    shape = tuple(size if isinstance(size, int) else str(size) for size in argument.shape)
    return Tensor(name=argument.name, dtype=_DTYPES.get(argument.type, argument.type), shape=shape)
