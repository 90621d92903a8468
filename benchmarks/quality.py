"""How often picturebook does what it is told, through the runtime, on scenes, phrasings and seeds it never saw.

Requests as people type them come first (`people.py`), then every ability in English and Chinese. Pictures are judged
from their pixels by the world's own judge (`edgevlo.picturebook.judging.judge`), which knows the geometry and no model;
the cases are `edgevlo.picturebook.judging.trials`. A
line's ceiling is what the judge says of the true pictures after the bundle's own tokenizer and decoder; an answer's is
1. Perception is asked for in words too, by `edit` and `ask`, because the requests that `segment`, `edges`, `boxes` and
`detect` send are sentences of the training.

    python benchmarks/quality.py [--model BUNDLE] [--count 200] [--only paint1 edit ...]

prints the table, writes `results/quality.json` and four sheets of English cases beside it; a caption in red tells that
the judge found something wrong.
"""

import argparse
import itertools
import multiprocessing
import os
import textwrap
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
import people
import record
from PIL import Image, ImageDraw, ImageFont
from tqdm import tqdm

import edgevlo
from edgevlo.picturebook.exercises.tasks import Sample
from edgevlo.picturebook.judging import figures, trials
from edgevlo.picturebook.judging.figures import Verdict
from edgevlo.picturebook.judging.judge import RgbArray, Scores
from edgevlo.picturebook.judging.trials import Trial
from edgevlo.picturebook.language.words import LANGUAGES
from edgevlo.picturebook.world import atlas
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.child_process import end_with_parent

SHOWN = 6  # English cases of a row that may be on a sheet
Case = tuple[str, str, int]  # row, language, number


@dataclass(frozen=True)
class Tried:
    """The verdict on a trial, and what was made of it where it may be shown."""

    verdict: Verdict
    trial: Trial | None = None
    made: tuple[RgbArray | str, ...] = ()


def picture(codes: Codes) -> Image.Image:
    """Return the world's own picture of a grid of tiles."""
    return Image.fromarray(atlas.pixels(codes))


def make(model: edgevlo.Model, sample: Sample, seed: int, own: Image.Image | None) -> Image.Image | str:
    """Return the picture or the answer that the model makes of a sample, of its own last picture if there is one."""
    sources = [own] if own else [picture(codes) for codes in sample.sources]
    if sample.target is None:
        return model.ask(sources, sample.instruction)
    if sources:
        return model.edit(sources, sample.instruction, seed=seed)
    rows, columns = sample.target.shape
    return model.paint(sample.instruction, size=(columns * atlas.CELL, rows * atlas.CELL), seed=seed)


def attempt(model: edgevlo.Model, trial: Trial) -> list[Image.Image | str]:
    """Return what the model makes in each turn of a trial."""
    made: list[Image.Image | str] = []
    for sample in trial.samples:
        last = made[-1] if made else None
        made.append(make(model, sample, trial.number, last if isinstance(last, Image.Image) else None))
    return made


def ceiling(model: edgevlo.Model, trial: Trial) -> Scores | None:
    """Return the scores of the true pictures after the bundle's tokenizer and decoder."""
    targets = [sample.target for sample in trial.samples if sample.target is not None]
    again = [np.asarray(model.decode(model.tokenize(picture(target)))) for target in targets]
    return figures.judged(trial, again) if again else None


_models: list[edgevlo.Model] = []  # the one that this worker has opened


def open_model(name: str | None) -> None:
    """Open the model once per worker, which ends with its parent."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    end_with_parent(parent.sentinel)
    warnings.simplefilter("ignore", UserWarning)  # an empty answer is wrong, an odd picture is judged as it is
    _models.append(edgevlo.load(name))


def try_case(case: Case) -> Tried:
    """Draw a trial, let the worker's model attempt it, and judge."""
    trial, model = trials.draw(*case), _models[0]
    made = [one if isinstance(one, str) else np.asarray(one) for one in attempt(model, trial)]
    verdict = Verdict(*case, trial.part, figures.judged(trial, made), ceiling(model, trial))
    shown = trial.language == "en" and trial.number < SHOWN
    return Tried(verdict, trial, tuple(made)) if shown else Tried(verdict)


