"""Portable bundle -> target bundle: rewrite and quantise the graphs that the target's recipe names, copy the rest."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeAlias

import msgspec
import onnx_ir as ir

from edgevlo.runtime.bundle import open_bundle, seal, staged_folder
from edgevlo.runtime.errors import BundleError, OutputError, RequestError
from edgevlo.runtime.manifest import MANIFEST_FILE, Graph, GraphRole, Manifest

from .calibrated import Calibrated, Static, StaticPass
from .group_query_attention import GroupQueryAttentionPass
from .recipes import RECIPES, Recipe
from .weight_only import MatMulNBitsPass

# Told what is being done, how much of it is done, and how much there is.
Progress: TypeAlias = Callable[[str, int, int], None]

TARGETS: Final = ("cpu",)

_PAGE: Final = 4096  # weights start on pages, so that runtimes can map them


def quantize(
    bundle: Path,
    output: Path,
    *,
    target: str = "cpu",
    weights: str = "int8",
    static: Static | None = None,
    calibration: Path | None = None,
    progress: Progress | None = None,
) -> Manifest:
    """Write `output`, the bundle for one kind of device, from a portable bundle; return its manifest.

    `static` says what is quantised by the ranges of `calibration`, the folder that `calibrate` wrote for this bundle.

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
    recipe = RECIPES[weights]
    calibrated = None if static is None else Calibrated(static, calibration, opened, target)
    with staged_folder(output) as folder:
        graphs = {
            role: _rewritten(bundle, folder, role, graph, recipe, calibrated, tell)
            for role, graph in manifest.graphs.items()
        }
        written = {f"{graph.file}{suffix}" for graph in manifest.graphs.values() for suffix in ("", ".data")}
        for name in manifest.files.keys() - written - {MANIFEST_FILE}:
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle / name, folder / name)
        shape = manifest.backbone if calibrated is None else calibrated.backbone(manifest.backbone)
        return seal(folder, msgspec.structs.replace(manifest, target="cpu", graphs=graphs, backbone=shape))


def _check(output: Path, target: str, weights: str) -> None:
    if target not in TARGETS:
        raise RequestError(f"there is no target {target!r} here; choose one of {', '.join(TARGETS)}.")
    if weights not in RECIPES:
        raise RequestError(f"there are no weights of kind {weights!r}; choose one of {', '.join(RECIPES)}.")
    if output.exists():
        raise OutputError(f"{output} exists already; bundles are never overwritten. Choose another name or remove it.")


def _rewritten(
    bundle: Path,
    folder: Path,
    role: GraphRole,
    graph: Graph,
    recipe: Recipe | None,
    calibrated: Calibrated | None,
    tell: Progress,
) -> Graph:
    """Write one graph of the target bundle and return what its manifest says about it."""
    passes: list[ir.passes.PassBase] = []
    if calibrated is not None and (role == "backbone" or role in calibrated.roles):
        passes.append(StaticPass(calibrated, role))
        graph = calibrated.graph(role, graph)
    elif role == "backbone":
        passes.append(GroupQueryAttentionPass())
    if recipe is not None and role in recipe.graphs:
        passes.append(MatMulNBitsPass(bits=recipe.bits, block_size=recipe.block_size))  # what the other left float
        if graph.activations is None:
            graph = msgspec.structs.replace(graph, precision=recipe.precision)
    if passes:
        graph = msgspec.structs.replace(graph, parity=None)  # it was measured on the graph before
    model = ir.load(bundle / graph.file)
    for rewrite in passes:
        rewrite(model)
        if isinstance(rewrite, StaticPass):
            graph = msgspec.structs.replace(graph, kept=tuple(sorted(rewrite.kept)))

    def told(_tensor: ir.TensorProtocol, info: ir.external_data.CallbackInfo) -> None:
        tell(role, info.index + 1, info.total)

    data = f"{graph.file}.data"
    ir.save(model, folder / graph.file, external_data=data, callback=told, alignment=_PAGE, align_threshold=_PAGE)
    return graph
