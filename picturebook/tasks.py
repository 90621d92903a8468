"""Training and judging samples: an instruction, source pictures, and a target picture or an answer.

Every sample is drawn from a seed. Held-out combinations (`scene.is_held_out`) never occur in training samples, and
judging samples of text-to-image consist of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from . import edits, layout, questions
from .language import Said, prompt, sample_said
from .layout import Grid
from .scene import Scene, cell_of, free_slots, is_held_out, sample_grid, sample_scene, with_thing
from .words import LANGUAGES

SMALL = ((8, 8), (6, 10), (10, 6), (6, 8), (8, 6), (5, 8), (8, 5), (6, 6))  # grids of two-picture tasks


@dataclass(frozen=True)
class Sample:
    """One exercise. `scenes` are the sources' scenes and then, for a painted target, the target's."""

    task: str
    language: str
    instruction: str
    sources: tuple[Grid, ...] = ()
    target: Grid | None = None
    answer: str | None = None
    scenes: tuple[Scene, ...] = ()
    said: Said = field(default_factory=Said)


@dataclass(frozen=True)
class Mix:
    """What to draw: share of each task, how many objects, how often the default grid."""

    shares: dict[str, float]
    things: tuple[float, ...] = (0.0, 1.0)  # chance of 0, 1, 2, 3 objects
    default_grid: float = 0.7
    empty: float = 0.09  # share of empty instructions, for guidance


def _scene(rng: Random, mix: Mix, grid: tuple[int, int] | None = None, at_least: int = 0) -> Scene:
    count = max(at_least, rng.choices(range(len(mix.things)), mix.things)[0])
    while True:
        scene = sample_scene(rng, count, grid or sample_grid(rng, mix.default_grid))
        if not is_held_out(scene):
            return scene


def paint(rng: Random, language: str, mix: Mix) -> Sample:
    """Text to image."""
    scene, said = _scene(rng, mix), sample_said(rng)
    text = prompt(scene, language, rng, said) if rng.random() > mix.empty else ""
    return Sample("paint", language, text, (), layout.paint(scene), None, (scene,), said)


def edit(rng: Random, language: str, mix: Mix) -> Sample:
    """One edit."""
    while True:
        scene = _scene(rng, mix)
        made = edits.single(rng, scene, language)
        if made and not is_held_out(made[0]):
            return _edited("edit", rng, language, mix, scene, made)


def compound(rng: Random, language: str, mix: Mix) -> Sample:
    """Two to four edits in one instruction."""
    while True:
        scene = _scene(rng, mix, at_least=1)
        made = edits.compound(rng, scene, language, rng.choice((2, 2, 2, 3, 3, 4)))
        if made and not is_held_out(made[0]):
            return _edited("compound", rng, language, mix, scene, made)


def _edited(task: str, rng: Random, language: str, mix: Mix, old: Scene, made: tuple[Scene, str, str]) -> Sample:
    new, text, kind = made
    text = "" if rng.random() < mix.empty / 2 else text
    name = f"{task}:{kind}" if task == "edit" else task
    return Sample(name, language, text, (layout.paint(old),), layout.paint(new), None, (old, new))


def _perceive(name: str, draw: Callable[[Scene], Grid]) -> Callable[[Random, str, Mix], Sample]:
    def sample(rng: Random, language: str, mix: Mix) -> Sample:
        scene = _scene(rng, mix)
        forms = questions.PERCEPTION[name][language]
        text = forms[0] if rng.random() < 0.6 else rng.choice(forms)
        return Sample(name, language, text, (layout.paint(scene),), draw(scene), None, (scene,))

    return sample


def detect(rng: Random, language: str, mix: Mix) -> Sample:
    """Boxes as text."""
    scene = _scene(rng, mix)
    text, answer, _ = questions.detect(rng, scene, language)
    return Sample("detect", language, text, (layout.paint(scene),), None, answer, (scene,))


def ask(rng: Random, language: str, mix: Mix) -> Sample:
    """A question about one picture."""
    while True:
        scene = _scene(rng, mix)
        kind = rng.choices(list(questions.QUESTIONS), (3, 2, 2, 1.5, 2, 2, 2))[0]
        made = questions.QUESTIONS[kind](rng, scene, language)
        if made:
            return Sample(f"ask:{kind}", language, made[0], (layout.paint(scene),), None, made[1], (scene,))


def compare(rng: Random, language: str, mix: Mix) -> Sample:
    """What differs between two pictures."""
    while True:
        scene = _scene(rng, mix, rng.choice(SMALL[:1] + SMALL))
        other, text, answer = questions.compare(rng, scene, language)
        if not is_held_out(other):
            return Sample(
                "compare", language, text, (layout.paint(scene), layout.paint(other)), None, answer, (scene, other)
            )


def fetch(rng: Random, language: str, mix: Mix) -> Sample:
    """Take an object of one picture into the scene of the other: same slot if free, else the first free one."""
    while True:
        grid = rng.choice(SMALL) if rng.random() > mix.default_grid else SMALL[0]
        first, second = _scene(rng, mix, grid, at_least=1), _scene(rng, mix, grid)
        swap = rng.random() < 0.3
        giver, taker = (second, first) if swap else (first, second)
        free = free_slots(taker)
        if not giver.things or not free or len(taker.things) > 2:
            continue
        thing = rng.choice(giver.things)
        name = edits.reference(rng, giver, thing, language)
        if not name:
            continue
        depth, column = (thing.depth, thing.column) if (thing.depth, thing.column) in free else free[0]
        new = with_thing(taker, None, type(thing)(thing.kind, thing.colour, column, depth, thing.hat))
        if is_held_out(new):
            continue
        if language == "en":
            source, into = ("second", "first") if swap else ("first", "second")
            forms = (
                f"put {name} of the {source} picture into the {into}",
                f"take {name} from the {source} picture into the {into}",
                f"add {name} of the {source} picture to the {into} picture",
            )
        else:
            source, into = ("第二张图", "第一张图") if swap else ("第一张图", "第二张图")
            forms = (
                f"把{source}的{name}放到{into}",
                f"把{source}里的{name}加到{into}里",
                f"将{source}的{name}放进{into}",
            )
        grids = (layout.paint(first), layout.paint(second))
        return Sample("fetch", language, rng.choice(forms), grids, layout.paint(new), None, (first, second, new))


TASKS: dict[str, Callable[[Random, str, Mix], Sample]] = {
    "paint": paint,
    "edit": edit,
    "compound": compound,
    "segmentation": _perceive("segmentation", layout.segmentation),
    "edges": _perceive("edges", layout.edges),
    "boxes": _perceive("boxes", layout.boxes),
    "detect": detect,
    "ask": ask,
    "compare": compare,
    "fetch": fetch,
}


def sample(rng: Random, mix: Mix) -> Sample:
    """One training sample."""
    task = rng.choices(list(mix.shares), list(mix.shares.values()))[0]
    return TASKS[task](rng, rng.choice(LANGUAGES), mix)


def judged_paint(rng: Random, language: str, things: int = 1) -> Sample:
    """A held-out scene asked for in a held-out phrasing, every attribute named."""
    while True:
        scene = sample_scene(rng, things, sign=0.0, distinct_kinds=1.0, free_style=0.25)
        if is_held_out(scene):
            said = Said(depth=rng.random() < 0.5)
            text = prompt(scene, language, rng, said, held_out=True)
            return Sample("paint", language, text, (), layout.paint(scene), None, (scene,), said)


def deciding_cells(scene: Scene) -> list[tuple[int, int]]:
    """The cells at which a painter decides about a thing: its first one, and the first one of its hat."""
    cells = []
    for thing in scene.things:
        row, column = cell_of(scene, thing)
        cells += [(row, column), (row - 1, column)] if thing.hat else [(row, column)]
    return cells
