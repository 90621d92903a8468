"""How much memory an export takes beyond its imports, for a checkpoint of a released model's shape.

The exporter's promise is that memory does not grow with the depth of the model: it holds one decoder layer, or the
largest matrix (the output head, `4 V D` bytes in float32), or the image tokenizer, and never two of them.

The checkpoint is made for the run. Its decoder is a sparse file: of every matrix one row in 64 is random, the others
are zeros that take no disk, and norms are one. What the weights are changes neither memory nor time, and the random
rows are enough for the comparison to fail if a tensor came to a wrong place. The image tokenizer is random and dense,
because the exporter drops branches of zeros. The bundle is written in full, zeros and all.

    python benchmarks/export_memory.py                    # 2 and 6 layers of a small decoder
    python benchmarks/export_memory.py --shape emu3-gen-8b --name emu3_gen_8b    # 39 GB of disk
    python benchmarks/export_memory.py --shape small --layers 2 6 --hidden 1024

prints a line for every run and writes `results/export_memory.json`. `peak_gb` is the child's largest resident set
while it exports, less what it held after its imports, which is `imports_gb`; `resident_gb` is both. File pages that
the system may take back at any time are in it.
"""

import argparse
import dataclasses
import importlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import record
from weight_files import Shapes, write_header


@dataclasses.dataclass(frozen=True)
class Shape:
    """Sizes of an Emu3 checkpoint."""

    layers: int
    hidden: int
    mlp: int
    heads: int
    kv_heads: int
    vocabulary: int
    codes: int
    first_code: int
    positions: int
    vq_channels: int
    vq_multipliers: tuple[int, ...]


SHAPES: Final = {
    "emu3-gen-8b": Shape(32, 4096, 14336, 32, 8, 184622, 32768, 151854, 9216, 256, (1, 2, 2, 4)),
    "small": Shape(2, 1024, 3584, 8, 2, 8192, 1024, 64, 1024, 32, (1, 1)),
}
SPARSITY: Final = 64  # rows of a matrix to a random one
SPECIALS: Final = {  # as in Emu3-Gen, counted back from the first code
    "<|extra_200|>": 8,
    "<|extra_201|>": 7,
    "<bos>": 5,
    "<eos>": 4,
    "<|image token|>": 3,
    "<|image start|>": 2,
    "<|image end|>": 1,
}


def make_checkpoint(folder: Path, shape: Shape) -> None:
    """Write config, tokenizer and weights."""
    import torch
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from transformers import Emu3Config, Emu3ForConditionalGeneration, Emu3TextConfig, Emu3VQVAEConfig
    from transformers.models.emu3.modeling_emu3 import Emu3VQVAE

    vocabulary = {name: shape.first_code - back for name, back in SPECIALS.items()}
    vocabulary |= {f"<|visual token {code:06d}|>": shape.first_code + code for code in range(shape.codes)}
    config = Emu3Config(
        vocabulary_map=vocabulary,
        vq_config=Emu3VQVAEConfig(
            codebook_size=shape.codes,
            base_channels=shape.vq_channels,
            channel_multiplier=list(shape.vq_multipliers),
            hidden_size=shape.vq_channels * shape.vq_multipliers[-1],
        ),
        text_config=Emu3TextConfig(
            vocab_size=shape.vocabulary,
            hidden_size=shape.hidden,
            intermediate_size=shape.mlp,
            num_hidden_layers=shape.layers,
            num_attention_heads=shape.heads,
            num_key_value_heads=shape.kv_heads,
            max_position_embeddings=shape.positions,
            pad_token_id=0,
            bos_token_id=vocabulary["<bos>"],
            eos_token_id=vocabulary["<eos>"],
        ),
        tie_word_embeddings=False,
    )
    config.architectures = ["Emu3ForConditionalGeneration"]
    config.save_pretrained(folder)
    words = WordLevel(vocabulary | {"<unk>": 0}, unk_token="<unk>")
    Tokenizer(words).save(str(folder / "tokenizer.json"))

    with torch.device("meta"):
        model: Any = Emu3ForConditionalGeneration(config)
    torch.manual_seed(0)
    vq_config: Any = config.vq_config
    vq = Emu3VQVAE(vq_config)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    dense = {f"model.vqmodel.{name}": tensor for name, tensor in vq.state_dict().items()}
    ones = {name: torch.ones(size) for name, size in shapes.items() if name.endswith("norm.weight")}
    write_sparse(folder / "model.safetensors", shapes, {**ones, **dense})