def run(model: str | None, cases: list[Case], workers: int) -> Iterator[Tried]:
    """Yield what comes of all cases, in order, from so many processes."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=open_model, initargs=(model,)) as pool:
        yield from tqdm(pool.map(try_case, cases, chunksize=10), total=len(cases), unit="case", disable=None)


# Sheets.

GAP, LINE, FONT_SIZE = 6, 12, 11  # px


@dataclass(frozen=True)
class Panel:
    """Pictures side by side with a caption beneath."""

    pictures: list[Image.Image]
    caption: str
    right: bool

    def drawn(self, width: int) -> Image.Image:
        """Return the panel, `width` pixels wide."""
        font = ImageFont.load_default(FONT_SIZE)
        lines = textwrap.wrap(self.caption, int(width / (FONT_SIZE * 0.56)))
        height = max(one.height for one in self.pictures)
        canvas = Image.new("RGB", (width, height + LINE * len(lines) + GAP), "white")
        for number, one in enumerate(self.pictures):
            canvas.paste(one, (sum(before.width + GAP for before in self.pictures[:number]), 0))
        ImageDraw.Draw(canvas).multiline_text(
            (0, height + 2), "\n".join(lines), fill="black" if self.right else "#c00000", font=font, spacing=1
        )
        return canvas


def panel(tried: Tried) -> Panel:
    """Return sources and result of a trial, with its instruction and, if it has one, the answer."""
    assert tried.trial is not None
    sample, made = tried.trial.samples[0], tried.made[0]
    pictures = [picture(codes) for codes in sample.sources]
    caption = sample.instruction
    right = tried.verdict.scores["all"][0] == 1
    if isinstance(made, str):
        caption += f" - {made}" + ("" if right else f" (right: {sample.answer})")
    else:
        pictures.append(Image.fromarray(made))
    return Panel(pictures, caption, right)


def perceived(several: list[Tried]) -> Panel:
    """Return one source with everything that was perceived in it, and the score of each."""
    panels = [panel(tried) for tried in several]
    said = [f"{one.caption}: {tried.verdict.scores['all'][0]:.2f}" for one, tried in zip(panels, several, strict=True)]
    pictures = [panels[0].pictures[0], *(one.pictures[1] for one in panels)]
    return Panel(pictures, "; ".join(said), all(one.right for one in panels))


def sheet(panels: list[Panel], columns: int) -> Image.Image:
    """Return the panels in rows of `columns`."""
    width = max(sum(one.width for one in shown.pictures) + GAP * (len(shown.pictures) - 1) for shown in panels)
    rows = [[shown.drawn(width) for shown in panels[at : at + columns]] for at in range(0, len(panels), columns)]
    heights = [max(one.height for one in row) + GAP for row in rows]
    canvas = Image.new("RGB", (columns * (width + 2 * GAP), sum(heights) + GAP), "white")
    for number, row in enumerate(rows):
        for column, one in enumerate(row):
            canvas.paste(one, (GAP + column * (width + 2 * GAP), GAP + sum(heights[:number])))
    return canvas


def sheets(shown: dict[str, list[Tried]]) -> dict[str, Image.Image]:
    """Return the sheets for which all rows were judged, by name."""

    def of(**counts: int) -> list[Panel]:
        return [panel(tried) for row, count in counts.items() for tried in shown[row][:count]]

    made = {}
    if {"paint1", "paint2", "paint3", "sign"} <= shown.keys():
        made["paint"] = sheet(of(paint1=4, paint2=4, paint3=2, sign=2), 6)
    if {"edit", "compound"} <= shown.keys():
        made["edit"] = sheet(of(edit=6, compound=6), 4)
    if {"segmentation", "edges", "boxes"} <= shown.keys():
        rows = zip(shown["segmentation"], shown["edges"], shown["boxes"], strict=True)
        made["perceive"] = sheet([perceived(list(row)) for row in rows], 2)
    if {"compare", "fetch"} <= shown.keys():
        made["two"] = sheet(of(fetch=4, compare=4), 2)
    return made


def main() -> None:
    """Judge every row in both languages; print a table, write JSON and sheets of pictures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="bundle to judge, without it the embedded one")
    parser.add_argument("--count", type=int, default=200, help="cases per row and language")
    rows = ("people", *trials.ROWS)
    parser.add_argument("--only", nargs="*", default=rows, choices=rows, metavar="ROW",
                        help=f"of {', '.join(rows)}")  # fmt: skip
    parser.add_argument("--output", default="quality", help="name of the result files, or a path without an ending")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    began = time.perf_counter()
    said = {
        name: people.summary(people.run(arguments.model, 1, arguments.workers, chosen))
        for name, chosen in (
            ("people", "first"),
            ("people_second", "second"),
            ("people_third", "third"),
            ("people_fourth", "fourth"),
        )
        if "people" in arguments.only
    }
    drawn = [row for row in arguments.only if row != "people"]
    cases = list(itertools.product(drawn, LANGUAGES, range(arguments.count)))
    tried = list(run(arguments.model, cases, arguments.workers))
    found = figures.summary([one.verdict for one in tried]) | said
    minutes = round((time.perf_counter() - began) / 60, 1)
    for name, summary in said.items():
        print(f"{name}:\n{people.table(summary)}")
    print(figures.table(found["lines"]))
    bundle = edgevlo.load(arguments.model).bundle.digest[:16]
    path = record.write(
        arguments.output,
        {"bundle": bundle, "count": arguments.count, "workers": arguments.workers, "minutes": minutes} | found,
    )
    shown = {row: [one for one in tried if one.trial and one.trial.row == row] for row in dict.fromkeys(drawn)}
    for name, image in sheets(shown).items():
        image.quantize(256).save(path.with_name(f"{path.stem}-{name}.png"), optimize=True)


if __name__ == "__main__":
    main()
