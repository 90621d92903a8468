"""What static quantisation by calibrated ranges costs and gains on a CPU: activations, smoothing, the KV cache.

The bundle is exported and calibrated here. Each variant is then led through the same pictures as the float bundle (its
own codes are forced on it, so that one early difference does not make all later ones differ) and says at every cell
which code it would have drawn; requests are held-out ones of `edgevlo.picturebook.judging.trials`. `evaluated` is what
`edgevlo evaluate` says at its own requests, guidance, answers and pictures included. Speed is measured in turns,
one picture of each bundle after the other; and, as picturebook's matrices are small, calls of two layers with random
weights in the shape of Janus-Pro-1B's, in turns too.

    python benchmarks/activations.py [--pictures 40] [--runs 7] [--checkpoint picturebook/checkpoint]
"""

import argparse
import shutil
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import record
from PIL import Image
from tqdm import tqdm

from edgevlo.calibration import calibrate
from edgevlo.calibration.evaluation.compare import Comparison
from edgevlo.calibration.evaluation.gate import judge, reference_of
from edgevlo.calibration.evaluation.reference import Subject
from edgevlo.calibration.evaluation.teacher_forcing import TeacherForcedEngine, Trace
from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint.folder import Checkpoint
from edgevlo.export.graphs.backbone import DecoderShape, build_backbone
from edgevlo.export.graphs.graph_builder import write_graph
from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.judging import trials
from edgevlo.picturebook.world import atlas
from edgevlo.quantization import Static, quantize
from edgevlo.quantization.passes._graph import linear_layers
from edgevlo.quantization.passes.group_query_attention import GroupQueryAttentionPass
from edgevlo.quantization.passes.int8_kv_cache import QuantizedCachePass
from edgevlo.quantization.passes.matmul_integer import MatMulIntegerPass
from edgevlo.quantization.passes.qdq import QuantizeDequantizePass
from edgevlo.quantization.precision_recipes import GPU_INT8, INT4
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.graphs.backbone_kv_cache import bind
from edgevlo.runtime.manifest.schema import graph_bytes
from edgevlo.runtime.model import Model

ROWS = ("paint1", "paint2", "paint3", "edit", "segmentation")
VARIANTS: dict[str, tuple[str, Static | None]] = {  # weights where inputs stay float, and what is calibrated
    "fp32": ("fp32", None),
    "weights int8": ("int8", None),
    "w8a8": ("int8", Static(activations="int8")),
    "w8a8 without smoothing": ("int8", Static(activations="int8", smoothing=0)),
    "w8a8 without exceptions": ("int8", Static(activations="int8", least_db=0)),
    "kv int8": ("fp32", Static(cache="int8")),
    "w8a8, kv int8": ("int8", Static(activations="int8", cache="int8")),
}
EVALUATED = ("code_agreement", "kl_mean", "answer_token_agreement", "decoder_ciede2000_median",
             "picture_ciede2000_median")  # fmt: skip
METHODS = ("max", "percentile", "entropy")


class TeacherForced:
    """An opened bundle that paints samples, fed the codes of another."""

    def __init__(self, folder: Path) -> None:
        bundle = open_bundle(folder)
        self._engine = TeacherForcedEngine(bundle)
        self._model = Model(bundle, self._engine)

    def paint(self, sample: Sample, reference: Trace | None = None) -> Trace:
        """Return the trace of painting a sample, fed the codes of the reference or the bundle's own."""
        self._engine.begin(reference)
        trace = self._engine.trace
        *_, last = self._strokes(sample)
        trace.shape = last.codes.shape
        return trace

    def _strokes(self, sample: Sample) -> Iterator[Any]:
        assert sample.target is not None
        sources = [Image.fromarray(atlas.pixels(codes)) for codes in sample.sources]
        if sources:
            return self._model.edit_rows(sources, sample.instruction)
        rows, columns = sample.target.shape
        return self._model.paint_rows(sample.instruction, size=(columns * atlas.CELL, rows * atlas.CELL))


