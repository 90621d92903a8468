"""Bundles whose weights are not what they were: coarser, or broken. For tests of what notices it."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from edgevlo.runtime.bundle import seal
from edgevlo.runtime.manifest.graphs import GraphRole, Precision
from edgevlo.runtime.manifest.schema import MANIFEST_FILE, read_manifest

Weights = npt.NDArray[np.float32]
Change = Callable[[Weights], Weights]
MATRICES = (onnx.TensorProto.FLOAT, onnx.TensorProto.FLOAT16, onnx.TensorProto.INT16)


def coarse(bits: int) -> Change:
    """Return round-to-nearest with one symmetric scale a tensor."""

    def change(weights: Weights) -> Weights:
        most = 2 ** (bits - 1) - 1
        scale = float(np.abs(weights).max()) / most or 1.0
        return (np.rint(weights / scale) * scale).astype(np.float32)

    return change


def noisy(share: float) -> Change:
    """Return the weights with noise of this share of their root mean square, the same each time."""

    def change(weights: Weights) -> Weights:
        noise = np.random.default_rng(0).normal(0, share * np.sqrt(np.mean(weights**2)), weights.shape)
        return (weights + noise).astype(np.float32)

    return change


def filled(value: float) -> Change:
    return lambda weights: np.full_like(weights, value)


def _read_by(graphs: Iterable[Path]) -> set[str]:
    """Return the names of the files that hold the weights of some graphs."""
    models = [onnx.load(graph, load_external_data=False) for graph in graphs]
    tensors = [tensor for model in models for tensor in model.graph.initializer]
    return {entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"}


def damaged(
    bundle: Path,
    destination: Path,
    changes: Mapping[GraphRole, Change],
    precision: Precision | None = None,
) -> Path:
    """Copy a bundle with every matrix of some graphs that is no int8 changed, sizes and hashes put right again.

    Such a matrix becomes float32, whatever it was stored as; other graphs keep what they share with the changed ones.
    """
    shutil.copytree(bundle, destination)
    manifest = read_manifest(destination)
    (destination / MANIFEST_FILE).unlink()
    graphs = dict(manifest.graphs)
    for role, change in changes.items():
        path = destination / graphs[role].file
        model: Any = onnx.load(path)
        for tensor in model.graph.initializer:
            if tensor.data_type in MATRICES and len(tensor.dims) >= 2:
                weights = numpy_helper.to_array(tensor).astype(np.float32)
                tensor.CopyFrom(numpy_helper.from_array(change(weights), tensor.name))
        del model.graph.value_info[:]  # it told the types that were
        data = destination / f"{path.name}.data"
        if data.name in _read_by(destination / graphs[other].file for other in graphs if other != role):
            data = destination / f"{path.name}.changed.data"
        data.unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=data.name, size_threshold=512)
        if precision is not None:
            graphs[role] = msgspec.structs.replace(graphs[role], precision=precision)
    seal(destination, msgspec.structs.replace(manifest, graphs=graphs))
    return destination
