"""Targets `cuda` and `rtx` on a GPU: the same codes as on the CPU? And how long is a step?

Two commands, as the machine with the toolchain is seldom the one with the GPU:

    python benchmarks/gpu_steps.py prepare FOLDER           # toolchain, no GPU: bundles and graphs, about 35 MB
    PYTHONPATH=src python benchmarks/gpu_steps.py run FOLDER --output gpu.json

`run` needs numpy, tokenizers, msgspec, Pillow, click, tqdm and onnxruntime-gpu (or onnxruntime and the TensorRT-RTX
plugin, for `--target rtx`). It paints picturebook with the bundles of each precision and counts the codes that the CPU
paints too. Then it times the decode step, backbone and image head, of a model of Janus-Pro-1B's shape whose weights are
random and made there: captured as a CUDA graph where ONNX Runtime offers it, and not captured, beside the time that
reading every weight once takes at the measured memory bandwidth. What fails is written down and the rest goes on.
"""

import argparse
import contextlib
import functools
import importlib
import json
import os
import platform
import shutil
import statistics
import tempfile
import time
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from gpu_bandwidth import bandwidth

from edgevlo.runtime.arrays import Codes, Floats

ROOT: Final = Path(__file__).resolve().parent.parent
WEIGHTS: Final = ("fp16", "int8", "int4")
PROMPTS: Final = ("a red car on the beach at sunset", "a blue house and a tree", "两只狗在雪地里")
CAPACITY: Final = 1024
LARGE: Final = 65_536  # bytes; larger tensors are made where they are used
DIALS: Final = {"layers": 24, "hidden": 2048, "mlp": 5632, "heads": 16, "head_dim": 128, "codes": 16_384}
FILLED: Final = 640  # tokens in the cache when steps are timed
STEPS: Final = 200


# Preparing, with the toolchain.


def prepare(folder: Path, target: str) -> None:
    """Write picturebook's bundles, the codes that the CPU paints, and the large model's graphs."""
    from edgevlo.export import export_checkpoint
    from edgevlo.quantization import quantize

    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory() as scratch:
        portable = Path(scratch) / "portable"
        export_checkpoint(ROOT / "picturebook" / "checkpoint", portable)
        exact = [codes.tolist() for codes in codes_of(portable)]
        (folder / "codes.json").write_text(json.dumps(exact), encoding="utf-8")
        for weights in WEIGHTS:
            quantize(portable, folder / f"{target}-{weights}", target=target, weights=weights, requests=0)
    for bits in (None, 8, 4):
        large(folder / "large", target, bits)


def large(folder: Path, target: str, bits: int | None) -> None:
    """Write backbone and image head of the large shape, their weights left out, and which those are."""
    import onnx_ir as ir

    from edgevlo.export.graphs.backbone import DecoderShape, build_backbone
    from edgevlo.export.graphs.guided_image_head import ImageHead, build_image_head
    from edgevlo.quantization.precision_recipes import GPU_INT8, INT4
    from edgevlo.quantization.targets.gpu import gpu_passes
    from edgevlo.quantization.targets.operators import refuse
    from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass

    shape = DecoderShape(
        prefix="model",
        layers=DIALS["layers"],
        hidden_size=DIALS["hidden"],
        mlp_size=DIALS["mlp"],
        heads=DIALS["heads"],
        kv_heads=DIALS["heads"],
        head_dim=DIALS["head_dim"],
        max_positions=CAPACITY,
        norm_eps=1e-6,
        rope_theta=10_000.0,
    )
    checkpoint: Any = _Shapes({"head.weight": (DIALS["codes"], DIALS["hidden"])})
    head = ImageHead(layers=("head",), codes=slice(0, DIALS["codes"]))
    made = folder / f"{target}-{'fp16' if bits is None else f'int{bits}'}"
    made.mkdir(parents=True)
    for role, model in (
        ("backbone", build_backbone(checkpoint, shape)),
        ("image_head", build_image_head(checkpoint, head)),
    ):
        passes: list[Any] = (
            [] if bits is None or role != "backbone" else [MatMulNBitsPass(GPU_INT8 if bits == 8 else INT4)]
        )
        kept: Any = role
        for rewrite in [*passes, *gpu_passes(target, kept, half="fp16", capacity=CAPACITY)]:
            rewrite(model)
        refuse(model, target, role)
        (made / f"{role}.json").write_text(json.dumps(_left_out(model, f"{role}.onnx.data")), encoding="utf-8")
        ir.save(model, made / f"{role}.onnx")


class _Shapes:
    """A checkpoint without numbers: vectors of ones, and shapes of what is never read."""

    def __init__(self, shapes: dict[str, tuple[int, int]]) -> None:
        self.shapes = {f"{name.removesuffix('.weight')}.weight": shape for name, shape in shapes.items()}

    def has(self, name: str) -> bool:
        return not name.endswith(".bias")

    def tensor(self, name: str, rows: slice = slice(None)) -> Floats:
        return np.ones(DIALS["hidden"], np.float32)


