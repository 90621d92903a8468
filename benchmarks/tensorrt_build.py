"""Whether TensorRT's own parser and builder take the graphs of target `tensorrt`, without a GPU.

    pip download --no-deps onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0 tensorrt_cu13_bindings==11.4.0.106
    pip install --no-deps --target SITE *.whl          # their licences: docs/gpu-and-jetson.md
    PYTHONPATH=SITE python benchmarks/tensorrt_build.py

The first wheel holds TensorRT-RTX 1.7.1, which NVIDIA documents to build engines on machines without a GPU; the second
the Python bindings of TensorRT 11.4, which load it under the names they look for. NVIDIA does not support this mix,
and nothing is executed: an engine that was built is evidence for parser and builder alone.

Models: picturebook (from its checkpoint), and tiny Janus and Emu3 checkpoints with random weights. Forms: half
precision; weights in int8, int4 and fp8; activations and weights in int8 and fp8 as Q/DQ, with thresholds from one run
on the inputs of the comparison. Each graph is also run on ONNX Runtime's CPU provider, as written, on random inputs,
which for the backbone are embeddings of random tokens: `error` is the relative L2 difference of its output from the
float32 graph's. Writes `results/tensorrt_build.json`.
"""

import argparse
import importlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

import numpy as np

from edgevlo.runtime.arrays import Array
from edgevlo.runtime.gpu.tensorrt_profiles import profiles
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import Manifest, read_manifest

ROOT: Final = Path(__file__).resolve().parent.parent
PLUGIN: Final = "onnxruntime_ep_nv_tensorrt_rtx"
BINDINGS: Final = "tensorrt_bindings"
QDQ: Final = "edgevlo.quantization.passes.qdq"
LAYERS: Final = "edgevlo.quantization.passes._graph"
# What the bindings look for, and a part of the library's name in the plugin's folder.
ALIASES: Final = {
    "libnvinfer.so.11": "libtensorrt_rtx.so.*",
    "libtensorrt_rtx.so.1": "libtensorrt_rtx.so.*",
    "libtensorrt_rtx.so": "libtensorrt_rtx.so.*",
    "libnvonnxparser.so.11": "libtensorrt_onnxparser_rtx.so.*",
}
STUB: Final = "int initLibNvInferPlugins(void *log, const char *name) { (void)log; (void)name; return 1; }"
MODELS: Final = ("picturebook", "janus", "emu3")
WEIGHTS: Final = ("fp16", "bf16", "int8", "int4", "fp8")
ACTIVATIONS: Final = ("int8", "fp8")
CAPACITY: Final = 512
SHOWN: Final[dict[GraphRole, str]] = {
    "backbone": "hidden",
    "image_head": "logits",
    "text_head": "logits",
    "image_decoder": "pixels",
    "image_tokenizer": "codes",
    "vision_encoder": "features",
}


def library_folder(to: Path) -> Path:
    """Make the folder of libraries under the names that the bindings look for; the files stay where they are."""
    spec = find_spec(PLUGIN)
    if spec is None or spec.origin is None or find_spec(BINDINGS) is None:
        raise SystemExit(f"{PLUGIN} or {BINDINGS} is not on the path; the head of this file says how to get them.")
    for alias, pattern in ALIASES.items():
        (real,) = (path for path in Path(spec.origin).parent.glob(pattern) if not path.is_symlink())
        (to / alias).symlink_to(real)
    plugins = "libnvinfer_plugin.so.11"  # of which the bindings name one function, and no graph of ours any operator
    command = ["cc", "-shared", "-fPIC", f"-Wl,-soname,{plugins}", "-x", "c", "-", "-o", str(to / plugins)]
    subprocess.run(command, input=STUB, text=True, check=True)
    return to


def portable(model: str, folder: Path) -> Path:
    """Export a model's portable bundle into the folder."""
    from edgevlo.export import export_checkpoint

    sys.path.insert(0, str(ROOT / "tests"))
    from emu3_checkpoints import CARD, SHAPES, make_checkpoint
    from janus_checkpoints import JANUS_SHAPES, make_janus

    checkpoint = folder / f"{model}-checkpoint"
    if model == "picturebook":
        checkpoint = ROOT / "picturebook" / "checkpoint"
    elif model == "janus":
        make_janus(checkpoint, JANUS_SHAPES[0])
    else:
        make_checkpoint(checkpoint, SHAPES[0])
        (checkpoint / "edgevlo.json").write_text(json.dumps(CARD), encoding="utf-8")
    export_checkpoint(checkpoint, folder / model)
    return folder / model


