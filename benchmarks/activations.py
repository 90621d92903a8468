"""What static quantisation by calibrated ranges costs and gains on a CPU: activations, smoothing, the KV cache.

The bundle is exported and calibrated here. Each variant is then led through the same pictures as the float bundle (its
own codes are forced on it, so that one early difference does not make all later ones differ) and says at every cell
which code it would have drawn; requests are held-out ones of `edgevlo.picturebook.trials`. Speed is measured in turns,
one picture of each bundle after the other.

    python benchmarks/activations.py [--pictures 40] [--runs 7] [--checkpoint picturebook/checkpoint]
"""

import argparse
import ctypes
import shutil
import tempfile
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
import record
from PIL import Image
from tqdm import tqdm

from edgevlo.calibration import calibrate
from edgevlo.export import export_checkpoint
from edgevlo.picturebook import atlas, trials
from edgevlo.picturebook.tasks import Sample
from edgevlo.quantization import Static, quantize
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.manifest import GraphRole
from edgevlo.runtime.model import Model

ROWS = ("paint1", "paint2", "paint3", "edit", "segmentation")
VARIANTS: dict[str, tuple[str, Static | None]] = {  # weights where activations stay float, and what is calibrated
    "fp32": ("fp32", None),
    "weights int8": ("int8", None),
    "w8a8": ("fp32", Static(activations="int8", smoothing=0)),
    "w8a8 smoothed": ("fp32", Static(activations="int8")),
    "kv int8": ("fp32", Static(cache="int8")),
    "w8a8 smoothed, kv int8": ("fp32", Static(activations="int8", cache="int8")),
}
METHODS = ("max", "percentile", "entropy")
Logits = npt.NDArray[np.float32]


class Led:
    """An image head that says what it would draw, and is given what it drew."""

    def __init__(self, session: ort.InferenceSession) -> None:
        self._session = session
        self.codes: list[int] | None = None  # to be forced; None: its own
        self.logits: list[Logits] = []
        self._address = 0

    def io_binding(self) -> Any:
        """Return a binding that also gives the logits, and remembers where the code is written."""
        binding = self._session.io_binding()
        binding.bind_output("logits", "cpu")
        return _Binding(binding, self)

    def run_with_iobinding(self, binding: Any) -> None:
        """Draw, keep the logits, and put the forced code in the place of the drawn one."""
        self._session.run_with_iobinding(binding.binding)
        if self.codes is not None:
            ctypes.c_int64.from_address(self._address).value = self.codes[len(self.logits)]
        self.logits.append(binding.binding.get_outputs()[0].numpy()[0].copy())


@dataclass
class _Binding:
    binding: ort.IOBinding
    led: Led

    def bind_input(self, *arguments: Any) -> None:
        self.binding.bind_input(*arguments)

    def bind_output(self, name: str, *arguments: Any) -> None:
        if name == "code":
            self.led._address = arguments[-1]
        self.binding.bind_output(name, *arguments)


class LedEngine(Engine):
    """A bundle's graphs with a led image head."""

    led: Led

    def _open(self, role: GraphRole) -> ort.InferenceSession:
        session = super()._open(role)
        if role != "image_head":
            return session
        self.led = Led(session)
        return cast(ort.InferenceSession, self.led)


class LedModel:
    """An opened bundle whose pictures can be led."""

    def __init__(self, folder: Path) -> None:
        bundle = open_bundle(folder)
        self.engine = LedEngine(bundle)
        self.model = Model(bundle, self.engine)

    def paint(self, sample: Sample, seed: int, codes: list[int] | None) -> tuple[npt.NDArray[np.int32], Logits]:
        """Return the codes painted for a sample, and the guided logits of every cell, (cells, codes)."""
        _ = self.engine._image_head
        self.engine.led.codes, self.engine.led.logits = codes, []
        *_, last = self._strokes(sample, seed)
        return last.codes, np.array(self.engine.led.logits)

    def _strokes(self, sample: Sample, seed: int) -> Iterator[Any]:
        assert sample.target is not None
        sources = [Image.fromarray(atlas.pixels(codes)) for codes in sample.sources]
        if sources:
            return self.model.edit_rows(sources, sample.instruction, seed=seed)
        rows, columns = sample.target.shape
        return self.model.paint_rows(sample.instruction, size=(columns * atlas.CELL, rows * atlas.CELL), seed=seed)


def samples(count: int) -> list[tuple[Sample, int]]:
    """Return held-out requests for pictures, both languages in turn."""
    drawn = [
        (trials.draw(ROWS[number % len(ROWS)], ("en", "zh")[number // len(ROWS) % 2], number).samples[0], number)
        for number in range(count)
    ]
    return [(sample, seed) for sample, seed in drawn if sample.target is not None]


def agreement(folders: dict[str, Path], count: int) -> dict[str, Any]:
    """Lead every variant through the float bundle's pictures; return how far its choices agree."""
    exact = LedModel(folders["fp32"])
    others = {name: LedModel(folder) for name, folder in folders.items() if name != "fp32"}
    same: dict[str, list[float]] = {name: [] for name in others}
    by_row: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in others}
    for sample, seed in tqdm(samples(count), unit="picture", disable=None):
        codes, expected = exact.paint(sample, seed, None)
        for name, other in others.items():
            _, found = other.paint(sample, seed, codes.reshape(-1).tolist())
            same[name] += (found.argmax(1) == expected.argmax(1)).tolist()
            by_row[name].append(_divergence(expected, found).reshape(codes.shape).mean(axis=1))
    return {
        name: {
            "cells": len(same[name]),
            "code_agreement": round(float(np.mean(same[name])), 4),
            "kl_nats_mean": float(f"{np.mean(np.concatenate(by_row[name])):.3g}"),
            "kl_nats_by_row": [float(f"{np.mean([r[i] for r in by_row[name] if len(r) > i]):.3g}") for i in range(8)],
        }
        for name in others
    }


def _divergence(expected: Logits, found: Logits) -> npt.NDArray[np.float64]:
    """Return the Kullback-Leibler divergence of every cell's distribution at temperature 1, (cells,)."""
    exact, other = (_log_softmax(logits.astype(np.float64)) for logits in (expected, found))
    divergence: npt.NDArray[np.float64] = np.sum(np.exp(exact) * (exact - other), axis=1)
    return divergence


def _log_softmax(logits: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    shifted = logits - logits.max(axis=1, keepdims=True)
    result: npt.NDArray[np.float64] = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return result


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
            "backbone_mb": round(_bytes(model, "backbone") / 1e6, 2),
            "kv_bytes_per_token": _cache_bytes(model),
        }
        for name, model in models.items()
    }


def _bytes(model: Model, role: GraphRole) -> int:
    file = model.manifest.graphs[role].file
    return sum(listed.bytes for name, listed in model.manifest.files.items() if name.startswith(file))


def _cache_bytes(model: Model) -> int:
    shape = model.manifest.backbone
    return 2 * shape.layers * shape.kv_heads * shape.head_dim * np.dtype(shape.cache_dtype).itemsize


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
        quantize(portable, variants[name], weights=weights, static=static, calibration=folder / "percentile.calib")
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
        figures = {
            "calibration": facts,
            "speed": speed(variants, arguments.runs),
            "teacher_forced": agreement(variants, arguments.pictures),
            "w8a8_by_method": agreement({"fp32": variants["fp32"], **methods}, arguments.pictures),
        }
    print(record.write("activations", figures))


if __name__ == "__main__":
    main()
