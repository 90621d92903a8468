"""ONNX Runtime sessions of a bundle's graphs, checked against the manifest. Knows no shapes of its own."""

import contextlib
import functools
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import onnxruntime as ort

from ..bundle import Bundle
from ..errors import AbilityError, BundleError, first_line, remedy
from ..manifest.graphs import DType, Graph, GraphRole, Tensor
from ..manifest.interfaces import contract, difference
from ..manifest.schema import MANIFEST_FILE, graph_bytes
from .large_blocks import give_back_large_blocks
from .protocols import Session
from .threads import threads_for

_OLDEST: Final = (1, 32)  # the first ONNX Runtime whose GroupQueryAttention takes rows of different length
_CPU: Final = "CPUExecutionProvider"
_CUDA: Final = "CUDAExecutionProvider"
EXACT_INT8: Final = ("session.x64quantprecision", "1")  # `open_graph` says why and when
_OF_PIXELS: Final = ("image_decoder", "image_tokenizer", "vision_encoder")
_SIDES: Final = ("inputs", "outputs")
_DTYPES: Final[dict[str, DType]] = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(bfloat16)": "bfloat16",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
    "tensor(int8)": "int8",
}


def open_graph(
    bundle: Bundle,
    role: GraphRole,
    *,
    prepack: bool = True,
    threads: int = 0,
    add_provider: Callable[[ort.SessionOptions], None] | None = None,
) -> Session:
    """Open one graph on the bundle's target, with as many threads as `most_threads` makes of `threads`.

    `add_provider` adds a provider that is a plugin of ONNX Runtime, for targets that run on one.

    Without `prepack` the weights are mapped and not rearranged: slower to run, but opening takes no memory for them.
    Raises `BundleError` when the graph cannot be loaded, when its interface is not the manifest's, or when the device
    that the bundle was made for is missing: a bundle never runs elsewhere silently.
    """
    graph = declared(bundle, role)
    path = bundle.path(graph.file)
    options = _options(threads_for(graph_bytes(bundle.manifest, role), threads), spins=role == "backbone")
    if bundle.manifest.target == "cpu":
        # x86 CPUs without VNNI add two products of bytes in 16 bits, which overflow; this keeps int8 exact there.
        # It breaks DequantizeLinear of weights in blocks, which bundles for other targets have.
        options.add_session_config_entry(*EXACT_INT8)
    if role in _OF_PIXELS:
        # An arena would keep for ever what one picture takes for a moment, half a gigabyte at 384x384, and more of it,
        # since blocks of different sizes do not take one another's places.
        options.enable_cpu_mem_arena = False
        give_back_large_blocks()
    if not prepack:
        options.add_session_config_entry("session.disable_prepacking", "1")
    providers = _providers(bundle, role) if add_provider is None else []
    if add_provider is not None:
        add_provider(options)
    try:
        session = ort.InferenceSession(path, options, providers=providers)
    except Exception as error:  # onnxruntime's own exceptions share no base class below Exception
        raise BundleError(
            f"{path} cannot be opened: {first_line(error)}. {remedy(error, _other_bundle(bundle))}"
        ) from error
    wanted = {one if isinstance(one, str) else one[0] for one in providers}
    if missing := sorted(wanted - set(session.get_providers())):
        raise BundleError(
            f"{path} is made for target {bundle.manifest.target!r}, but onnxruntime could not start "
            f"{', '.join(missing)} and would run it on the CPU. Are the CUDA libraries and a driver installed?"
        )
    given = (graph.inputs, graph.outputs)
    for kind, ours, found in zip(_SIDES, given, (session.get_inputs(), session.get_outputs()), strict=True):
        _compare(f"{path}: {kind}", ours, tuple(map(_described, found)))
    opened: Session = session
    return opened


