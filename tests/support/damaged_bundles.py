"""Bundles whose weights are not what they were: coarser, or broken. For tests of what notices it."""

import shutil
from collections.abc import Callable, Mapping
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


def damaged(
    bundle: Path,
    destination: Path,
    changes: Mapping[GraphRole, Change],
    precision: Precision | None = None,
) -> Path:
    """Copy a bundle with every float matrix of some graphs changed, sizes and hashes put right again."""
    shutil.copytree(bundle, destination)
    manifest = read_manifest(destination)
    (destination / MANIFEST_FILE).unlink()
    graphs = dict(manifest.graphs)
    for role, change in changes.items():
        path = destination / graphs[role].file
        model: Any = onnx.load(path)
        for tensor in model.graph.initializer:
            if tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) >= 2:
                tensor.CopyFrom(numpy_helper.from_array(change(numpy_helper.to_array(tensor)), tensor.name))
        (destination / f"{path.name}.data").unlink(missing_ok=True)
        onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=512)
        if precision is not None:
            graphs[role] = msgspec.structs.replace(graphs[role], precision=precision)
    seal(destination, msgspec.structs.replace(manifest, graphs=graphs))
    return destination