def samples(count: int) -> list[Sample]:
    """Return held-out requests for pictures, both languages in turn."""
    drawn = [
        trials.draw(ROWS[number % len(ROWS)], ("en", "zh")[number // len(ROWS) % 2], number).samples[0]
        for number in range(count)
    ]
    return [sample for sample in drawn if sample.target is not None]


def agreement(folders: dict[str, Path], count: int) -> dict[str, Any]:
    """Lead every variant through the float bundle's pictures; return how far its choices agree."""
    exact = TeacherForced(folders["fp32"])
    others = {name: TeacherForced(folder) for name, folder in folders.items() if name != "fp32"}
    found = {name: Comparison() for name in others}
    for sample in tqdm(samples(count), unit="picture", disable=None):
        trace = exact.paint(sample)
        for name, other in others.items():
            found[name].add(trace, other.paint(sample, trace))
    return {name: _shown(comparison.figures()["codes"]) for name, comparison in found.items()}


def evaluated(folders: dict[str, Path], count: int = 24) -> dict[str, Any]:
    """Return the figures of `edgevlo evaluate` of every variant against the float bundle."""
    reference = reference_of(open_bundle(folders["fp32"]), count=count)
    verdicts = {
        name: judge(reference, Subject(open_bundle(folder))) for name, folder in folders.items() if name != "fp32"
    }
    return {name: {figure: found.figures[figure] for figure in EVALUATED} for name, found in verdicts.items()}


def _shown(codes: dict[str, Any]) -> dict[str, Any]:
    return {
        "cells": codes["cells"],
        "code_agreement": round(codes["agreement"], 4),
        "kl_nats_mean": float(f"{codes['kl_mean']:.3g}"),
        "kl_nats_by_row": [float(f"{row['kl_mean']:.3g}") for row in codes["rows"][:8]],
    }


def speed(folders: dict[str, Path], runs: int) -> dict[str, Any]:
    """Time whole pictures of all bundles in turns, and add up what lies on disk and in the cache."""
    models = {name: Model.open(folder) for name, folder in folders.items()}
    seconds: dict[str, list[float]] = {name: [] for name in models}
    for run in range(runs + 1):
        for name, model in models.items():
            began = time.perf_counter()
            *_, last = model.paint_rows("a red car on the beach at sunset", seed=run)
            cells = last.codes.size
            if run:  # the first opens the graphs
                seconds[name].append((time.perf_counter() - began) / cells * 1e3)
    return {
        name: {
            "ms_per_code": record.spread(seconds[name]),
            "backbone_mb": round(graph_bytes(model.manifest, "backbone") / 1e6, 2),
            "kv_bytes_per_token": _cache_bytes(model),
        }
        for name, model in models.items()
    }


def _cache_bytes(model: Model) -> int:
    shape = model.manifest.backbone
    return 2 * shape.layers * shape.kv_heads * shape.head_dim * np.dtype(shape.cache_dtype).itemsize


class Random:
    """A checkpoint of random weights in the shape that is asked for; only its names are read."""

    def __init__(self, shape: DecoderShape) -> None:
        self._shape, self._random = shape, np.random.default_rng(0)

    def has(self, name: str) -> bool:
        """No layer of this shape has biases."""
        return not name.endswith(".bias")

    def tensor(self, name: str) -> Floats:
        """Return a weight, (outputs, inputs)."""
        shape = self._shape
        inner = shape.heads * shape.head_dim
        outputs = dict.fromkeys(("gate_proj", "up_proj"), shape.mlp_size)
        inputs = {"down_proj": shape.mlp_size, "o_proj": inner}
        kind = name.split(".")[-2]
        if "norm" in kind:
            return np.ones(shape.hidden_size, np.float32)
        size = (outputs.get(kind, shape.hidden_size), inputs.get(kind, shape.hidden_size))
        return self._random.standard_normal(size, dtype=np.float32) * np.float32(0.02)


JANUS_1B = DecoderShape(
    prefix="m", layers=2, hidden_size=2048, mlp_size=5632, heads=16, kv_heads=16, head_dim=128, max_positions=1024,
    norm_eps=1e-6, rope_theta=10000.0,
)  # fmt: skip


Forms: TypeAlias = Mapping[str, Sequence[ir.passes.PassBase]]


def large_float(folder: Path) -> None:
    """Write two float layers of 1B shape."""
    write_graph(build_backbone(cast(Checkpoint, Random(JANUS_1B)), JANUS_1B), folder / "float.onnx")


def large_forms(folder: Path) -> Forms:
    """Return the passes that make the float layers into each form."""
    scales = {str(value.name): np.full(2048, 4.0, np.float32) for value in ir.load(folder / "float.onnx").graph.inputs}
    peaks = {name.removeprefix("past_"): peak for name, peak in scales.items() if name.startswith("past_")}
    ranges = {str(one.x.name): 4.0 for one in linear_layers(ir.load(folder / "float.onnx").graph)}
    integers: list[ir.passes.PassBase] = [QuantizeDequantizePass("int8", ranges), MatMulIntegerPass()]
    cache = QuantizedCachePass("int8", peaks, head_dim=128)
    return {
        "fp32": [],
        "weights int8": [MatMulNBitsPass(GPU_INT8)],
        "weights int4": [MatMulNBitsPass(INT4)],
        "w8a8": integers,
        "kv int8": [cache],
        "w8a8, kv int8": [*integers, cache],
    }


def large(folder: Path, runs: int, forms: Forms) -> dict[str, Any]:
    """Time a step (two rows, 600 tokens in the cache) and a prompt (two rows of 64) of the float layers in each form.

    In turns, on one thread.
    """
    calls = {}
    for name, passes in forms.items():
        model = ir.load(folder / "float.onnx")
        for one in [GroupQueryAttentionPass(), *passes]:
            one(model)
        file = folder / f"{name.replace(' ', '-')}.onnx"
        ir.save(model, file, external_data=f"{file.name}.data", alignment=4096, align_threshold=4096)
        calls[name] = {"step": call(file, 1, 600), "prompt": call(file, 64, 0)}
    seconds: dict[str, dict[str, list[float]]] = {name: {kind: [] for kind in kinds} for name, kinds in calls.items()}
    for _ in range(runs):
        for name, kinds in calls.items():
            for kind, run_once in kinds.items():
                for _ in range(3):
                    began = time.perf_counter()
                    run_once()
                    seconds[name][kind].append((time.perf_counter() - began) * 1e3)
    return {name: {f"{k}_ms": record.spread(v) for k, v in kinds.items()} for name, kinds in seconds.items()}


def call(file: Path, width: int, length: int) -> Callable[[], None]:
    """Return a call of a backbone of two rows over a bound cache of 640, with one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    session = ort.InferenceSession(file, options, providers=["CPUExecutionProvider"])
    kind = {"tensor(float)": np.float32, "tensor(int8)": np.int8}
    inputs: dict[str, Array] = {
        "inputs_embeds": np.random.default_rng(0).standard_normal((2, width, 2048), dtype=np.float32),
        "past_lengths": np.full(2, length),
        "token_counts": np.full(2, width),
    }
    caches = {
        value.name: np.zeros((2, 16, 640, 128), kind[value.type])
        for value in session.get_inputs()
        if value.name not in inputs
    }
    outputs: dict[str, Array] = {
        "hidden": np.zeros((2, width, 2048), np.float32),
        "last_hidden": np.zeros((2, 2048), np.float32),
    }
    binding = session.io_binding()
    bind(binding, inputs | caches, outputs | {n.replace("past", "present"): cache for n, cache in caches.items()})
    kept = (inputs, caches, outputs)  # the binding has their addresses
    return lambda kept=kept: session.run_with_iobinding(binding)  # type: ignore[misc]


def make(folder: Path, checkpoint: Path) -> tuple[dict[str, Path], dict[str, Path], dict[str, Any]]:
    """Export, calibrate and quantise; return the variants, W8A8 by method, and what calibrating took."""
    portable = folder / "portable"
    export_checkpoint(checkpoint, portable)
    began = time.perf_counter()
    made = calibrate(portable, folder / "percentile.calib", method="percentile")
    facts = {
        "cases": made.cases,
        "seconds": round(time.perf_counter() - began, 1),
        "tokens": sum(case.tokens for case in made.done),
        "file_kb": sum(file.stat().st_size for file in (folder / "percentile.calib").iterdir()) // 1000,
    }
    variants, methods = {}, {}
    for name, (weights, static) in VARIANTS.items():
        variants[name] = folder / name.replace(" ", "-").replace(",", "")
        quantize(
            portable,
            variants[name],
            weights=weights,
            static=static,
            calibration=folder / "percentile.calib",
            requests=0,
        )
    for method in METHODS:
        ranges = folder / f"{method}.calib"
        if method != "percentile":
            shutil.copytree(folder / "percentile.calib", ranges)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # "going on from there": only the ranges are chosen anew
                calibrate(portable, ranges, method=method)
        methods[method] = folder / f"w8a8-{method}"
        quantize(
            portable,
            methods[method],
            weights="fp32",
            static=Static(activations="int8", smoothing=0),
            calibration=ranges,
            requests=0,
        )
    return variants, methods, facts


def main() -> None:
    """Measure and write `results/activations.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=int, default=40)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--checkpoint", type=Path, default=Path(__file__).parent.parent / "picturebook" / "checkpoint")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        variants, methods, facts = make(Path(folder), arguments.checkpoint)
        large_float(Path(folder))
        figures = {
            "calibration": facts,
            "speed": speed(variants, arguments.runs),
            "two_layers_of_1b_shape": large(Path(folder), arguments.runs, large_forms(Path(folder))),
            "teacher_forced": agreement(variants, arguments.pictures),
            "evaluated": evaluated(variants),
            "w8a8_by_method": agreement({"fp32": variants["fp32"], **methods}, arguments.pictures),
        }
    print(record.write("activations", figures))


if __name__ == "__main__":
    main()
