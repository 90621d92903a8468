"""Judge a training run: `python -m edgevlo.picturebook.evaluate RUN --count 100` prints a table and writes JSON."""

from __future__ import annotations

import argparse
import json
import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import click
import numpy as np
import torch
from numpy.typing import NDArray

from . import atlas, judge, layout, painter, text
from .checkpoint import assemble
from .painter import Draw
from .sequence import Encoder
from .tasks import TASKS, Mix, Sample, judged_paint
from .words import LANGUAGES

Scores = dict[str, dict[str, float]]
JUDGED = Mix({}, (0.0, 0.45, 0.4, 0.15), 1.0, empty=0.0)


def batches(samples: list[Sample], size: int) -> Iterator[list[Sample]]:
    """Batches of samples of one grid."""
    groups: dict[Any, list[Sample]] = defaultdict(list)
    for sample in samples:
        groups[sample.target.shape if sample.target is not None else None].append(sample)
    for group in groups.values():
        for start in range(0, len(group), size):
            yield group[start : start + size]


def score(sample: Sample, codes: NDArray[np.int32]) -> dict[str, float]:
    """Numbers of one painted picture, 0..1 each; `all` is the headline."""
    assert sample.target is not None
    same = codes == sample.target
    found = {"exact": float(same.all())}
    task = sample.task.split(":")[0]
    if task == "segmentation":
        return found | {"all": judge.segment_scores(sample.target, codes)}
    if task == "edges":
        return found | {"all": judge.edge_f1(sample.target, codes)}
    if task == "boxes":
        return found | {"all": found["exact"]}
    reading = judge.read(atlas.pixels(np.minimum(codes, len(atlas.TILES) - 1)))
    found |= {name: float(value) for name, value in judge.judge_scene(sample.scenes[-1], reading, sample.said).items()}
    if task != "paint":
        kept = sample.target == sample.sources[-1] if sample.sources[-1].shape == sample.target.shape else same
        found["kept"] = float(same[kept].mean()) if kept.any() else 1.0
    return found


def mean(rows: list[dict[str, float]]) -> dict[str, float]:
    """Average of each number over the rows that have it."""
    values: dict[str, list[float]] = defaultdict(list)
    for row in rows:
        for name, value in row.items():
            values[name].append(value)
    return {name: sum(column) / len(column) for name, column in values.items()} | {"count": len(rows)}


def judged(task: str, count: int, language: str, seed: int) -> list[Sample]:
    """Held-out samples of a task: held-out scenes and phrasings for painting, unseen seeds for the rest."""
    rng = Random(f"judge {task} {language} {seed}")
    if task.startswith("paint"):
        return [judged_paint(rng, language, int(task[-1])) for _ in range(count)]
    return [TASKS[task](rng, language, JUDGED) for _ in range(count)]


def evaluate(model: Any, encoder: Encoder, count: int, seed: int, draw: Draw, tasks: tuple[str, ...]) -> Scores:
    """Scores per task and language."""
    scores: Scores = {}
    for task in tasks:
        for language in LANGUAGES:
            rows: list[dict[str, float]] = []
            for batch in batches(judged(task, count, language, seed), 50):
                if batch[0].target is None:
                    answers = painter.answer(model, encoder, batch)
                    wanted = [encoder.tokenizer.decode(encoder.text(sample.answer or "")) for sample in batch]
                    rows += [{"all": float(a == w)} for a, w in zip(answers, wanted, strict=True)]
                else:
                    pictures = painter.paint(model, encoder, batch, draw)
                    rows += [score(sample, codes) for sample, codes in zip(batch, pictures, strict=True)]
            scores[f"{task} {language}"] = mean(rows)
    return scores


def ceiling(count: int, seed: int) -> float:
    """Share of true pictures that the judge calls right: what a perfect painter would get."""
    samples = judged("paint1", count, "en", seed)
    verdicts = [
        judge.judge_scene(s.scenes[0], judge.read(atlas.pixels(layout.paint(s.scenes[0]))), s.said)["all"]
        for s in samples
    ]
    return sum(verdicts) / count


def half_width(share: float, count: float) -> float:
    """Half of the 95 % interval of a share."""
    return 1.96 * math.sqrt(max(share * (1 - share), 1e-9) / count)


def table(scores: Scores) -> str:
    """One line per task and language."""
    lines = []
    for name, row in scores.items():
        rest = "  ".join(f"{key} {value:.2f}" for key, value in row.items() if key not in ("all", "count"))
        lines.append(f"{name:18s} {row['all']:.3f} ± {half_width(row['all'], row['count']):.3f}   {rest}")
    return "\n".join(lines)


ALL_TASKS = (
    "paint1",
    "paint2",
    "paint3",
    "edit",
    "compound",
    "segmentation",
    "edges",
    "boxes",
    "detect",
    "ask",
    "compare",
    "fetch",
)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path, help="folder of a training run (decoder.pt, tokenizer.json)")
    parser.add_argument("--count", type=int, default=100, help="cases per task and language")
    parser.add_argument("--tasks", nargs="*", default=list(ALL_TASKS), choices=ALL_TASKS)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--temperature", type=float, default=0.0)
    parser.add_argument("--top-k", type=int, default=0)
    parser.add_argument("--guidance", type=float, default=1.0)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    encoder = Encoder(text.load(arguments.run))
    draw = replace(Draw(), temperature=arguments.temperature, top_k=arguments.top_k, guidance=arguments.guidance)
    scores = evaluate(assemble(arguments.run), encoder, arguments.count, arguments.seed, draw, tuple(arguments.tasks))
    click.echo(f"ceiling of the judge {ceiling(arguments.count, arguments.seed):.3f}")
    click.echo(table(scores))
    if arguments.json:
        arguments.json.write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