def write_sparse(path: Path, shapes: Shapes, filled: dict[str, Any]) -> None:
    """Write a safetensors file of bf16 tensors: those that are filled whole, of the others every 64th row at random."""
    import torch

    with path.open("wb") as file:
        places = write_header(file, shapes)
        file.truncate(places[""])
        for name, shape in shapes.items():
            if name in filled:
                file.seek(places[name])
                file.write(as_bfloat16(filled[name]))
                continue
            size = int(torch.Size(shape[1:]).numel())
            for row in range(0, shape[0], SPARSITY):
                file.seek(places[name] + 2 * row * size)
                file.write(as_bfloat16(torch.randn(size) * 0.02))


def as_bfloat16(tensor: Any) -> bytes:
    """Return a torch tensor's numbers as the file holds them."""
    import torch

    raw: bytes = tensor.detach().bfloat16().contiguous().view(torch.int16).numpy().tobytes()
    return raw


def child(checkpoint: Path, bundle: Path) -> None:
    """Export, and print what it took as JSON. Runs in a process of its own."""
    print(json.dumps(measured_export(checkpoint, bundle, family="emu3", threads=1)))


def measured_export(checkpoint: Path, bundle: Path, *, family: str, threads: int) -> dict[str, Any]:
    """Export in this process; return what it took, and how far every graph was from the reference."""
    import torch

    from edgevlo.export import export_checkpoint
    from edgevlo.runtime.manifest.schema import read_manifest

    importlib.import_module(f"edgevlo.export.families.{family}")  # its imports are not the export's memory
    torch.set_num_threads(threads)
    before = status("VmRSS")
    steps: list[tuple[str, float]] = []  # what was told, and the peak since it was told
    forget_peak()

    def follow(what: str, done: int, _all: int) -> None:
        note_peak()
        steps.append((f"{what} {done}" if what.startswith("comparing") else what, 0.0))

    def note_peak() -> None:
        if steps:
            steps[-1] = (steps[-1][0], status("VmHWM") - before)
        forget_peak()

    began, worked = time.perf_counter(), time.process_time()
    export_checkpoint(checkpoint, bundle, progress=follow)
    minutes, cpu_minutes = (time.perf_counter() - began) / 60, (time.process_time() - worked) / 60
    note_peak()
    gigabytes: dict[str, float] = {}
    for what, peak in steps:
        gigabytes[what] = max(gigabytes.get(what, 0), round(peak, 3))
    size = sum(path.stat().st_size for path in bundle.iterdir()) / 1e9
    graphs = read_manifest(bundle).graphs
    errors = {role: graph.parity.error for role, graph in graphs.items() if graph.parity is not None}
    return {
        "peak_gb": max(gigabytes.values()),
        "imports_gb": round(before, 3),
        "resident_gb": round(before + max(gigabytes.values()), 3),
        "peak_gb_by_step": gigabytes,
        "minutes": round(minutes, 2),
        "cpu_minutes": round(cpu_minutes, 2),
        "bundle_gb": round(size, 3),
        "errors": {role: float(f"{error:.2g}") for role, error in errors.items()},
    }


def forget_peak() -> None:
    """Let VmHWM start again from what is resident now (man 5 proc, clear_refs)."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def status(field: str) -> float:
    """Return a field of /proc/self/status in GB."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(field))) * 1024 / 1e9


def measure(shape: Shape, folder: Path) -> dict[str, Any]:
    """Make a checkpoint, export it in a child process, and return what that took."""
    work = Path(tempfile.mkdtemp(dir=folder))
    try:
        checkpoint = work / "checkpoint"
        checkpoint.mkdir()
        make_checkpoint(checkpoint, shape)
        taken = sum(512 * path.stat().st_blocks for path in checkpoint.iterdir()) / 1e9
        command = [sys.executable, __file__, "--child", str(checkpoint), str(work / "bundle")]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(work)
    return {"shape": dataclasses.asdict(shape), "checkpoint_gb_on_disk": round(taken, 3), **found}


def main() -> None:
    """Read the arguments, measure, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--shape", choices=SHAPES, default="small")
    parser.add_argument("--layers", type=int, nargs="+", help="several numbers of layers, a run each")
    parser.add_argument("--hidden", type=int)
    parser.add_argument("--vocabulary", type=int)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is disk for it")
    parser.add_argument("--name", default="export_memory", help="of the file in results")
    parser.add_argument("--child", type=Path, nargs=2, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        child(*arguments.child)
        return
    shape = SHAPES[arguments.shape]
    changed = {key: getattr(arguments, key) for key in ("hidden", "vocabulary") if getattr(arguments, key)}
    layers = arguments.layers or ([2, 6] if arguments.shape == "small" else [shape.layers])
    runs = []
    for count in layers:
        run = measure(dataclasses.replace(shape, layers=count, **changed), arguments.folder)
        print(f"{count} layers: {run['peak_gb']} GB, {run['minutes']} minutes, {run['bundle_gb']} GB of bundle")
        runs.append(run)
    record.write(arguments.name, {"checkpoint": arguments.shape, "runs": runs})


if __name__ == "__main__":
    main()
