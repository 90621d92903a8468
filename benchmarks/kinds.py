"""Whether picturebook paints every kind of its world from the name alone: the usual one, and one that others give it.

The usual names are the training's own. The others stand in `forms/kind_names.txt`: a language model that had only the
list of kinds wrote how people call each. The lexicon that the training hears has most of these, too; those that it
lacks are counted apart as well. A name is right when the judge finds one thing in the picture, of this kind; for a sort
of one of the twelve (`owl`), the general kind is counted apart.

    python benchmarks/kinds.py [--model BUNDLE] [--seeds 1]

prints the shares and the names that failed, and writes `results/kinds.json`.
"""

import argparse
import itertools
import multiprocessing
import os
import warnings
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from typing import Any

import numpy as np
import record
from tqdm import tqdm

import edgevlo
from edgevlo.picturebook.judging import judge
from edgevlo.picturebook.language.forms import FOLDER
from edgevlo.picturebook.language.lexicon import lexicon
from edgevlo.picturebook.language.words import KIND, LANGUAGES
from edgevlo.picturebook.world.scene import IS_A, KINDS

Case = tuple[str, str, str, str, int]  # sort of name, language, kind, name, seed


def by_others() -> dict[tuple[str, str], str]:
    """Return the names that somebody else gave the kinds, by (kind, language)."""
    found: dict[tuple[str, str], str] = {}
    for line in (FOLDER / "kind_names.txt").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            kind, _, names = line.partition(": ")
            found |= {
                (kind.replace("_", " "), language): name.strip()
                for language, name in zip(LANGUAGES, names.split("; "), strict=True)
            }
    return found


_models: list[edgevlo.Model] = []  # the one that this worker has opened


def open_model(name: str | None) -> None:
    """Open the model once per worker."""
    warnings.simplefilter("ignore", UserWarning)
    _models.append(edgevlo.load(name))


def painted(case: Case) -> list[str]:
    """Return the kinds that the picture of a name shows."""
    picture = _models[0].paint(case[3], seed=case[4])
    return [thing.kind for thing in judge.read(np.asarray(picture)).scene.things]


def main() -> None:
    """Paint every name; print and write the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", help="bundle to judge, without it the embedded one")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    arguments = parser.parse_args()
    named = [("usual", language, kind, KIND[language][kind][0]) for language in LANGUAGES for kind in KINDS]
    named += [("others", language, kind, name) for (kind, language), name in by_others().items()]
    cases: list[Case] = [(*one, seed) for one, seed in itertools.product(named, range(arguments.seeds))]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(arguments.workers, context, open_model, (arguments.model,)) as pool:
        found = list(tqdm(pool.map(painted, cases, chunksize=10), total=len(cases), unit="name", disable=None))
    shares: dict[str, Any] = {}
    wrong = defaultdict(list)
    for sort, language in itertools.product(("usual", "others"), LANGUAGES):
        some = [(case, kinds) for case, kinds in zip(cases, found, strict=True) if case[:2] == (sort, language)]
        right = sum(kinds == [case[2]] for case, kinds in some)
        unheard = [kinds == [case[2]] for case, kinds in some if case[3].lower() not in lexicon(language).find]
        general = sum(kinds == [IS_A.get(case[2], "")] for case, kinds in some)
        shares[f"{sort} {language}"] = {
            "right": right, "general kind": general, "of": len(some), "share": round(right / len(some), 3),
            "not in the lexicon": {"right": sum(unheard), "of": len(unheard)},
        }  # fmt: skip
        print(f"{sort} names, {language}: {right} of {len(some)}, {general} more as their general kind; "
              f"{sum(unheard)} of {len(unheard)} that the lexicon lacks")  # fmt: skip
        wrong[f"{sort} {language}"] = [f"{case[3]} -> {', '.join(kinds)}" for case, kinds in some if kinds != [case[2]]]
    print("\n".join(f"{name}: {'; '.join(some)}" for name, some in wrong.items()))
    bundle = edgevlo.load(arguments.model).bundle.digest[:16]
    record.write("kinds", {"bundle": bundle, "seeds": arguments.seeds, "shares": shares, "wrong": wrong})


if __name__ == "__main__":
    main()
