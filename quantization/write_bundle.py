"""Portable bundle -> target bundle: rewrite and quantise the graphs that the target's recipe names, copy the rest."""

import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final, TypeAlias, cast

import msgspec
import numpy as np
import onnx_ir as ir

from edgevlo.calibration.evaluation.limits import COARSEST_LAST
from edgevlo.runtime.arrays import Floats, Progress
from edgevlo.runtime.bundle import open_bundle, seal, staged_folder
from edgevlo.runtime.errors import BundleError, EdgevloError, OutputError, RequestError
from edgevlo.runtime.manifest.graphs import Graph, GraphRole, Precision
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, Manifest, Quality, Target, read_manifest

from .embedding_tables import write_tables
from .modules import check, check_tables, chosen, named_products
from .passes._load import load_model
from .passes.awq import ActivationAwarePass
from .passes.group_query_attention import GroupQueryAttentionPass
from .passes.half_precision import Half as HalfType
from .passes.half_storage import HalfStoragePass
from .passes.matmul_nbits import MatMulNBitsPass, Moments, products
from .passes.qdq import Float8WeightsPass
from .recipes import (
    BLOCK_SIZES,
    BY_READING,
    METHODS,
    SYMMETRIC,
    Blocks,
    Choice,
    Float8,
    Float32,
    Half,
    Override,
    changes_numbers,
    override,
    recipe_of,
)
from .static import Calibrated, Static, StaticPass
from .targets.gpu import GPU_TARGETS, check_capacity, gpu_backbone, gpu_graph, gpu_passes, half_of, usual_capacity
from .targets.operators import refuse

# Told what is being done, how much of it is done, and how much there is.

# Given the folder of the bundle that was made, it returns what is known of its quality, or raises if it must not be.
Gate: TypeAlias = Callable[[Path], Quality]

TARGETS: Final = ("cpu", *GPU_TARGETS)

_PAGE: Final = 4096  # weights start on pages, so that runtimes can map them


