"""Portable bundle -> target bundle: rewrite and quantise the graphs that the target's recipe names, copy the rest."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias, cast

import msgspec
import onnx_ir as ir

from edgevlo.runtime.bundle import open_bundle, seal, staged_folder
from edgevlo.runtime.errors import BundleError, EdgevloError, OutputError, RequestError
from edgevlo.runtime.manifest import MANIFEST_FILE, Manifest, Quality, Target
from edgevlo.runtime.manifest_graphs import Graph, GraphRole

from .calibrated import Calibrated, Static, StaticPass
from .gpu_targets import (
    GPU_TARGETS,
    check_capacity,
    gpu_backbone,
    gpu_graph,
    gpu_passes,
    half_of,
    usual_capacity,
)
from .group_query_attention import GroupQueryAttentionPass
from .half_storage import HalfStoragePass
from .operators import refuse
from .recipes import Blocks, Recipe, recipe_of
from .tables import half_tables
from .tensorrt_half import Half
from .weight_only import MatMulNBitsPass

# Told what is being done, how much of it is done, and how much there is.
Progress: TypeAlias = Callable[[str, int, int], None]

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
    capacity: int | None = None,
    static: Static | None = None,
    calibration: Path | None = None,
    gate: Gate | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write `output`, the bundle for one kind of device, from a portable bundle; return its manifest.

    `capacity` is how many tokens the KV cache of a GPU bundle holds; None: enough for the model's largest pictures.
    `static` says what is quantised by the ranges of `calibration`, the folder that `calibrate` wrote for this bundle.
    What `gate` raises leaves nothing behind; what it returns stands in the manifest.

    Raises `RequestError` for a target or precision that does not exist, `BundleError` when the bundle is not portable
    or not what its manifest says, `CalibrationError` for a calibration of another bundle, `OutputError` when the output
    exists or cannot be written.
    """
    tell = progress or (lambda _what, _done, _all: None)
    _check(output, target, weights)
    tell("verifying the bundle", 0, 1)
    opened = open_bundle(bundle)
    manifest = opened.manifest
    if manifest.target != "portable":
        raise BundleError(f"{bundle} is made for {manifest.target!r} already; quantize the portable bundle instead.")
    gpu = None
    if target in GPU_TARGETS:
        gpu = _Gpu(target, half_of(weights), usual_capacity(manifest) if capacity is None else capacity)
        check_capacity(manifest, gpu.capacity)
    calibrated = None if static is None else Calibrated(static, calibration, opened, target)
    how = _How(recipe_of(target, weights), calibrated, gpu)
    with staged_folder(output) as folder:
        graphs = {role: _rewritten(bundle, folder, role, graph, how, tell) for role, graph in manifest.graphs.items()}
        written = {f"{graph.file}{suffix}" for graph in manifest.graphs.values() for suffix in ("", ".data")}
        if "tables" in how.recipe:
            manifest = half_tables(bundle, folder, manifest)
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
    half: Half
    capacity: int


@dataclass(frozen=True, slots=True)
class _How:
    """What becomes of weights, of activations if they are quantised too, and of what a GPU asks for."""

    recipe: Recipe
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


def _check(output: Path, target: str, weights: str) -> None:
    if target not in TARGETS:
        raise RequestError(f"there is no target {target!r} here; choose one of {', '.join(TARGETS)}.")
    recipe_of(target, weights)
    if output.exists():
        raise OutputError(f"{output} exists already; bundles are never overwritten. Choose another name or remove it.")


def _rewritten(bundle: Path, folder: Path, role: GraphRole, graph: Graph, how: _How, tell: Progress) -> Graph:
    """Write one graph of the target bundle and return what its manifest says about it."""
    passes: list[ir.passes.PassBase] = []
    gpu, calibrated, weights = how.gpu, how.calibrated, how.recipe.get(role)
    if calibrated is not None and (role == "backbone" or role in calibrated.roles):
        passes.append(StaticPass(calibrated, role))
        graph = calibrated.graph(role, graph)
    elif role == "backbone" and gpu is None:
        passes.append(GroupQueryAttentionPass())
    if isinstance(weights, Blocks):
        passes.append(MatMulNBitsPass(bits=weights.bits, block_size=weights.block_size))  # what the other left float
        if graph.activations is None:
            graph = msgspec.structs.replace(graph, precision=weights.precision)
    elif weights is not None:
        passes.append(HalfStoragePass(lossless=weights.lossless))
        graph = graph if weights.lossless else msgspec.structs.replace(graph, precision=weights.precision)
    if gpu is not None:
        passes += gpu_passes(gpu.target, role, half=gpu.half, capacity=gpu.capacity)
        graph = gpu_graph(role, graph, half=gpu.half, capacity=gpu.capacity)
    if passes:
        graph = msgspec.structs.replace(graph, parity=None)  # it was measured on the graph before
    model = ir.load(bundle / graph.file)
    for rewrite in passes:
        rewrite(model)
        if isinstance(rewrite, StaticPass):
            graph = msgspec.structs.replace(graph, kept=tuple(sorted(rewrite.kept)))
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


def _reason(error: BaseException) -> BaseException:
    """Return what a tensor that was being written said, which onnx-ir wraps once for every level of the graph."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, EdgevloError):
        inner = inner.__cause__
    return error if inner is None else inner