def forms(bundle: Path, folder: Path) -> Iterator[tuple[str, Path]]:
    """Write every form of a bundle for TensorRT; yield what it is called and where it lies."""
    from edgevlo.quantization import quantize

    for weights in WEIGHTS:
        made = folder / f"weights-{weights}"
        quantize(bundle, made, target="tensorrt", weights=weights, capacity=CAPACITY, requests=0)
        yield f"weights {weights}", made
    for kind in ACTIVATIONS:
        yield f"Q/DQ {kind}", with_activations(bundle, folder / "weights-fp16", folder / f"activations-{kind}", kind)


def with_activations(bundle: Path, half: Path, made: Path, kind: Any) -> Path:
    """Write the graphs with activations and weights quantised; the manifest is that of the half-precision bundle."""
    import onnx_ir as ir

    from edgevlo.quantization.targets.gpu import gpu_passes
    from edgevlo.quantization.targets.operators import refuse

    shutil.copytree(half, made)
    manifest = read_manifest(half)
    for role, graph in manifest.graphs.items():
        if role == "image_tokenizer":
            continue
        model = ir.load(bundle / graph.file)
        thresholds = observed(bundle / graph.file, inputs(bundle, manifest, role, halves=False))
        passes = [importlib.import_module(QDQ).QuantizeDequantizePass(kind, thresholds)]
        for rewrite in [*passes, *gpu_passes("tensorrt", role, half="fp16", capacity=CAPACITY)]:
            rewrite(model)
        refuse(model, "tensorrt", role)
        ir.save(model, made / graph.file, external_data=f"{graph.file}.data")
    return made


def observed(graph: Path, feeds: dict[str, Array]) -> dict[str, float]:
    """Return the largest absolute value of every product's input in one run."""
    import onnx
    import onnx_ir as ir

    names = sorted(
        {str(layer.x.name) for layer in importlib.import_module(LAYERS).linear_layers(ir.load(graph).graph)}
        - feeds.keys()
    )
    model = onnx.load(graph)
    known = {value.name for value in model.graph.output}
    model.graph.output.extend(onnx.helper.make_empty_tensor_value_info(name) for name in names if name not in known)
    with tempfile.TemporaryDirectory() as folder:
        onnx.save(model, f"{folder}/graph.onnx", save_as_external_data=True)
        seen = session(Path(folder) / "graph.onnx").run(names, feeds) if names else []
    largest = {name: float(np.abs(array).max()) for name, array in zip(names, seen, strict=True)}
    floats = {name: float(np.abs(array).max()) for name, array in feeds.items() if array.dtype == np.float32}
    return largest | floats


def inputs(folder: Path, manifest: Manifest, role: GraphRole, *, halves: bool = True) -> dict[str, Array]:
    """Return random inputs of a graph of a bundle, in the shapes that its last profile calls usual."""
    random, feeds = np.random.default_rng(7), dict[str, Array]()
    usual = profiles(manifest, role)[-1].usual
    for tensor in manifest.graphs[role].inputs:
        shape = usual[tensor.name]
        if tensor.name.startswith(("past_keys.", "past_values.")):
            feeds[tensor.name] = np.zeros(shape, tensor.dtype if halves else "float32")
        elif tensor.dtype == "float32":
            feeds[tensor.name] = random.standard_normal(shape).astype(np.float32)
        else:
            feeds[tensor.name] = random.integers(0, manifest.codes.count, shape)
    if role == "backbone":
        table = read_manifest(folder).token_embedding  # in the folder's own type
        rows = np.memmap(folder / table.file, dtype=table.dtype, mode="r", shape=table.shape)
        tokens = random.integers(0, table.shape[0], feeds["inputs_embeds"].shape[:2])
        feeds["inputs_embeds"][:] = rows[tokens]  # what a backbone is made for
        feeds["past_lengths"][:] = 0
        feeds["token_counts"][:] = feeds["inputs_embeds"].shape[1]
    if role == "image_head":
        feeds["temperature"], feeds["top_k"] = np.ones((), np.float32), np.zeros(1, np.int64)
        feeds["uniform"] = np.full(1, 0.5, np.float32)
        if not halves and any(tensor.name == "top_p" for tensor in read_manifest(folder).graphs[role].inputs):
            feeds["top_p"] = np.ones(1, np.float32)  # of the graph before: targets of TensorRT have none
    return feeds


