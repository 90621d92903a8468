"""What one change of a bundle gains and costs: a step of several bundles of one model, in turns in one process.

    python benchmarks/levers.py GROUP NAME=BUNDLE NAME=BUNDLE ... [--contexts 16 300 576]

A step is a code drawn and read with guidance, at several lengths of what stands before it; the ratios are medians over
the rounds, of each round's own. The first bundle is what the others are compared with. Beside the times stand the bytes
of the backbone and of a token's cache, and the figures of the bundle's own quality check, if it has any. Results of a
group replace those of the same name in `results/levers.json`.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

import numpy as np
import record

from edgevlo.runtime.bundle import Bundle, open_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.graphs.backbone_kv_cache import Backbone
from edgevlo.runtime.graphs.image_head import ImageHead
from edgevlo.runtime.graphs.onnx_sessions import open_graph
from edgevlo.runtime.manifest.schema import graph_bytes
from edgevlo.runtime.memory.predict import kv_bytes

Step: TypeAlias = Callable[[int], None]

BRANCHES: Final = 2
WEIGHTS: Final = np.array([5.0, -4.0], np.float32)
_WARM: Final = 2
_STEPS: Final = 8  # of a bundle in each round
_FIGURES: Final = ("decided_agreement", "kl_mean", "hidden_sqnr_db", "answer_token_agreement")


def step_of(bundle: Bundle, capacity: int) -> Step:
    """Return a function that draws a code and reads it behind so many tokens of noise."""
    shape = bundle.manifest.backbone
    engine = Engine(bundle)
    backbone = Backbone(open_graph(bundle, "backbone"), shape, engine._embeddings, rows=BRANCHES, capacity=capacity)
    random = np.random.default_rng(0)
    for held in backbone._cache.values():
        noise = random.standard_normal(held.shape, dtype=np.float32)
        held[...] = noise if held.dtype == np.float32 else np.clip(30 * noise, -127, 127).astype(held.dtype)
    head = ImageHead(open_graph(bundle, "image_head"), backbone.last_hidden)
    head.set(WEIGHTS, bundle.manifest.sampling)
    token = bundle.manifest.codes.first_token

    def step(context: int) -> None:
        backbone.lengths[:] = context
        backbone._longest = context
        head.draw(0.3)
        backbone.step([token])

    return step


def in_turns(steps: dict[str, Step], context: int, rounds: int) -> dict[str, Any]:
    """Return the milliseconds of each step and its ratio to the first; the order moves on by one each round."""
    names = list(steps)
    found: dict[str, list[float]] = {name: [] for name in names}
    for turn in range(rounds):
        for name in (*names[turn % len(names) :], *names[: turn % len(names)]):
            found[name].append(_timed(steps[name], context))
    first = found[names[0]]
    return {
        name: {
            "ms": record.spread([1e3 * one for one in seconds]),
            "ratio": round(statistics.median(one / base for one, base in zip(seconds, first, strict=True)), 3),
        }
        for name, seconds in found.items()
    }


def _timed(step: Step, context: int) -> float:
    for _ in range(_WARM):
        step(context)
    seconds = []
    for _ in range(_STEPS):
        began = time.perf_counter()
        step(context)
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds)


def described(bundle: Bundle) -> dict[str, Any]:
    """Return the sizes of a bundle and what its quality check found."""
    manifest = bundle.manifest
    quality = {} if manifest.quality is None else manifest.quality.figures
    return {
        "backbone_mb": round(graph_bytes(manifest, "backbone") / 1e6, 1),
        "kv_bytes_per_token": kv_bytes(manifest.backbone, 1, 1),
        "quality": {name: quality[name] for name in _FIGURES if name in quality},
    }


def measured(bundles: dict[str, Bundle], contexts: Sequence[int], rounds: int) -> dict[str, Any]:
    """Return a group's figures; without contexts nothing is timed."""
    found: dict[str, Any] = {"bundles": {name: described(bundle) for name, bundle in bundles.items()}}
    if contexts:
        steps = {name: step_of(bundle, max(contexts) + 1) for name, bundle in bundles.items()}
        found["step"] = {str(context): in_turns(steps, context, rounds) for context in contexts}
    return found


def main() -> None:
    """Read the arguments, measure, and write the group beside those that are there."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("group")
    parser.add_argument("bundles", nargs="+", metavar="NAME=BUNDLE")
    parser.add_argument("--contexts", type=int, nargs="*", default=[16, 300, 576], help="none: quality alone")
    parser.add_argument("--rounds", type=int, default=12)
    arguments = parser.parse_args()
    pairs = (one.partition("=") for one in arguments.bundles)
    bundles = {name: open_bundle(Path(folder)) for name, _, folder in pairs}
    path = record.RESULTS / "levers.json"
    before = json.loads(path.read_text(encoding="utf-8"))["figures"] if path.exists() else {}
    figures = {**before, arguments.group: measured(bundles, arguments.contexts, arguments.rounds)}
    record.write("levers", figures)
    print(json.dumps(figures[arguments.group], indent=1))


if __name__ == "__main__":
    main()