def _left_out(model: Any, file: str) -> list[dict[str, Any]]:
    """Replace the large tensors by references into a file that does not exist; return what is to stand there."""
    import onnx_ir as ir

    listed, offset = list[dict[str, Any]](), 0
    for value in model.graph.initializers.values():
        tensor = value.const_value
        if tensor.nbytes < LARGE:
            continue
        kind, shape = tensor.dtype, tensor.shape.numpy()
        size = -(-tensor.nbytes // 4096) * 4096
        fill = "rotary" if "rotary" in str(value.name) else "scales" if "scales" in str(value.name) else "weights"
        listed.append({"name": value.name, "type": str(kind), "offset": offset, "bytes": tensor.nbytes, "fill": fill})
        value.const_value = ir.ExternalTensor(
            file, offset, tensor.nbytes, kind, shape=ir.Shape(shape), name=str(value.name)
        )
        offset += size
    return listed


# Running, with a GPU.


def fill(folder: Path) -> int:
    """Write the files of random weights that the graphs of a folder refer to; return their bytes."""
    random, total = np.random.default_rng(0), 0
    noise = {
        "FLOAT16": (random.standard_normal(1 << 22) * 0.02).astype(np.float16).tobytes(),
        "FLOAT": (random.standard_normal(1 << 22) * 0.02).astype(np.float32).tobytes(),
        "other": random.bytes(1 << 22),
        "scales": np.full(1 << 22, 0.003, np.float16).tobytes(),
        "rotary": np.full(1 << 22, 0.7, np.float16).tobytes(),
    }
    for listed in sorted(folder.glob("*.json")):
        with (folder / f"{listed.stem}.onnx.data").open("wb") as file:
            for tensor in json.loads(listed.read_text(encoding="utf-8")):
                key = tensor["fill"] if tensor["fill"] != "weights" else tensor["type"]
                content, left = noise.get(key, noise["other"]), int(tensor["bytes"])
                file.seek(tensor["offset"])
                total += left
                while left:
                    left -= file.write(content[:left])
    return total


def codes_of(bundle: Path) -> list[Codes]:
    """Return the codes that a bundle paints."""
    from edgevlo.runtime.model import Model

    model = Model.open(bundle)
    return [list(model.paint_rows(prompt, seed=seed))[-1].codes for seed, prompt in enumerate(PROMPTS)]


def painted(folder: Path, target: str) -> dict[str, Any]:
    """Paint picturebook with every bundle; count codes that are those of the CPU, and time pictures."""
    listed = json.loads((folder / "codes.json").read_text(encoding="utf-8"))
    exact, found = [np.array(codes, np.int32) for codes in listed], dict[str, Any]()
    for weights in WEIGHTS:
        found[weights] = tried(functools.partial(_painted, folder / f"{target}-{weights}", exact))
    return found


def _painted(bundle: Path, exact: Sequence[Codes]) -> dict[str, Any]:
    from edgevlo.runtime.model import Model

    codes = codes_of(bundle)
    model, seconds = Model.open(bundle), list[float]()
    for seed in range(5):
        began = time.perf_counter()
        list(model.paint_rows(PROMPTS[0], seed=seed))
        seconds.append(time.perf_counter() - began)
    first = [
        int(np.argmax(np.append((ours != theirs).ravel(), True))) for ours, theirs in zip(codes, exact, strict=True)
    ]
    return {
        "codes_equal": [float(np.mean(ours == theirs)) for ours, theirs in zip(codes, exact, strict=True)],
        "first_difference": first,  # a code that differs changes all that follow it
        "codes": [int(theirs.size) for theirs in exact],
        "picture_ms": figures([1e3 * second for second in seconds[1:]]),
    }


def steps(folder: Path, target: str, *, captured: bool) -> dict[str, Any]:
    """Time the decode step of the large model, guidance of two branches."""
    import onnxruntime as ort

    from edgevlo.runtime.gpu.device import DeviceBackbone, DeviceImageHead
    from edgevlo.runtime.gpu.ort import OrtGraph
    from edgevlo.runtime.graphs.embeddings import Embeddings
    from edgevlo.runtime.manifest.graphs import Backbone
    from edgevlo.runtime.manifest.guidance import Sampling

    def opened(role: str) -> Any:
        options = ort.SessionOptions()
        options.log_severity_level = 3
        options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
        path = folder / f"{role}.onnx"
        if target == "cuda":
            providers = [("CUDAExecutionProvider", {"enable_cuda_graph": str(int(captured)), "use_tf32": "0"})]
            session = ort.InferenceSession(path, options, providers=[*providers, "CPUExecutionProvider"])
            if "CUDAExecutionProvider" not in session.get_providers():
                raise RuntimeError("the CUDA provider could not be started")
            return OrtGraph(session, "cuda")
        from edgevlo.runtime.gpu.tensorrt_rtx import devices

        options.add_provider_for_devices(devices()[:1], {})
        return OrtGraph(ort.InferenceSession(path, options), "cuda")

    began = time.perf_counter()
    backbone_graph, head_graph = opened("backbone"), opened("image_head")
    load = time.perf_counter() - began
    shape = Backbone(
        layers=DIALS["layers"],
        hidden_size=DIALS["hidden"],
        kv_heads=DIALS["heads"],
        head_dim=DIALS["head_dim"],
        max_positions=CAPACITY,
        cache_dtype="float16",
    )
    table = np.random.default_rng(1).standard_normal((DIALS["codes"], DIALS["hidden"])).astype(np.float32)
    backbone = DeviceBackbone(backbone_graph, shape, Embeddings(table), rows=2, capacity=CAPACITY)
    head = DeviceImageHead(head_graph, backbone, DIALS["codes"])
    began = time.perf_counter()
    backbone.prefill([list(range(FILLED)), list(range(FILLED // 2))])
    prompt = time.perf_counter() - began
    head.set(np.array([5, -4], np.float32), Sampling(temperature=1.0, top_k=0))
    uniforms, whole, draws = np.random.default_rng(2).random(STEPS), list[float](), list[float]()
    for uniform in uniforms:
        began = time.perf_counter()
        code = head.draw(float(uniform))
        drawn = time.perf_counter()
        backbone.step([code])
        whole.append(1e3 * (time.perf_counter() - began))
        draws.append(1e3 * (drawn - began))
    finite = bool(np.isfinite(backbone.last_hidden).all())
    return {
        "load_s": round(load, 2),
        "prompt_ms": round(1e3 * prompt, 1),
        "step_ms": figures(whole[20:]),
        "of_which_head_ms": figures(draws[20:]),
        "finite": finite,
        "where": assigned(backbone_graph.session),
    }


def assigned(session: Any) -> Any:
    """Return which operators run where, where this ONNX Runtime tells."""
    try:
        infos = session.get_provider_graph_assignment_info()
    except Exception as error:
        return f"not told: {type(error).__name__}"
    found = dict[str, dict[str, int]]()
    for info in infos:
        counts = found.setdefault(info.ep_name, {})
        for node in info.get_nodes():
            counts[node.op_type] = counts.get(node.op_type, 0) + 1
    return found


def tried(work: Callable[[], Any]) -> Any:
    """Return what work returns, or what it failed with."""
    try:
        return work()
    except Exception as error:
        traceback.print_exc()
        return {"failed": f"{type(error).__name__}: {str(error).strip().splitlines()[0][:400]}"}


def figures(samples: Sequence[float]) -> dict[str, float]:
    """Return median, minimum and maximum."""
    return {
        "median": round(statistics.median(samples), 3),
        "min": round(min(samples), 3),
        "max": round(max(samples), 3),
        "runs": len(samples),
    }


def run(folder: Path, target: str, output: Path) -> None:
    """Measure everything; write the figures after each part, so that a limit on time loses no more than the rest."""
    with contextlib.suppress(ImportError):
        importlib.import_module("torch")  # where it is, its CUDA libraries serve onnxruntime too
    import onnxruntime as ort

    found: dict[str, Any] = {
        "target": target,
        "onnxruntime": ort.__version__,
        "providers": ort.get_available_providers(),
        "python": platform.python_version(),
        "gpu": os.popen("nvidia-smi --query-gpu=name,driver_version,memory.total --format=csv,noheader").read().strip(),
    }

    def keep(name: str, value: Any) -> None:
        found[name] = value
        output.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
        print(name, json.dumps(value), flush=True)

    keep("picturebook", tried(functools.partial(painted, folder, target)))
    measured = tried(bandwidth) if target == "cuda" else None
    keep("bandwidth_bytes_s", measured)
    for weights in WEIGHTS:
        graphs = folder / "large" / f"{target}-{weights}"
        size = fill(graphs)
        floor = round(1e3 * size / measured, 3) if isinstance(measured, float) else None
        timed = {"weight_bytes": size, "floor_ms": floor}
        for captured in (True, False) if target == "cuda" else (False,):
            timed["captured" if captured else "not_captured"] = tried(
                functools.partial(steps, graphs, target, captured=captured)
            )
        keep(f"large_{weights}", timed)
        for data in graphs.glob("*.data"):
            data.unlink()


def main() -> None:
    """Prepare or run."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("command", choices=("prepare", "run"))
    parser.add_argument("folder", type=Path)
    parser.add_argument("--target", choices=("cuda", "rtx"), default="cuda")
    parser.add_argument("--output", type=Path, default=Path("gpu.json"))
    arguments = parser.parse_args()
    if arguments.command == "prepare":
        prepare(arguments.folder, arguments.target)
        size = sum(path.stat().st_size for path in arguments.folder.rglob("*") if path.is_file())
        print(f"{arguments.folder}: {size / 1e6:.1f} MB")
        return
    working = arguments.folder
    if not os.access(working, os.W_OK):
        working = Path(shutil.copytree(working, "gpu-bundles"))
    run(working, arguments.target, arguments.output)


if __name__ == "__main__":
    main()
