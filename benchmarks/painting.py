"""How long a picture takes, where the time goes, and what stays flat.

A 128x128 picture of picturebook is 64 steps of a few million multiplications each, so starting Python, loading the
graphs and calling them decide what a person waits for. Measured here:

- a whole `edgevlo paint` from a cold process, and when its first row is on the screen;
- the same checkpoint painted by transformers' `generate` in one process, in turns with ours;
- a step with one thread and with two;
- the share of a step that Python spends outside the graphs;
- step time against the capacity of the KV cache, and memory over 100 pictures in one process;
- the size of the runtime's environment, and the time that `import edgevlo` takes.

    python benchmarks/painting.py [--runs 7] [--checkpoint picturebook/checkpoint]
"""

import argparse
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import record

import edgevlo
from edgevlo.runtime.generate import raster_loop
from edgevlo.runtime.generate.options import Options, resolve
from edgevlo.runtime.generate.raster_loop import RasterPlan, uniforms
from edgevlo.runtime.generate.understanding import Understood
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.graphs.protocols import is_session

ROOT = Path(__file__).parent.parent
PROMPT = "a red car on the beach at sunset"


def cold_process(runs: int) -> dict[str, Any]:
    """Time whole commands, and the first row of `--watch`, each in a new process."""
    runtime = ROOT / ".venv" / "bin" / "edgevlo"
    program = [str(runtime)] if runtime.exists() else [sys.executable, "-m", "edgevlo"]
    whole, first_row, imports = [], [], []
    folder = tempfile.TemporaryDirectory()
    for seed in range(runs):
        command = [*program, "paint", PROMPT, "--seed", str(seed), "-o", f"{folder.name}/painted.png"]
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        whole.append(time.perf_counter() - began)
        began = time.perf_counter()
        with subprocess.Popen([*command, "--watch"], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            first_row.append(time.perf_counter() - began)
            process.stdout.read()
        python = Path(program[0]).with_name("python") if runtime.exists() else Path(sys.executable)
        bare, loaded = (_seconds([str(python), "-c", code]) for code in ("pass", "import edgevlo"))
        imports.append(max(loaded - bare, 0.0))
    folder.cleanup()
    return {
        "whole_command_s": record.spread(whole),
        "first_row_s": record.spread(first_row),
        "import_edgevlo_s": record.spread(imports),
    }


def environment_size() -> dict[str, Any]:
    """Add up the files of the runtime's site-packages, pip included, if `make paint` made that environment."""
    packages = list((ROOT / ".venv").glob("lib/python*/site-packages"))
    sizes = [file.stat().st_size for folder in packages for file in folder.rglob("*") if file.is_file()]
    bundle = sum(file.stat().st_size for file in edgevlo.load().bundle.folder.iterdir())
    return {"site_packages_mb": round(sum(sizes) / 1e6, 1) if sizes else None, "bundle_mb": round(bundle / 1e6, 1)}


def threads(model: edgevlo.Model, runs: int) -> dict[str, Any]:
    """Time a step of the backbone, two rows at 100 tokens, with one thread and with two, in turns."""
    graph, shape = model.bundle.path(model.manifest.graphs["backbone"].file), model.manifest.backbone
    backbones = {}
    for count in (1, 2):
        options = ort.SessionOptions()
        options.intra_op_num_threads = count
        session = ort.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        backbones[count] = Backbone(session, shape, model._engine._embeddings, rows=2, capacity=256)
    samples: dict[int, list[float]] = {count: [] for count in backbones}
    for _ in range(runs * 20):
        for count, backbone in backbones.items():
            backbone.prefill([[5] * 100, [5] * 90])
            began = time.perf_counter()
            for _ in range(10):
                backbone.step((5,))
            samples[count].append(1e2 * (time.perf_counter() - began))
    return {"backbone_step_ms_by_threads": {str(count): record.spread(values) for count, values in samples.items()}}


def _seconds(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began


class TimedSession:
    """A session that adds up the time spent inside it."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.seconds = 0.0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._session, name)

    def run_with_iobinding(self, binding: Any) -> None:
        """Run, and add the time it took."""
        began = time.perf_counter()
        self._session.run_with_iobinding(binding)
        self.seconds += time.perf_counter() - began


def host_share(model: edgevlo.Model, runs: int) -> dict[str, Any]:
    """Measure the loop of whole pictures and the part of it spent outside `run_with_iobinding`."""
    engine = edgevlo.Model(model.bundle)._engine
    timed = [TimedSession(engine._backbone), TimedSession(engine._image_head)]
    engine.__dict__["_backbone"], engine.__dict__["_image_head"] = timed
    prompts = [[1, 2, 3, 4, 5, 6, 7, 8]] * 2
    columns = 8
    plan = RasterPlan(rows=8, columns=columns, uniforms=uniforms(0, 64), first_token=0, row_suffix=(7,))
    shares, steps = [], []
    for _ in range(runs * 3):
        with engine.painter(prompts, 100) as painter:
            painter.head.set(np.array([3.0, -2.0], dtype=np.float32), model.manifest.sampling)
            before = sum(session.seconds for session in timed)
            began = time.perf_counter()
            for _code in raster_loop.paint(painter.head.draw, painter.backbone.step, plan):
                pass
            whole = time.perf_counter() - began
            inside = sum(session.seconds for session in timed) - before
        steps.append(1e3 * whole / plan.cells)
        shares.append(1 - inside / whole)
    return {"step_ms": record.spread(steps), "host_share": record.spread(shares)}


def flat_in_capacity(model: edgevlo.Model, runs: int) -> dict[str, Any]:
    """Time a step at 100 tokens in caches of growing capacity, interleaved."""
    engine, shape = model._engine, model.manifest.backbone
    capacities = [capacity for capacity in (128, 256, 512, 1024) if capacity <= shape.max_positions]
    session = engine._backbone
    assert is_session(session), "a bundle for CPUs is measured"
    backbones = [Backbone(session, shape, engine._embeddings, rows=2, capacity=capacity) for capacity in capacities]
    samples: dict[int, list[float]] = {capacity: [] for capacity in capacities}
    for _ in range(runs * 20):
        for backbone in backbones:
            backbone.prefill([[5] * 100, [5] * 90])
            backbone.step((5,))
            began = time.perf_counter()
            for _ in range(10):
                backbone.step((5,))
            samples[backbone.capacity].append(1e2 * (time.perf_counter() - began))
    return {"backbone_step_ms_by_capacity": {str(key): record.spread(values) for key, values in samples.items()}}


def flat_memory(model: edgevlo.Model) -> dict[str, Any]:
    """Paint 100 pictures of changing prompts and sizes; report the peak memory after 10 and after 100."""
    sizes = ["128x128", "160x96", "96x160"]
    peaks = {}
    for number in range(1, 101):
        words = " ".join(["very"] * (number % 7))
        model.paint(f"a {words} red car", size=sizes[number % 3], seed=number)
        if number in (10, 50, 100):
            peaks[f"after_{number}"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, 1)
    return {"peak_memory_mb": peaks}


def beside_transformers(model: edgevlo.Model, checkpoint: Path, runs: int) -> dict[str, Any]:
    """Paint the same picture with transformers' `generate` and with the runtime, alternately, both greedy and warm."""
    import torch
    import transformers

    library: Any = transformers
    reference = library.Emu3ForConditionalGeneration.from_pretrained(checkpoint).eval()
    request = _greedy_request(model)
    plan = request.plan
    suffix = list(plan.row_suffix)
    visual = list(range(plan.first_token, plan.first_token + model.manifest.codes.count))
    start = len(request.prompts[0])

    def allowed(_: int, sequence: Any) -> list[int]:
        return suffix if (sequence.shape[0] - start + 1) % (plan.columns + 1) == 0 else visual

    def generate() -> list[int]:
        ids, negative = (torch.tensor([prompt]) for prompt in request.prompts)
        with torch.no_grad():
            out = reference.generate(
                input_ids=ids,
                attention_mask=torch.ones_like(ids),
                negative_prompt_ids=negative,
                negative_prompt_attention_mask=torch.ones_like(negative),
                guidance_scale=request.weights[0],
                prefix_allowed_tokens_fn=allowed,
                generation_config=library.GenerationConfig(
                    max_new_tokens=plan.rows * (plan.columns + 1), do_sample=False
                ),
            )
        return [
            int(token) - plan.first_token for token in out[0, start:] if int(token) in range(visual[0], visual[-1] + 1)
        ]

    def paint() -> list[int]:
        with model._engine.painter(request.prompts, plan.cells + plan.rows) as painter:
            painter.head.set(np.array(request.weights, dtype=np.float32), request.sampling)
            return list(raster_loop.paint(painter.head.draw, painter.backbone.step, plan))

    ours, theirs, equal = [], [], []
    for _ in range(runs):
        began = time.perf_counter()
        expected = generate()
        theirs.append(time.perf_counter() - began)
        began = time.perf_counter()
        codes = paint()
        ours.append(time.perf_counter() - began)
        equal.append(float(np.mean(np.equal(codes, expected))))
    return {
        "same_picture_s": {"edgevlo": record.spread(ours), "transformers": record.spread(theirs)},
        "times_faster": round(statistics.median(theirs) / statistics.median(ours), 2),
        "codes_equal": min(equal),
    }


def _greedy_request(model: edgevlo.Model) -> Any:
    ability = model._ability("paint")
    settings = resolve(Options(seed=0, temperature=0.0, guidance_scale=3.0), ability, model.manifest)
    return model._painting.request(ability, Understood(PROMPT, PROMPT), [], model.grid.default, settings)


def main() -> None:
    """Measure everything, interleaving what is compared."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--checkpoint", type=Path, default=ROOT / "picturebook" / "checkpoint")
    arguments = parser.parse_args()
    model = edgevlo.load()
    figures = {"bundle": model.bundle.digest[:16], "target": model.manifest.target}
    figures |= flat_memory(model)
    figures |= cold_process(arguments.runs)
    figures |= environment_size()
    figures |= host_share(model, arguments.runs)
    figures |= threads(model, arguments.runs)
    figures |= flat_in_capacity(model, arguments.runs)
    figures |= beside_transformers(model, arguments.checkpoint, arguments.runs)
    record.write("painting", figures)


if __name__ == "__main__":
    main()