def session(graph: Path) -> Any:
    """Open a graph on the CPU as it is written, nothing fused."""
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    options.log_severity_level = 3
    return ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])


def compared(bundle: Path, form: Path) -> dict[str, float | None]:
    """Return how far each graph of a form is from the float32 graph; None for bf16, which the CPU does not run."""
    manifest, errors = read_manifest(form), dict[str, float | None]()
    for role, graph in manifest.graphs.items():
        if manifest.backbone.cache_dtype == "bfloat16":
            errors[role] = None
            continue
        (exact,) = session(bundle / graph.file).run([SHOWN[role]], inputs(bundle, manifest, role, halves=False))
        (found,) = session(form / graph.file).run([SHOWN[role]], inputs(bundle, manifest, role))
        difference = np.linalg.norm((found - exact).astype(np.float64)) / np.linalg.norm(exact.astype(np.float64))
        errors[role] = float(f"{difference:.2g}")
    return errors


def build(form: Path) -> None:
    """Build every engine of a form with the installed bindings; print a line of JSON for each. Runs in a process."""
    trt: Any = importlib.import_module(BINDINGS)

    from edgevlo.runtime.errors import BundleError
    from edgevlo.runtime.gpu.tensorrt_build import build_serialized_engine

    manifest = read_manifest(form)
    for role, graph in manifest.graphs.items():
        began = time.perf_counter()
        try:
            engine = build_serialized_engine(trt, form / graph.file, profiles(manifest, role))
            told: dict[str, Any] = {"built": True, "engine_bytes": len(engine)}
        except BundleError as error:
            told = {"built": False, "reason": str(error).replace(str(form.parent), "")}
        told |= {"graph": role, "seconds": round(time.perf_counter() - began, 2), "bindings": trt.__version__}
        print(json.dumps(told), flush=True)


def built(form: Path, libraries: Path) -> list[dict[str, Any]]:
    """Build the engines of a form in a process that finds the libraries."""
    environment = {**os.environ, "LD_LIBRARY_PATH": str(libraries)}
    command = [sys.executable, __file__, "--build", str(form)]
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
    return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]


def measure(models: list[str], folder: Path) -> dict[str, Any]:
    """Build and compare every form of the models."""
    (folder / "libraries").mkdir()
    libraries, found = library_folder(folder / "libraries"), dict[str, Any]()
    for model in models:
        bundle = portable(model, folder)
        found[model] = {}
        (folder / f"{model}-forms").mkdir()
        for name, form in forms(bundle, folder / f"{model}-forms"):
            errors = compared(bundle, form)
            found[model][name] = {
                told.pop("graph"): {**told, "error": errors[role]}
                for told in built(form, libraries)
                for role in [told["graph"]]
            }
            for role, told in found[model][name].items():
                print(f"{model:12} {name:13} {role:16} {told}", flush=True)
    return found


def main() -> None:
    """Measure and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--output", type=Path, help="write the figures into this file instead of results/")
    parser.add_argument("--build", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.build is not None:
        build(arguments.build)
        return
    with tempfile.TemporaryDirectory() as folder:
        figures = measure(arguments.models, Path(folder))
    if arguments.output is not None:
        arguments.output.write_text(json.dumps(figures), encoding="utf-8")
        return
    import record

    packages = ("onnxruntime-ep-nv-tensorrt-rtx-cu13", "tensorrt_cu13_bindings", "onnx", "onnx-ir")
    versions = {package: version(package) for package in packages}
    print(record.write("tensorrt_build", {"packages": versions, "executed": False, "models": figures}))


if __name__ == "__main__":
    main()
