"""Painting on a GPU through ONNX Runtime: the same codes as on a CPU, and how long a step takes.

A step of a small model is short of work for a GPU: launching its kernels takes longer than reading its weights, which
is why a captured CUDA graph matters. The floor is the time that reading the weights once would take.

    python benchmarks/gpu.py CPU-BUNDLE --write codes.npz             # on any machine: what the GPU's codes should be
    python benchmarks/gpu.py BUNDLE ... --codes codes.npz    # with a GPU and onnxruntime-gpu; target cuda or rtx
"""

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import record

import edgevlo
from edgevlo.runtime.arrays import Codes

PROMPTS = (
    "a red car on the beach at sunset",
    "a blue dog with a green hat on the left and a yellow bus on the right, in the city at night",
    "海边的红色汽车",
    "三只粉色的小猫，雪地里，下雪",
)


def paint(model: edgevlo.Model, prompt: str, size: tuple[int, int]) -> Codes:
    """Return the likeliest codes, (rows, columns)."""
    *_, last = model.paint_rows(prompt, size=size, temperature=0.0)
    return last.codes


def measured(folder: str, sizes: list[tuple[int, int]], runs: int, wanted: dict[str, Any], bandwidth: float) -> Any:
    """Time a bundle, the first picture apart from those that follow, and compare its codes with those wanted."""
    began = time.perf_counter()
    model = edgevlo.load(folder)
    paint(model, PROMPTS[0], sizes[0])
    opened = time.perf_counter() - began
    manifest, figures = model.manifest, dict[str, Any]()
    read = sum(manifest.files[f"{manifest.graphs[role].file}.data"].bytes for role in ("backbone", "image_head"))
    for size in sizes:
        seconds, same, cells = [], 0, 0
        for prompt in PROMPTS * runs:
            began = time.perf_counter()
            codes = paint(model, prompt, size)
            seconds.append((time.perf_counter() - began) / codes.size)
            if wanted:
                same += int((codes == wanted[f"{prompt} {size}"]).sum())
                cells += codes.size
        figures["x".join(map(str, size))] = {"ms_per_code": record.spread([1e3 * one for one in seconds])} | (
            {"codes_as_on_the_cpu": round(same / cells, 4)} if wanted else {}
        )
    floor = {"floor_ms_per_code": float(f"{read / bandwidth / 1e6:.3g}")} if bandwidth else {}
    return (
        {
            "target": manifest.target,
            "precision": manifest.graphs["backbone"].precision,
            "bytes_per_code": read,
            "open_and_first_picture_s": round(opened, 2),
        }
        | floor
        | figures
    )


def main() -> None:
    """Write the codes of one bundle, or measure several."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundles", nargs="+", metavar="BUNDLE")
    parser.add_argument("--write", type=Path, help="write the first bundle's codes there and measure nothing")
    parser.add_argument("--codes", type=Path, help="codes to compare with")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--bandwidth", type=float, default=0.0, help="of the GPU's memory, GB/s, for the floor")
    parser.add_argument("--gpu", default="", help="what to call it in the result")
    parser.add_argument("--output", default="gpu", help="name of the result file, or a path without an ending")
    arguments = parser.parse_args()
    sizes = [(128, 128), (192, 192)]
    if arguments.write:
        model = edgevlo.load(arguments.bundles[0])
        made = {f"{prompt} {size}": paint(model, prompt, size) for prompt in PROMPTS for size in sizes}
        np.savez_compressed(arguments.write, allow_pickle=False, **made)
        return
    wanted = dict(np.load(arguments.codes)) if arguments.codes else {}
    found = {
        Path(one).name: measured(one, sizes, arguments.runs, wanted, arguments.bandwidth) for one in arguments.bundles
    }
    for name, figures in found.items():
        print(name, figures)
    record.write(arguments.output, {"gpu": arguments.gpu, "bundles": found})


if __name__ == "__main__":
    main()
