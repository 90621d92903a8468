"""What is trained when: the mixes of exercises, and the stages with their gates; and a run's settings."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..exercises.tasks import Mix
from ..world.scene import CLIPART_SHARE

EVERYTHING = {
    "paint": 0.23, "edit": 0.18, "compound": 0.15, "segmentation": 0.01, "edges": 0.01, "boxes": 0.01, "detect": 0.07,
    "ask": 0.17, "compare": 0.08, "fetch": 0.09,
}  # fmt: skip
# requests as people type them are read into plain words: it is there that pictures of their requests go wrong, and
# their texts are short; some of the exercises keep the rest alive
READING = {
    "read name": 0.3, "read paint": 1.2, "read edit": 0.45, "people ask": 0.2, "plain paint": 0.1, "plain edit": 0.06,
}  # fmt: skip
KEPT = {
    "paint": 0.02, "edit": 0.01, "compound": 0.014, "segmentation": 0.01, "edges": 0.01, "boxes": 0.01,
    "detect": 0.03, "ask": 0.03, "compare": 0.05, "fetch": 0.03,
}  # fmt: skip
PEOPLE = KEPT | READING


@dataclass(frozen=True)
class Stage:
    """A mix of exercises, the latest progress at which it ends, and the gate that ends it before."""

    name: str
    mix: Mix
    until: float
    gate: float  # share of held-out one-object pictures with every weighty cell right, teacher-forced


# many objects in the pictures that are given: most to copy, to name and to find per token
_EVERYTHING = Mix(
    EVERYTHING,
    (0.02, 0.3, 0.38, 0.3),
    (0.02, 0.15, 0.25, 0.25, 0.13, 0.1, 0.1),
    0.45,
    0.3,
    0.3,
    0.45,
    clipart=CLIPART_SHARE,
)
STAGES = (
    Stage("one object", Mix({"paint": 1.0}, (0.02, 0.98), default_grid=0.5, dense_grids=0.4), 0.1, 0.6),
    Stage("everything", _EVERYTHING, 0.75, 2.0),
    Stage("people's words", replace(_EVERYTHING, shares=PEOPLE, default_grid=0.35, dense_grids=0.45), 1.0, 2.0),
)


@dataclass(frozen=True)
class Recipe:
    """How to train."""

    tokens: int = 1600  # per step and process
    rate: float = 1.5e-3
    warmup: int = 100  # steps
    decay: float = 0.8  # share of the time, at the end
    smoothing: float = 0.998  # of the averaged weights, which are what is judged and kept
    muon: bool = False
    feeders: int = 0  # processes that draw exercises
    seed: int = 0
