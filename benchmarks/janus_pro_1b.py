"""Janus-Pro-1B at its real shape with random weights: exported, quantised, opened, and whole pictures painted.

The weights are random because none can be had here, so the picture shows nothing; memory, time and the comparison of
every graph are those of the real shape. The checkpoint is written as transformers does, in shards of bfloat16, one
tensor in memory at a time.

    python benchmarks/janus_pro_1b.py                 # 4.2 GB of checkpoint, 8.4 GB of bundle
    python benchmarks/janus_pro_1b.py --layers 1      # of the decoder; everything else at its size
    python benchmarks/janus_pro_1b.py --parts export "int4 awq" --name janus_pro_1b_awq    # most of an hour

prints the figures and writes `results/janus_pro_1b.json`. Every part runs in a process of its own. Peaks are largest
resident sets less what was resident after the imports; pages of files that the system may take back at any time are in
them. Beside the time on the clock stands the processors' time, which other work on the machine lengthens less.
"""

import argparse
import itertools
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import record
from export_memory import as_bfloat16, forget_peak, measured_export, status
from weight_files import Shapes, write_header

Part: TypeAlias = Callable[[Path, Path], dict[str, Any]]

SHARD_BYTES: Final = 1_000_000_000
VOCABULARY: Final = 102_400
SPECIALS: Final = {  # as in deepseek-community/Janus-Pro-1B, as far as it is known; where they are is no matter here
    "<｜begin▁of▁sentence｜>": 100_000,
    "<｜end▁of▁sentence｜>": 100_001,
    "<｜▁pad▁｜>": 100_015,
    "<begin_of_image>": 100_016,
    "<|User|>": 100_013,
    "<|Assistant|>": 100_014,
    "<image_placeholder>": 100_581,
    "<end_of_image>": 100_593,
}
LAYERS: Final = 24
PROMPT: Final = "a red car on the beach at sunset"
GUIDANCE: Final = 5.0


def config(layers: int) -> Any:
    """Return Janus-Pro-1B's config with so many layers."""
    from transformers import JanusConfig, JanusVisionConfig, JanusVQVAEConfig, LlamaConfig

    made = JanusConfig(
        text_config=LlamaConfig(
            vocab_size=VOCABULARY,
            hidden_size=2048,
            intermediate_size=5632,
            num_hidden_layers=layers,
            num_attention_heads=16,
            num_key_value_heads=16,
            max_position_embeddings=16_384,
            rms_norm_eps=1e-6,
            bos_token_id=100_000,
            eos_token_id=100_001,
            tie_word_embeddings=False,
        ),
        vision_config=JanusVisionConfig(
            hidden_size=1024,
            num_hidden_layers=24,
            num_attention_heads=16,
            image_size=384,
            patch_size=16,
            projection_dim=2048,
            num_image_tokens=576,
            depth=2,
        ),
        vq_config=JanusVQVAEConfig(
            embed_dim=8,
            num_embeddings=16_384,
            latent_channels=256,
            base_channels=128,
            channel_multiplier=[1, 1, 2, 2, 4],
            num_res_blocks=2,
            projection_dim=2048,
            image_token_embed_dim=2048,
            num_hidden_layers=2,
        ),
        image_token_id=SPECIALS["<image_placeholder>"],
        tie_word_embeddings=False,
    )
    made.architectures = ["JanusForConditionalGeneration"]
    return made


def make_checkpoint(folder: Path, layers: int) -> int:
    """Write config, tokenizer, preprocessor and weights; return how many numbers the weights are."""
    import torch
    from tokenizers import AddedToken, Tokenizer, pre_tokenizers
    from tokenizers.models import WordLevel
    from transformers import JanusForConditionalGeneration

    made = config(layers)
    made.save_pretrained(folder)
    names = {place: f"word{place}" for place in range(VOCABULARY)} | {at: name for name, at in SPECIALS.items()}
    names |= dict(enumerate((*PROMPT.split(), ":", "\n\n"), start=1))
    tokenizer = Tokenizer(WordLevel({name: place for place, name in names.items()}, unk_token="word0"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(" ", "removed")
    tokenizer.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in SPECIALS])
    tokenizer.save(str(folder / "tokenizer.json"))
    scaling = {"image_mean": [0.5] * 3, "image_std": [0.5] * 3, "min_size": 14, "size": {"height": 384, "width": 384}}
    (folder / "preprocessor_config.json").write_text(json.dumps(scaling), encoding="utf-8")
    with torch.device("meta"):
        model: Any = JanusForConditionalGeneration(made)
    shapes = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    _write_shards(folder, shapes)
    return sum(map(math.prod, shapes.values()))


def _write_shards(folder: Path, shapes: Shapes) -> None:
    import torch

    torch.manual_seed(0)
    shards = list(_shards(shapes))
    places: dict[str, str] = {}
    for number, names in enumerate(shards, start=1):
        file = f"model-{number:05d}-of-{len(shards):05d}.safetensors"
        places |= dict.fromkeys(names, file)
        with (folder / file).open("wb") as out:
            write_header(out, {name: shapes[name] for name in names})
            for name in names:  # in the header's order
                out.write(as_bfloat16(_random(name, shapes[name])))
    index = {"metadata": {"total_size": 2 * sum(map(math.prod, shapes.values()))}, "weight_map": places}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")


def _shards(shapes: Shapes) -> Iterator[list[str]]:
    """Yield the names of each shard."""
    names: list[str] = []
    held = 0
    for name, shape in shapes.items():
        if names and held + 2 * math.prod(shape) > SHARD_BYTES:
            yield names
            names, held = [], 0
        names.append(name)
        held += 2 * math.prod(shape)
    yield names


