"""A GPU bundle in a form that a CPU runs, to see what it does to a picture where there is no such GPU.

Types, roundings and quantisation are those that the graphs state. In what order a device's kernels add up, and how fast
they are, is not seen.
"""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import onnx_ir as ir

from edgevlo.calibration.evaluation.reference import Subject
from edgevlo.runtime.backends import on_device
from edgevlo.runtime.bundle import Bundle, open_bundle, sealed_bundle
from edgevlo.runtime.files import remove_folder, scratch_folder, written_to
from edgevlo.runtime.manifest.graphs import Graph, Tensor
from edgevlo.runtime.manifest.schema import MANIFEST_FILE

from ..passes._graph import is_cache
from ..passes._load import load_model
from .rounded_float import RoundedFloatPass


@contextmanager
def emulated(bundle: Bundle, folder: Path) -> Iterator[Subject]:
    """Give a bundle to be evaluated on a CPU: itself, or its emulation in `folder` while the context lasts."""
    if not on_device(bundle.manifest):
        yield Subject(bundle)
        return
    try:
        yield Subject(bundle, write_emulated(bundle, folder))
    finally:
        remove_folder(folder)


@contextmanager
def open_emulated(folder: Path) -> Iterator[Subject]:
    """Open a bundle to be evaluated on a CPU, with the emulation of a GPU bundle among the system's temporary files.

    Raises `BundleError` for a bundle that is not sound, `OutputError` if there is no room for its emulation.
    """
    bundle = open_bundle(folder)
    with scratch_folder(None, "emulation") as temporary:
        advice = "The emulation of a GPU bundle takes its weights in float32; set TMPDIR to a folder with more space."
        with written_to(temporary, advice):
            form = write_emulated(bundle, temporary / "emulated") if on_device(bundle.manifest) else None
        yield Subject(bundle, form)


def write_emulated(bundle: Bundle, folder: Path) -> Bundle:
    """Write a GPU bundle's emulation: float32 graphs that round as the GPU does, in an ordinary bundle."""
    folder.mkdir()
    manifest, backbone = bundle.manifest, bundle.manifest.backbone
    graphs = {role: _write_graph(bundle, folder, graph) for role, graph in manifest.graphs.items()}
    for name in manifest.files.keys() - {MANIFEST_FILE}:
        if not (folder / name).exists():
            _link_or_copy(bundle.path(name), folder / name)
    if backbone.cache_dtype != "int8":
        backbone = msgspec.structs.replace(backbone, cache_dtype="float32")
    form = msgspec.structs.replace(manifest, target="portable", graphs=graphs, backbone=backbone, quality=None)
    return sealed_bundle(folder, form)


def _write_graph(bundle: Bundle, folder: Path, graph: Graph) -> Graph:
    model = load_model(bundle.path(graph.file))
    RoundedFloatPass()(model)
    path = folder / graph.file
    path.parent.mkdir(parents=True, exist_ok=True)
    ir.save(model, path, external_data=f"{path.name}.data")
    in_blocks = any(node.op_type == "MatMulNBits" for node in model.graph)
    return msgspec.structs.replace(
        graph,
        precision=graph.precision if in_blocks else "fp32",  # by which memory is predicted
        inputs=tuple(map(_in_float, graph.inputs)),
        outputs=tuple(map(_in_float, graph.outputs)),
    )


def _in_float(tensor: Tensor) -> Tensor:
    half = is_cache(tensor.name) and tensor.dtype != "int8"
    return msgspec.structs.replace(tensor, dtype="float32") if half else tensor


def _link_or_copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copyfile(source, target)
