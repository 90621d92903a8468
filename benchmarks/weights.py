"""What weight-only quantisation costs and gains on a CPU, by precision and by method, against the float bundle.

Quality: `edgevlo evaluate` of every bundle against the portable one, at its own requests; with `--tasks N` also every
task of the little world, by its judge, at N cases of each task and language, for those of `JUDGED`. Speed: whole
pictures of all bundles in turns; and, as picturebook's matrices are small, a step and a prompt of two layers with
random weights in the shape of Janus-Pro-1B's, in turns too.

    python benchmarks/weights.py [--checkpoint picturebook/checkpoint] [--runs 15] [--tasks 200] [--skip-quality]
"""

import argparse
import dataclasses
import json
import tempfile
import time
from pathlib import Path
from typing import Any

import record
from activations import Forms, large, large_float, speed

from edgevlo.calibration.evaluation.evaluate import evaluate
from edgevlo.calibration.moments import second_moments
from edgevlo.cli.progress import progress_bar
from edgevlo.export import export_checkpoint
from edgevlo.quantization import quantize
from edgevlo.quantization.precision_recipes import INT4, INT8
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.manifest.schema import read_manifest

VARIANTS: dict[str, dict[str, Any]] = {
    "fp32": {"weights": "fp32"},
    "fp16": {"weights": "fp16"},
    "int8": {"weights": "int8"},
    "int8 gptq": {"weights": "int8", "method": "gptq"},
    "int4": {"weights": "int4"},
    "int4 k_quant": {"weights": "int4", "method": "k_quant"},
    "int4 hqq": {"weights": "int4", "method": "hqq"},
    "int4 gptq": {"weights": "int4", "method": "gptq"},
    "int4 awq": {"weights": "int4", "method": "awq"},
    "int4 gptq, blocks of 128": {"weights": "int4", "method": "gptq", "block_size": 128},
}
JUDGED = ("int8", "int4", "int4 gptq")
FIGURES = ("decided_agreement", "kl_mean", "hidden_sqnr_db", "decoder_ciede2000_median", "picture_ciede2000_median",
           "answer_token_agreement")  # fmt: skip


def make(folder: Path, checkpoint: Path) -> tuple[Path, dict[str, Path], float]:
    """Export and quantise; return the portable bundle, the others, and the seconds that GPTQ looked at requests."""
    portable = folder / "portable"
    export_checkpoint(checkpoint, portable)
    began = time.perf_counter()
    moments = second_moments(open_bundle(portable))
    seconds = time.perf_counter() - began
    variants = {name: folder / name.replace(" ", "-").replace(",", "") for name in VARIANTS}
    for name, options in VARIANTS.items():
        quantize(portable, variants[name], moments=moments, requests=0, **options)
    return portable, variants, seconds


def quality(portable: Path, variants: dict[str, Path], tasks: int) -> dict[str, Any]:
    """Hold every bundle against the portable one."""
    found = {}
    with progress_bar() as progress:
        for name, folder in variants.items():
            done = evaluate(folder, portable, tasks=tasks if name in JUDGED else 0, progress=progress)
            figures = {key: done.verdict.figures[key] for key in FIGURES if key in done.verdict.figures}
            found[name] = {"passed": done.verdict.passed, **figures}
            if "tasks" in done.document:
                found[name]["tasks"] = done.document["tasks"]
    return found


def large_forms() -> Forms:
    """Return the passes that make two float layers into each form."""
    int4 = {size: dataclasses.replace(INT4, block_size=size) for size in (32, 64, 128)}
    return {
        "fp32": [],
        "int8": [MatMulNBitsPass(INT8)],
        **{f"int4, blocks of {size}": [MatMulNBitsPass(weights)] for size, weights in int4.items()},
        "int4 k_quant": [MatMulNBitsPass(dataclasses.replace(INT4, method="k_quant"))],
    }


def main() -> None:
    """Measure and write `results/weights.json`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=15)
    parser.add_argument("--tasks", type=int, default=0, help="cases of each task and language")
    parser.add_argument("--skip-quality", action="store_true", help="keep the quality of the last results")
    parser.add_argument("--checkpoint", type=Path, default=Path(__file__).parent.parent / "picturebook" / "checkpoint")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        portable, variants, seconds = make(folder, arguments.checkpoint)
        large_float(folder)
        figures = {
            "gptq_seconds": round(seconds, 1),
            "bundle_mb": {
                variant: round(sum(file.bytes for file in read_manifest(path).files.values()) / 1e6, 2)
                for variant, path in variants.items()
            },
            "speed": speed(variants, arguments.runs),
            "two_layers_of_1b_shape": large(folder, arguments.runs, large_forms()),
        }
        if arguments.skip_quality:
            last = json.loads((record.RESULTS / "weights.json").read_text(encoding="utf-8"))
            figures["quality"] = last["figures"]["quality"]
        else:
            figures["quality"] = quality(portable, variants, arguments.tasks)
    print(record.write("weights", figures))


if __name__ == "__main__":
    main()
