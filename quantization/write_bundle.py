"""PrecisionPlan -> bundle: rewrite the graphs, copy the other files. Knows no limits and judges nothing."""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
import onnx_ir as ir

from edgevlo.runtime.arrays import Progress
from edgevlo.runtime.bundle import Bundle, sealed_bundle
from edgevlo.runtime.errors import EdgevloError
from edgevlo.runtime.manifest.graphs import Graph, GraphRole
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, Manifest

from .embeddings.embedding_tables import write_tables
from .fallbacks import PrecisionPlan
from .passes._graph import matmuls
from .passes._load import load_model
from .passes.fused_qkv import FusedQkvPass
from .passes.group_query_attention import GroupQueryAttentionPass
from .passes.half_precision import Half
from .precision_recipes import Float32
from .shared_weights import share_weights
from .static_quantization import Calibrated, StaticPass
from .targets.gpu import GPU_TARGETS, gpu_backbone, gpu_graph, gpu_passes, half_of, usual_capacity
from .targets.operators import refuse
from .weight_only.int4_int8_matmul_nbits import Moments
from .weight_passes import awq_pass, weight_passes

_PAGE: Final = 4096  # weights start on pages, so that runtimes can map them


@dataclass(frozen=True, slots=True)
class Gpu:
    """What a GPU target computes in, and how many tokens its KV cache holds."""

    half: Half
    capacity: int


@dataclass(frozen=True, slots=True)
class Source:
    """The portable bundle of a request, hashed once, and all that its candidates share."""

    bundle: Bundle
    moments: Moments  # of the layers' inputs; empty where no method needs them
    calibrated: Calibrated | None
    gpu: Gpu | None  # None on a CPU


def gpu_of(target: str, weights: str, capacity: int | None, manifest: Manifest) -> Gpu | None:
    """Return how a GPU target computes; None on a CPU."""
    if target not in GPU_TARGETS:
        return None
    return Gpu(half_of(weights), usual_capacity(manifest) if capacity is None else capacity)


def write(source: Source, plan: PrecisionPlan, folder: Path, progress: Progress) -> Bundle:
    """Write a plan's bundle into `folder`, which does not exist yet.

    Raises `BundleError` for weights that are not sound or that the target does not support.
    """
    folder.mkdir()
    manifest, gpu = source.bundle.manifest, source.gpu
    calibrated = None if source.calibrated is None or plan.static is None else source.calibrated.using(plan.static)
    writer = _GraphWriter(source, plan, calibrated, folder, progress)
    graphs = {role: writer.write(role, graph) for role, graph in manifest.graphs.items()}
    manifest = msgspec.structs.replace(manifest, target=plan.target, graphs=graphs, quality=None, self_check=None)
    manifest = write_tables(source.bundle.folder, folder, manifest, plan.choice.of("tables"))
    _copy_others(source.bundle, folder)
    if calibrated is not None:
        manifest = msgspec.structs.replace(manifest, backbone=calibrated.backbone(manifest.backbone))
    manifest = share_weights(folder, manifest) if gpu is None else gpu_backbone(manifest, gpu.half)
    return sealed_bundle(folder, manifest)


def _copy_others(bundle: Bundle, folder: Path) -> None:
    """Copy the files that nobody has written."""
    graphs = {f"{graph.file}{suffix}" for graph in bundle.manifest.graphs.values() for suffix in ("", ".data")}
    of_outputs = set() if bundle.manifest.self_check is None else {bundle.manifest.self_check.file}
    for name in bundle.manifest.files.keys() - graphs - of_outputs - {MANIFEST_FILE}:
        if not (folder / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(bundle.path(name), folder / name)


@dataclass(frozen=True, slots=True)
class _GraphWriter:
    """Rewrites one graph after the other into the folder of a candidate."""

    source: Source
    plan: PrecisionPlan
    calibrated: Calibrated | None
    folder: Path
    progress: Progress

    def write(self, role: GraphRole, graph: Graph) -> Graph:
        """Write a graph; return its entry in the manifest."""
        model = load_model(self.source.bundle.path(graph.file))
        passes, described = self._passes(model, role, graph)
        if passes:
            described = msgspec.structs.replace(described, parity=None)  # was measured on the graph before
        for rewrite in passes:
            rewrite(model)
            if isinstance(rewrite, StaticPass):
                described = msgspec.structs.replace(described, kept=tuple(sorted(rewrite.kept)))
        if described.activations is not None and any(_bits(node) == 4 for node in model.graph):
            # The layers that static quantisation leaves out are coarser.
            described = msgspec.structs.replace(described, precision="int4")
        if self.source.gpu is not None:
            refuse(model, self.plan.target, role)
        self._save(model, role, described.file)
        return described

    def _passes(self, model: ir.Model, role: GraphRole, graph: Graph) -> tuple[list[ir.passes.PassBase], Graph]:
        """Return the passes over a graph in their order, and its entry in the manifest after them."""
        passes: list[ir.passes.PassBase] = []
        choice, moments, gpu, calibrated = self.plan.choice, self.source.moments, self.source.gpu, self.calibrated
        names = [str(node.name) for node in matmuls(model.graph)]
        if scaling := awq_pass(role, names, choice, moments):
            passes.append(scaling)
        whole = gpu is not None and isinstance(choice.of(role), Float32)
        if calibrated is not None and not whole and (role == "backbone" or role in calibrated.roles):
            passes.append(StaticPass(calibrated, role))
            graph = calibrated.graph(role, graph)
        elif role == "backbone" and gpu is None:
            passes.append(GroupQueryAttentionPass())
        rounding, precision = weight_passes(role, names, choice, moments)
        passes += rounding  # of the layers that are still float
        if role == "backbone" and gpu is None:
            passes.append(FusedQkvPass())
        if graph.activations is None and precision is not None:
            graph = msgspec.structs.replace(graph, precision=precision)
        if gpu is not None:
            half = None if whole else gpu.half
            passes += gpu_passes(self.plan.target, role, half=half, capacity=gpu.capacity)
            graph = gpu_graph(role, graph, half=half, capacity=gpu.capacity)
        return passes, graph

    def _save(self, model: ir.Model, role: GraphRole, file: str) -> None:
        def report(_tensor: ir.TensorProtocol, info: ir.external_data.CallbackInfo) -> None:
            self.progress(role, info.index + 1, info.total)

        path, data = self.folder / file, f"{file}.data"
        try:
            ir.save(model, path, external_data=data, callback=report, alignment=_PAGE, align_threshold=_PAGE)
        except ir.serde.SerdeError as error:
            raise _unwrapped(error) from error


def _bits(node: ir.Node) -> int | None:
    return node.attributes["bits"].as_int() if node.op_type == "MatMulNBits" else None


def _unwrapped(error: BaseException) -> BaseException:
    """Return the error of a tensor that was being written, which onnx-ir wraps once for every level of the graph."""
    inner: BaseException | None = error
    while inner is not None and not isinstance(inner, EdgevloError):
        inner = inner.__cause__
    return error if inner is None else inner
