"""How often picturebook does what people type, in their words: lines that others wrote for the judge, by task and tag.

Who wrote them saw a page about the world and nothing of the training; there are four sets (`judging/people.py`). A
picture has to show all that a line demands, an answer to say it, a note to name what the world does not have; and of
what it does have, how much is called unknown.

    python benchmarks/people.py [--model BUNDLE] [--set second] [--seeds 2] [--mistakes]

prints the table; `benchmarks/quality.py` writes the same figures into its results. `--mistakes` lists what went wrong.
"""

import argparse
import multiprocessing
import os
import warnings
from collections import defaultdict
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

import edgevlo
from edgevlo.picturebook.judging import people
from edgevlo.picturebook.judging.figures import wilson
from edgevlo.picturebook.language.words import LANGUAGES
from edgevlo.picturebook.requests.lines import Line
from edgevlo.picturebook.world import atlas
from edgevlo.runtime.child_process import end_with_parent

NAMES = {
    "paint": "paint, as people say it", "edit": "edit, as people say it", "ask": "questions, as people ask",
    "outside": "the unknown is named", "unknown": "known, called unknown",
}  # fmt: skip
TARGETS = {"paint": 0.92, "edit": 0.92, "ask": 0.95, "outside": 0.9, "unknown": 0.02}
Case = tuple[str, str, int, int]  # set, language, number of the line, seed


@dataclass(frozen=True)
class Tried:
    """What came of a line: whether it is right, whether something known was called unknown, and what is wrong."""

    language: str
    line: Line
    right: bool
    called_unknown: bool
    remark: str


def attempt(model: edgevlo.Model, line: Line, language: str, seed: int) -> Tried:
    """Let the model do what a line says, and judge it."""
    given = people.source(line)
    picture = None if given is None else Image.fromarray(atlas.pixels(given))
    if line.task == "ask":
        assert picture is not None
        answer = model.ask(picture, line.text)
        return Tried(language, line, people.answered(line, answer, language), False, answer)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        made = model.paint(line.text, seed=seed) if picture is None else model.edit(picture, line.text, seed=seed)
    notes = " ".join(str(one.message) for one in caught if one.category is edgevlo.PromptWarning)
    read = made.info["parameters"].partition("Read as: ")[2]
    if line.task == "outside":
        return Tried(language, line, people.named(line, notes), False, f"{read} | {notes}")
    wrong = people.wrong(line, np.asarray(made))
    return Tried(language, line, not wrong, bool(notes), f"{', '.join(wrong)} | {read} | {notes}")


_models: list[edgevlo.Model] = []  # the one that this worker has opened


def open_model(name: str | None) -> None:
    """Open the model once per worker, which ends with its parent."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    end_with_parent(parent.sentinel)
    _models.append(edgevlo.load(name))


def try_case(case: Case) -> Tried:
    """Let the worker's model do what a line says."""
    chosen, language, number, seed = case
    return attempt(_models[0], people.lines(language, chosen)[number], language, seed)


def run(model: str | None, seeds: int, workers: int, chosen: str = "first") -> list[Tried]:
    """Try every line of a set with so many seeds."""
    cases = [
        (chosen, language, number, seed)
        for language in LANGUAGES
        for number in range(len(people.lines(language, chosen)))
        for seed in range(seeds)
    ]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, initializer=open_model, initargs=(model,)) as pool:
        return list(tqdm(pool.map(try_case, cases, chunksize=10), total=len(cases), unit="line", disable=None))


def _share(right: Iterable[bool]) -> dict[str, Any]:
    found = list(right)
    low, high = wilson(sum(found) / len(found), len(found))
    return {"n": len(found), "value": round(sum(found) / len(found), 4), "low": round(low, 4), "high": round(high, 4)}


def summary(tried: list[Tried]) -> dict[str, Any]:
    """The share that is right by task and language, and by tag."""
    by: dict[str, dict[str, list[bool]]] = defaultdict(lambda: defaultdict(list))
    tags: dict[str, dict[str, dict[str, list[bool]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for one in tried:
        by[one.line.task][one.language].append(one.right)
        if one.line.task in ("paint", "edit"):
            by["unknown"][one.language].append(one.called_unknown)
        for tag in one.line.tags:
            tags[one.line.task][tag][one.language].append(one.right)
    return {
        "lines": {
            NAMES[task]: {"target": TARGETS[task]} | {tongue: _share(by[task][tongue]) for tongue in LANGUAGES}
            for task in NAMES
        },
        "tags": {
            task: {
                tag: {
                    tongue: {"n": len(some), "value": round(sum(some) / len(some), 4)} for tongue, some in both.items()
                }
                for tag, both in sorted(found.items())
            }
            for task, found in tags.items()
        },
    }


def table(found: dict[str, Any]) -> str:
    """The summary as text: a row for each task and language, and the tags that are right less often than the target."""
    text = []
    for name, line in found["lines"].items():
        for tongue in LANGUAGES:
            one = line[tongue]
            met = one["value"] <= line["target"] if name == NAMES["unknown"] else one["value"] >= line["target"]
            goal = f"{line['target']:.2f} {'met' if met else 'missed'}"
            text.append(
                f"{name:26} {tongue}  {one['n']:4}  {one['value']:.3f}  {one['low']:.3f} .. {one['high']:.3f}  {goal}"
            )
    for task, tags in found["tags"].items():
        weak = [
            f"{tag} {tongue} {one['value']:.2f} of {one['n']}"
            for tag, both in tags.items()
            for tongue, one in both.items()
            if one["value"] < TARGETS[task]
        ]
        text.append(f"{task}, below the target: {', '.join(weak) or 'none'}")
    return "\n".join(text)


def main() -> None:
    """Try every line; print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="bundle to judge, without it the embedded one")
    parser.add_argument("--set", default="first", choices=list(people.SETS), help="whose lines")
    parser.add_argument("--seeds", type=int, default=1, help="seeds of each line")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--mistakes", action="store_true", help="list what went wrong")
    arguments = parser.parse_args()
    tried = run(arguments.model, arguments.seeds, arguments.workers, arguments.set)
    print(table(summary(tried)))
    for one in tried if arguments.mistakes else ():
        if not one.right or one.called_unknown:
            print(f"{one.line.task} | {','.join(sorted(one.line.tags))} | {one.line.text} | {one.remark}")


if __name__ == "__main__":
    main()
