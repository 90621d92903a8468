"""Calibrated tiny bundles, and graphs run on ONNX Runtime's CPU kernels."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest

from edgevlo.calibration import calibrate, store
from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.graphs.onnx_sessions import EXACT_INT8
from edgevlo.runtime.manifest.graphs import GraphRole

PROMPTS = "a red car\na small house\nedit: big\nask: what color\n"


def session(model: ir.Model, folder: Path, *, optimised: Path | None = None) -> ort.InferenceSession:
    """Open a model on the CPU; `optimised` receives what ONNX Runtime makes of it."""
    ir.save(model, folder / "graph.onnx", external_data="graph.data")
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    options.add_session_config_entry(*EXACT_INT8)  # as the runtime opens bundles for CPUs
    if optimised is not None:
        options.optimized_model_filepath = str(optimised)
    return ort.InferenceSession(folder / "graph.onnx", options, providers=["CPUExecutionProvider"])


def relative(found: Array, exact: Array) -> float:
    return float(np.linalg.norm(found - exact) / np.linalg.norm(exact))


def remembered(monkeypatch: pytest.MonkeyPatch) -> list[ir.ExternalTensor]:
    """Return a list that fills with the tensors of files, of every graph that is loaded from now on."""
    seen, load = list[ir.ExternalTensor](), ir.load

    def noted(path: Path) -> ir.Model:
        model = load(path)
        tensors = (value.const_value for value in model.graph.initializers.values())
        seen.extend(tensor for tensor in tensors if isinstance(tensor, ir.ExternalTensor))
        return model

    monkeypatch.setattr(ir, "load", noted)
    return seen


@dataclass(frozen=True)
class Ready:
    """A calibrated bundle."""

    portable: Path
    calibration: Path

    def graph(self, role: GraphRole) -> ir.Model:
        return ir.load(self.portable / f"{role}.onnx")

    def thresholds(self, role: GraphRole) -> dict[str, float]:
        return {name: one.threshold for name, one in store.read(self.calibration)[0].ranges[role].items()}

    def peaks(self, role: GraphRole) -> dict[str, Floats]:
        return {name: one.channel_peaks for name, one in store.read(self.calibration)[1][role].items()}


def calibrated(portable: Path, folder: Path) -> Ready:
    """Calibrate a tiny Emu3 on words that its tokenizer knows."""
    (folder / "prompts.txt").write_text(PROMPTS)
    calibrate(portable, folder / "calib", prompts=folder / "prompts.txt", count=4, method="max")
    return Ready(portable, folder / "calib")