def _other_bundle(bundle: Bundle) -> str:
    """Return what helps where a graph cannot be opened: an ONNX Runtime that is new enough, or another bundle."""
    found = tuple(map(int, re.findall(r"\d+", ort.__version__)[:2]))
    if bundle.manifest.target == "cpu" and found < _OLDEST:
        oldest = ".".join(map(str, _OLDEST))
        return (
            f"ONNX Runtime {ort.__version__} is too old for bundles of target 'cpu': use an environment with "
            f"'onnxruntime>={oldest}' and without onnxruntime-gpu"
        )
    if bundle.manifest.target in ("cuda", "rtx"):
        return "Install a driver and CUDA libraries that fit ONNX Runtime, or quantize the portable bundle for 'cpu'"
    return "Export or download the bundle again"


def open_rewritten(
    content: bytes, path: Path, weights: int, *entries: tuple[str, str], advice: str = "Export the bundle again"
) -> Session:
    """Open on the CPU what was made in memory of the graph at `path`, beside whose file its weights stay.

    `weights` is how many bytes of them it computes with, `entries` are ONNX Runtime's session options. Raises
    `BundleError` when the graph cannot be loaded.
    """
    options = _options(threads_for(weights))
    for name, value in (("session.model_external_initializers_file_folder_path", str(path.parent)), *entries):
        options.add_session_config_entry(name, value)
    try:
        session: Session = ort.InferenceSession(content, options, providers=[_CPU])
    except Exception as error:  # onnxruntime's own exceptions share no base class below Exception
        raise BundleError(f"{path} cannot be opened on a CPU: {first_line(error)}. {remedy(error, advice)}") from error
    return session


def _options(threads: int, *, spins: bool = False) -> ort.SessionOptions:
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    if not spins:
        # Each session has a pool, whose workers wait busily for tens of milliseconds after every run. Those of the
        # image head would take a core from the backbone through the whole of the step that follows.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = 3
    options.enable_mem_pattern = False  # prompts differ in length; a pattern per length would grow for ever
    return options


def declared(bundle: Bundle, role: GraphRole) -> Graph:
    """Return the manifest's entry of a graph; raise unless it has the interface of docs/bundle.md."""
    graph = bundle.manifest.graphs.get(role)
    if graph is None:
        raise AbilityError(f"{bundle.manifest.name} has no {role}, which this needs; use a bundle that has one.")
    for kind, ours, theirs in zip(_SIDES, contract(bundle.manifest, role), (graph.inputs, graph.outputs), strict=True):
        _compare(f"{bundle.folder / MANIFEST_FILE}: graphs.{role}.{kind}", ours, theirs)
    return graph


def _providers(bundle: Bundle, role: GraphRole) -> list[str | tuple[str, dict[str, str]]]:
    """Return the providers of a session; raise `BundleError` when this installation lacks that of the target."""
    target, has = bundle.manifest.target, ort.get_available_providers()
    if target in ("portable", "cpu"):
        return [_CPU]
    if target == "cuda" and _CUDA in has:
        _load_cuda_libraries()
        # TF32 would round what is float32 on purpose; the prompt and its many shapes are not captured, steps are.
        captures = "1" if role in ("backbone", "image_head") else "0"
        return [(_CUDA, {"enable_cuda_graph": captures, "use_tf32": "0"}), _CPU]
    raise BundleError(
        f"{bundle.folder} is made for target {target!r}, which this installation of onnxruntime cannot run (it has "
        f"{', '.join(has)}). Quantize the portable bundle for 'cpu'."
    )


@functools.cache
def _load_cuda_libraries() -> None:
    """Load the CUDA libraries of NVIDIA's wheels, where they are installed; elsewhere the system's are found."""
    with contextlib.redirect_stdout(sys.stderr):  # it prints what it misses, which the system may have
        ort.preload_dlls()


def _compare(where: str, expected: tuple[Tensor, ...], found: tuple[Tensor, ...]) -> None:
    """Raise `BundleError` unless names, types and fixed sizes are the expected ones."""
    if reason := difference(expected, found):
        raise BundleError(f"{where} are not what the runtime expects: {reason}. Export the bundle again.")


def _described(argument: ort.NodeArg) -> Tensor:
    shape = tuple(size if isinstance(size, int) else str(size) for size in argument.shape)
    return Tensor(name=argument.name, dtype=_DTYPES.get(argument.type, argument.type), shape=shape)