def _random(name: str, shape: tuple[int, ...]) -> Any:
    """Return a tensor as a new model has it, but with heads that prefer some codes to others."""
    import torch

    tensor = torch.empty(shape, dtype=torch.bfloat16)
    if name.endswith("norm.weight") or (len(shape) == 1 and name.endswith("weight")):
        return tensor.fill_(1)
    if name.endswith("bias"):
        return tensor.zero_()
    return tensor.normal_(std=0.2 if "generation" in name else 0.02)


def export(checkpoint: Path, bundle: Path) -> dict[str, Any]:
    """Export in this process; return what it took."""
    return measured_export(checkpoint, bundle, family="janus", threads=os.cpu_count() or 1)


def quantize(weights: str, **options: Any) -> Part:
    """Return the part that quantises a portable bundle in its process, unjudged, and says what it took."""

    def part(portable: Path, bundle: Path) -> dict[str, Any]:
        from edgevlo.quantization import quantize as write

        before = status("VmRSS")
        forget_peak()
        began, worked = time.perf_counter(), time.process_time()
        made = write(portable, bundle, weights=weights, requests=0, **options)
        return {
            "minutes": round((time.perf_counter() - began) / 60, 2),
            "cpu_minutes": round((time.process_time() - worked) / 60, 2),
            "peak_gb": round(status("VmHWM") - before, 3),
            "imports_gb": round(before, 3),
            "bundle_gb": round(sum(file.bytes for file in made.files.values()) / 1e9, 3),
            "gb_by_file": {
                name: round(file.bytes / 1e9, 3) for name, file in made.files.items() if file.bytes >= 5_000_000
            },
        }

    return part


def paint(bundle: Path, picture: Path) -> dict[str, Any]:
    """Open the bundle in this process and paint one picture with guidance; return what it took."""
    import edgevlo
    from edgevlo.runtime import model  # noqa: F401  (its imports are not the painting's memory)

    before = status("VmRSS")
    forget_peak()
    began, worked = time.perf_counter(), time.process_time()
    opened = edgevlo.load(bundle)
    opening = time.perf_counter() - began
    rows = []
    for stroke in opened.paint_rows(PROMPT, seed=0, guidance_scale=GUIDANCE):
        rows.append(time.perf_counter() - began)
        last = stroke
    edgevlo.save_png(last.preview, picture)
    minutes = (time.perf_counter() - began) / 60
    cells = last.codes.shape[1]
    steps = [(after - before) / cells for before, after in itertools.pairwise(rows)]
    return {
        "codes": int(last.codes.size),
        "different_codes": len({*last.codes.ravel().tolist()}),
        "size": list(last.preview.size),
        "guidance_scale": GUIDANCE,
        "open_and_hash_seconds": round(opening, 1),
        "seconds_a_code": record.spread(steps),
        "minutes": round(minutes, 2),
        "cpu_minutes": round((time.process_time() - worked) / 60, 2),
        "peak_gb": round(status("VmHWM") - before, 3),
        "imports_gb": round(before, 3),
    }


SMALLEST: Final = ("tables=int4", "vision_encoder=int4", "image_head=int4", "image_decoder=fp16")
PARTS: Final[dict[str, tuple[Part, str, str]]] = {  # what is done, from which folder, and into which
    "export": (export, "checkpoint", "portable"),
    "int8": (quantize("int8"), "portable", "int8"),
    "int4": (quantize("int4"), "portable", "int4"),
    "int4, everything": (quantize("int4", overrides=SMALLEST, block_size=128), "portable", "smallest"),
    "paint int4": (paint, "int4", "int4.png"),
    "paint int8": (paint, "int8", "int8.png"),
    "paint": (paint, "portable", "portable.png"),
    "int4 awq": (quantize("int4", method="awq"), "portable", "awq"),  # these first paint what ships to calibrate by
    "int4 gptq": (quantize("int4", method="gptq"), "portable", "gptq"),
}
SLOW: Final = ("int4 awq", "int4 gptq")


def main() -> None:
    """Read the arguments, make, export, quantise, paint, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--layers", type=int, default=LAYERS)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()), help="where there is disk for it")
    parser.add_argument("--name", default="janus_pro_1b", help="of the file in results")
    usual = [part for part in PARTS if part not in SLOW]
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=usual, help="what is done, after the checkpoint")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.child:
        what, source, target = arguments.child
        print(json.dumps(PARTS[what][0](Path(source), Path(target))))
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(dir=arguments.folder))
    try:
        (work / "checkpoint").mkdir()
        numbers = make_checkpoint(work / "checkpoint", arguments.layers)
        figures: dict[str, Any] = {"layers": arguments.layers, "parameters": numbers, "load_before": _load()}
        for what in arguments.parts:
            _, source, target = PARTS[what]
            figures[what] = _child(what, work / source, work / target)
            print(f"{what}: {json.dumps(figures[what])}", flush=True)
        figures["load_after"] = _load()
    finally:
        shutil.rmtree(work)
    record.write(arguments.name, figures)


def _load() -> list[float]:
    """Return how many processes wanted a core in the last 1, 5 and 15 minutes: what else the machine did."""
    return [round(load, 2) for load in os.getloadavg()]


def _child(what: str, source: Path, target: Path) -> dict[str, Any]:
    """Run a part in a process of its own."""
    command = [sys.executable, __file__, "--child", what, str(source), str(target)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