def quantize(
    bundle: Path,
    output: Path,
    *,
    target: str = "cpu",
    weights: str = "int8",
    method: str | None = None,
    block_size: int | None = None,
    overrides: Collection[str | Override] = (),
    moments: Moments | None = None,
    capacity: int | None = None,
    static: Static | None = None,
    calibration: Path | None = None,
    gate: Gate | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write `output`, the bundle for one kind of device, from a portable bundle; return its manifest.

    `weights` names a recipe of `recipes.py`, `method` and `block_size` change how it rounds to blocks, and `overrides`,
    as `*.down_proj=int8`, what becomes of single modules or layers. `moments` are what `gptq` and `awq` go by.
    `capacity` is how many tokens the KV cache of a GPU bundle holds; None: enough for the model's largest pictures.
    `static` says what is quantised by the ranges of `calibration`, the folder that `calibrate` wrote for this bundle.
    What `gate` raises leaves nothing behind; what it returns stands in the manifest.

    Raises `RequestError` for a target, precision, method or module that does not exist, `BundleError` when the bundle
    is not portable or not what its manifest says, `CalibrationError` for a calibration of another bundle, `OutputError`
    when the output exists or cannot be written.
    """
    tell = progress or (lambda _what, _done, _all: None)
    choice = choice_of(target, weights, method, block_size, overrides)
    check_request(bundle, output, target, choice, capacity=capacity, static=static)
    tell("verifying the bundle", 0, 1)
    opened = open_bundle(bundle)
    manifest = opened.manifest
    gpu = None
    if target in GPU_TARGETS:
        gpu = _Gpu(target, half_of(weights), usual_capacity(manifest) if capacity is None else capacity)
        if gpu.half == "bf16" and static is not None and static.cache is not None:
            raise RequestError(
                f"a KV cache in {static.cache} is rounded from float16 on {target}, and bf16 has too few digits for "
                "that; choose --weights fp16, int8 or int4."
            )
    calibrated = None if static is None else Calibrated(static, calibration, opened, target)
    how = _How(choice, moments, calibrated, gpu)
    with staged_folder(output) as folder:
        graphs = {role: _rewritten(bundle, folder, role, graph, how, tell) for role, graph in manifest.graphs.items()}
        written = {f"{graph.file}{suffix}" for graph in manifest.graphs.values() for suffix in ("", ".data")}
        if (tables := choice.of("tables")) is not None:
            manifest = write_tables(bundle, folder, manifest, tables)
        for name in manifest.files.keys() - written - {MANIFEST_FILE}:
            if not (folder / name).exists():
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(bundle / name, folder / name)
        if calibrated is not None:
            manifest = msgspec.structs.replace(manifest, backbone=calibrated.backbone(manifest.backbone))
        if gpu is not None:
            manifest = gpu_backbone(manifest, gpu.half)
        made = msgspec.structs.replace(manifest, target=cast(Target, target), graphs=graphs, quality=None)
        return sealed(folder, made, gate)


@dataclass(frozen=True, slots=True)
class _Gpu:
    """A GPU target, what it computes in, and how many tokens its KV cache holds."""

    target: str
    half: HalfType
    capacity: int


@dataclass(frozen=True, slots=True)
class _How:
    """What becomes of weights, of activations if they are quantised too, and of what a GPU asks for."""

    choice: Choice
    moments: Moments | None
    calibrated: Calibrated | None
    gpu: _Gpu | None


def sealed(folder: Path, manifest: Manifest, gate: Gate | None) -> Manifest:
    """Write the manifest of a finished folder, with what the gate says of it; return it as written."""
    written = seal(folder, manifest)
    if gate is None:
        return written
    quality = gate(folder)
    (folder / MANIFEST_FILE).unlink()  # it does not list itself
    return seal(folder, msgspec.structs.replace(manifest, quality=quality))


def check_request(
    bundle: Path,
    output: Path,
    target: str,
    choice: Choice,
    *,
    capacity: int | None = None,
    static: Static | None = None,
) -> dict[GraphRole, tuple[str, ...]]:
    """Return the products of a bundle; raise what `quantize` would for a request that cannot be carried out."""
    if output.exists():
        raise OutputError(f"{output} exists already; bundles are never overwritten. Choose another name or remove it.")
    if not output.absolute().parent.is_dir():
        raise OutputError(
            f"{output} cannot be created (there is no folder {output.parent}). Choose a folder that exists."
        )
    manifest = read_manifest(bundle)
    if manifest.target != "portable":
        raise BundleError(f"{bundle} is made for {manifest.target!r} already; quantize the portable bundle instead.")
    if capacity is not None and target not in GPU_TARGETS:
        raise RequestError(f"only KV caches of GPU bundles have a fixed capacity; leave it out for target {target!r}.")
    if capacity is not None:
        check_capacity(manifest, capacity)
    if static is not None and static.activations is not None:
        if not all(isinstance(one.weights, Float32) for one in choice.overrides):
            raise RequestError("what single modules become and quantised activations exclude each other; use --keep.")
        if by_reading := {weights.method for weights in choice.blocks} & set(BY_READING):
            raise RequestError(
                f"{min(by_reading)} goes by what was read before smoothing; use another method with activations."
            )
    if static is not None and any(weights.method == "awq" for weights in choice.blocks):
        raise RequestError("awq scales what enters the KV cache, whose ranges were seen before; use another method.")
    names = named_products(bundle, manifest)
    check(choice, names, target)
    check_tables(choice)
    return names


def choice_of(
    target: str,
    weights: str,
    method: str | None = None,
    block_size: int | None = None,
    overrides: Collection[str | Override] = (),
) -> Choice:
    """Return what is to become of a bundle's weights; raise `RequestError` for what the target does not hold."""
    if target not in TARGETS:
        raise RequestError(f"there is no target {target!r} here; choose one of {', '.join(TARGETS)}.")
    if method is not None and method not in METHODS:
        raise RequestError(f"there is no method {method!r}; choose one of {', '.join(METHODS)}.")
    if block_size is not None and block_size not in BLOCK_SIZES:
        raise RequestError(f"blocks of {block_size} are not written; choose one of {', '.join(map(str, BLOCK_SIZES))}.")
    if method is not None and method not in SYMMETRIC and target in ("rtx", "tensorrt"):
        raise RequestError(
            f"target {target!r} holds no zero points, which {method} needs; choose one of {', '.join(SYMMETRIC)}."
        )
    if method == "hqq" and find_spec("torch") is None:
        raise RequestError("hqq needs torch, which is not installed: pip install torch, or choose another method.")
    read = tuple(override(one, target) if isinstance(one, str) else one for one in overrides)
    choice = Choice(recipe_of(target, weights), read)
    if not choice.blocks and (method is not None or block_size is not None):
        raise RequestError(f"{weights} quantises nothing in blocks, so neither method nor block size mean anything.")
    return choice.rounded(method, block_size)


def _rewritten(bundle: Path, folder: Path, role: GraphRole, graph: Graph, how: _How, tell: Progress) -> Graph:
    """Write one graph of the target bundle and return what its manifest says about it."""
    model = load_model(bundle / graph.file)
    passes: list[ir.passes.PassBase] = []
    gpu, calibrated = how.gpu, how.calibrated
    names = [str(node.name) for node in products(model.graph)]
    if scaled := activation_aware(role, names, how.choice, how.moments):
        passes.append(scaled)
    whole = isinstance(how.choice.of(role), Float32)
    if calibrated is not None and not whole and (role == "backbone" or role in calibrated.roles):
        passes.append(StaticPass(calibrated, role))
        graph = calibrated.graph(role, graph)
    elif role == "backbone" and gpu is None:
        passes.append(GroupQueryAttentionPass())
    rounding, precision = weight_passes(role, names, how.choice, how.moments)
    passes += rounding  # of what is left float
    if graph.activations is None and precision is not None:
        graph = msgspec.structs.replace(graph, precision=precision)
    if gpu is not None:
        half = None if whole else gpu.half
        passes += gpu_passes(gpu.target, role, half=half, capacity=gpu.capacity)
        graph = gpu_graph(role, graph, half=half, capacity=gpu.capacity)
    if passes:
        graph = msgspec.structs.replace(graph, parity=None)  # it was measured on the graph before
    for rewrite in passes:
        rewrite(model)
        if isinstance(rewrite, StaticPass):
            graph = msgspec.structs.replace(graph, kept=tuple(sorted(rewrite.kept)))
    if graph.activations is not None and any(_bits(node) == 4 for node in model.graph):
        graph = msgspec.structs.replace(graph, precision="int4")  # what stays out of static quantisation is coarser
    if gpu is not None:
        refuse(model, gpu.target, role)

    def told(_tensor: ir.TensorProtocol, info: ir.external_data.CallbackInfo) -> None:
        tell(role, info.index + 1, info.total)

    data = f"{graph.file}.data"
    try:
        ir.save(model, folder / graph.file, external_data=data, callback=told, alignment=_PAGE, align_threshold=_PAGE)
    except ir.serde.SerdeError as error:
        raise _reason(error) from error
    return graph


def _bits(node: ir.Node) -> int | None:
    return node.attributes["bits"].as_int() if node.op_type == "MatMulNBits" else None


def activation_aware(
    role: GraphRole, names: Collection[str], choice: Choice, moments: Moments | None
) -> ActivationAwarePass | None:
    """Return the pass that scales a graph's weights for `awq`; None where nothing is rounded by that."""
    blocks = {name: weights for name in names if isinstance(weights := choice.of(role, name), Blocks)}
    aware = {name: weights for name, weights in blocks.items() if weights.method == "awq"}
    if not aware:
        return None
    if moments is None or not aware.keys() <= moments.keys():
        raise RequestError("awq needs to know what the products read; give `moments`, or use `quantize_with_care`.")
    return ActivationAwarePass(aware, {name: _squares(moments[name]) for name in aware})


def _squares(moments: Floats) -> Floats:
    return moments if moments.ndim == 1 else np.ascontiguousarray(moments.diagonal())


def weight_passes(
    role: GraphRole, names: Collection[str], choice: Choice, moments: Moments | None = None
) -> tuple[list[ir.passes.PassBase], Precision | None]:
    """Return the passes that make a graph's weights what was chosen, and its coarsest precision if it is another now.

    `names` are those of its products; what else it holds becomes half precision if the module does.
    """
    passes: list[ir.passes.PassBase] = []
    found: list[Precision] = []
    for weights, members in chosen(names, role, choice).items():
        match weights:
            case Blocks():
                passes.append(MatMulNBitsPass(weights, only=members, moments=moments))
            case Float8():
                passes.append(Float8WeightsPass(members))
            case Half():
                passes.append(HalfStoragePass(weights, only=members))
        if changes_numbers(weights):
            found.append(weights.precision)
    whole = choice.of(role)
    if isinstance(whole, Half):
        passes.append(HalfStoragePass(whole, other=names))
        if changes_numbers(whole):
            found.append(whole.precision)
    return passes, max(found, key=COARSEST_LAST.index) if found else None


def _reason(error: BaseException) -> BaseException:
    """Return what a tensor that was being written said, which onnx-ir wraps once for every level of the graph."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, EdgevloError):
        inner = inner.__cause__
    return error if inner is None else inner
