"""How often picturebook does what it is told, through the runtime, on cases it never saw.

For painting, scenes and phrasings are held out from training; for everything else, seeds are. Every picture is judged
from its pixels by the world's own judge (`edgevlo.picturebook.judge`), which knows the geometry and no model: the
headline is "everything right". The ceiling is what the judge says of true pictures after the bundle's own tokenizer and
decoder.

    python benchmarks/quality.py [--model BUNDLE] [--count 100] [--tasks paint1 edit ...]
"""

import argparse
import time
from typing import Any

import numpy as np
import numpy.typing as npt
import record
from PIL import Image
from tqdm import tqdm

import edgevlo
from edgevlo.picturebook import atlas, judge, layout
from edgevlo.picturebook.evaluate import ALL_TASKS, half_width, judged, mean, score
from edgevlo.picturebook.tasks import Sample
from edgevlo.picturebook.words import LANGUAGES

SHEET = record.RESULTS / "quality.png"


def picture(codes: npt.NDArray[np.integer[Any]]) -> Image.Image:
    """Return the world's own picture of a grid of tiles."""
    return Image.fromarray(atlas.pixels(codes))


def try_one(model: edgevlo.Model, sample: Sample, seed: int) -> tuple[dict[str, float], Image.Image | None]:
    """Let the model do what the sample asks; return the judge's numbers and the picture, if it is one."""
    sources = [picture(codes) for codes in sample.sources]
    if sample.target is None:
        answer = model.ask(sources, sample.instruction)
        return {"all": float(answer.lower() == (sample.answer or "").lower())}, None
    size = (sample.target.shape[1] * atlas.CELL, sample.target.shape[0] * atlas.CELL)
    if sources:
        painted = model.edit(sources, sample.instruction, size=size, seed=seed)
    else:
        painted = model.paint(sample.instruction, size=size, seed=seed)
    return score(sample, judge.cells(np.asarray(painted))), painted


def ceiling(model: edgevlo.Model, count: int) -> float:
    """Return the share of true pictures that the judge calls right after the bundle's tokenizer and decoder."""
    right = 0.0
    for sample in judged("paint1", count, "en", 0):
        true = picture(layout.paint(sample.scenes[0]))
        again = model.decode(model.tokenize(true))
        right += judge.judge_scene(sample.scenes[0], judge.read(np.asarray(again)), sample.said)["all"]
    return right / count


def sheet(pictures: list[Image.Image], columns: int = 12) -> Image.Image:
    """Return small pictures side by side."""
    canvas = Image.new("RGB", (columns * 132, -(-len(pictures) // columns) * 132), "white")
    for number, one in enumerate(pictures):
        one.thumbnail((128, 128))
        canvas.paste(one, (number % columns * 132 + 2, number // columns * 132 + 2))
    return canvas


def main() -> None:
    """Judge every task in both languages; print a table, write JSON and a sheet of pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model")
    parser.add_argument("--count", type=int, default=100, help="cases per task and language")
    parser.add_argument("--tasks", nargs="*", default=list(ALL_TASKS), choices=ALL_TASKS)
    parser.add_argument("--output", default="quality", help="name of the result file")
    arguments = parser.parse_args()
    model = edgevlo.load(arguments.model)
    figures: dict[str, Any] = {"bundle": model.bundle.digest[:16], "ceiling": ceiling(model, arguments.count)}
    shown: list[Image.Image] = []
    began = time.perf_counter()
    for task in arguments.tasks:
        for language in LANGUAGES:
            rows = []
            cases = judged(task, arguments.count, language, 0)
            for seed, sample in enumerate(tqdm(cases, desc=f"{task} {language}", leave=False, disable=None)):
                numbers, painted = try_one(model, sample, seed)
                rows.append(numbers)
                if painted is not None and seed < 6:
                    shown.append(painted)
            result = {name: round(value, 4) for name, value in mean(rows).items()}
            figures[f"{task} {language}"] = result | {"half_width": round(half_width(result["all"], len(rows)), 4)}
            print(f"{task:14} {language}  {result['all']:.3f} ± {half_width(result['all'], len(rows)):.3f}")
    figures["minutes"] = round((time.perf_counter() - began) / 60, 1)
    record.write(arguments.output, figures)
    if shown:
        sheet(shown).save(SHEET.with_stem(arguments.output), optimize=True)


if __name__ == "__main__":
    main()
