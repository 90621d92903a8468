"""Training and judging samples: an instruction, source pictures, and a target picture or an answer.

Every sample is drawn from a seed. Held-out combinations (`scene.is_held_out`) never occur in training samples, and
judging samples consist of nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from ..language.naming import Said, sample_said
from ..language.prompts.prompt import prompt
from ..language.voice import Voice
from ..language.words import LANGUAGES
from ..world import scene_to_codes
from ..world.scene import (
    DEFAULT_GRID,
    DENSE_GRIDS,
    Scene,
    default_slot,
    free_slots,
    is_held_out,
    sample_grid,
    sample_scene,
    with_thing,
)
from ..world.scene_to_codes import Grid
from . import edits, questions

SMALL = ((8, 8), (6, 10), (10, 6), (6, 8), (8, 6), (5, 8), (8, 5), (6, 6), (5, 6))  # grids of two-picture tasks


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
    things: tuple[float, ...] = (0.0, 1.0)  # chance of 0, 1, 2, 3 objects in a picture made from text
    seen: tuple[float, ...] = (0.0, 1.0)  # chance of so many in a picture that is given
    default_grid: float = 0.7
    dense_grids: float = 0.0
    signs: float = 0.06
    hats: float = 0.3  # of things that can wear one
    empty: float = 0.05  # share of empty instructions, for guidance
    clipart: float = 0.0  # share of clip art among the things


def draw_scene(
    voice: Voice, mix: Mix, things: tuple[float, ...], grid: tuple[int, int] | None = None, at_least: int = 0
) -> Scene:
    """A scene that may be trained on; for judging, one that never is (an empty one is nobody's)."""
    count = max(at_least, voice.rng.choices(range(len(things)), things)[0])
    while True:
        size = grid or sample_grid(voice.rng, mix.default_grid, mix.dense_grids)
        scene = sample_scene(voice.rng, count, size, sign=mix.signs, hats=mix.hats, clipart=mix.clipart)
        if is_held_out(scene) == (voice.held_out and bool(scene.things)):
            return scene


def _allowed(voice: Voice, scene: Scene) -> bool:
    return voice.held_out or not is_held_out(scene)


def paint(voice: Voice, mix: Mix) -> Sample:
    """Text to image."""
    rng = voice.rng
    scene, said = draw_scene(voice, mix, mix.things), sample_said(rng)
    text = prompt(_told(scene, rng), voice.language, rng, said) if rng.random() > mix.empty else ""
    return Sample("paint", voice.language, text, (), scene_to_codes.paint(scene), None, (scene,), said)


def _told(scene: Scene, rng: Random) -> Scene:
    """The scene with its objects in the order in which somebody speaks of them: any."""
    return replace(scene, things=tuple(rng.sample(scene.things, len(scene.things))))


def edit(voice: Voice, mix: Mix) -> Sample:
    """One edit."""
    while True:
        scene = draw_scene(voice, mix, mix.seen)
        made = edits.single(voice, scene)
        if made and _allowed(voice, made[0]):
            return _edited("edit", voice, mix, scene, made)


def compound(voice: Voice, mix: Mix) -> Sample:
    """Two to four edits in one instruction."""
    while True:
        scene = draw_scene(voice, mix, mix.seen, at_least=1)
        made = edits.compound(voice, scene, voice.rng.choice((2, 2, 2, 3, 3, 4)))
        if made and _allowed(voice, made[0]):
            return _edited("compound", voice, mix, scene, made)


def _edited(task: str, voice: Voice, mix: Mix, old: Scene, made: tuple[Scene, str, str]) -> Sample:
    new, text, kind = made
    text = "" if voice.rng.random() < mix.empty / 2 else text
    name = f"{task}:{kind}" if task == "edit" else task
    return Sample(name, voice.language, text, (scene_to_codes.paint(old),), scene_to_codes.paint(new), None, (old, new))


def _perceive(name: str, draw: Callable[[Scene], Grid]) -> Callable[[Voice, Mix], Sample]:
    def sample(voice: Voice, mix: Mix) -> Sample:
        scene = draw_scene(voice, mix, mix.seen)
        text = voice.wrapped(questions.perception(voice, name, questions.PERCEPTION[name]))
        return Sample(name, voice.language, text, (scene_to_codes.paint(scene),), draw(scene), None, (scene,))

    return sample


def detect(voice: Voice, mix: Mix) -> Sample:
    """Boxes as text."""
    scene = draw_scene(voice, mix, mix.seen)
    text, answer = questions.detect(voice, scene)
    return Sample("detect", voice.language, voice.wrapped(text), (scene_to_codes.paint(scene),), None, answer, (scene,))


def ask(voice: Voice, mix: Mix) -> Sample:
    """A question about one picture."""
    while True:
        scene = draw_scene(voice, mix, mix.seen)
        kind = voice.rng.choices(list(questions.QUESTIONS), (6, 1.5, 5, 3, 1.5, 1.5, 2.5))[0]
        made = questions.QUESTIONS[kind](voice, scene)
        if made:
            text = voice.wrapped(made[0])
            return Sample(f"ask:{kind}", voice.language, text, (scene_to_codes.paint(scene),), None, made[1], (scene,))


def compare(voice: Voice, mix: Mix) -> Sample:
    """What differs between two pictures."""
    while True:
        scene = draw_scene(voice, mix, mix.seen, _small(voice.rng, mix))
        other, text, answer = questions.compare(voice, scene)
        if _allowed(voice, other):
            grids = (scene_to_codes.paint(scene), scene_to_codes.paint(other))
            return Sample("compare", voice.language, voice.wrapped(text), grids, None, answer, (scene, other))


def _small(rng: Random, mix: Mix) -> tuple[int, int]:
    kinds = (SMALL[:1], DENSE_GRIDS, SMALL)
    weights = (mix.default_grid, mix.dense_grids, 1 - mix.default_grid - mix.dense_grids)
    return rng.choice(rng.choices(kinds, weights)[0])


ORDINAL = {"en": ("first", "second"), "zh": ("第一张图", "第二张图")}


def fetch(voice: Voice, mix: Mix) -> Sample:
    """Take an object of one picture into the scene of the other: same slot if free, else the default one."""
    rng = voice.rng
    while True:
        grid = _small(rng, mix)
        pair = (draw_scene(voice, mix, mix.seen, grid, at_least=1), draw_scene(voice, mix, mix.seen, grid))
        given = 1 if rng.random() < 0.3 else 0
        giver, taker = pair[given], pair[1 - given]
        default = default_slot(taker)
        if not giver.things or not default:
            continue
        thing = rng.choice(giver.things)
        name = edits.reference(voice, giver, thing)
        if not name:
            continue
        spot = (thing.depth, thing.column)
        depth, column = spot if spot in free_slots(taker) else default
        new = with_thing(taker, None, replace(thing, depth=depth, column=column))
        if not _allowed(voice, new):
            continue
        words = ORDINAL[voice.language]
        text = voice.say("fetch", name=name, source=words[given], into=words[1 - given])
        grids = (scene_to_codes.paint(pair[0]), scene_to_codes.paint(pair[1]))
        return Sample(
            "fetch", voice.language, voice.wrapped(text), grids, scene_to_codes.paint(new), None, (*pair, new)
        )


TASKS: dict[str, Callable[[Voice, Mix], Sample]] = {
    "paint": paint,
    "edit": edit,
    "compound": compound,
    "segmentation": _perceive("segmentation", scene_to_codes.segmentation),
    "edges": _perceive("edges", scene_to_codes.edges),
    "boxes": _perceive("boxes", scene_to_codes.boxes),
    "detect": detect,
    "ask": ask,
    "compare": compare,
    "fetch": fetch,
}


def sample(rng: Random, mix: Mix) -> Sample:
    """One training sample."""
    task = rng.choices(list(mix.shares), list(mix.shares.values()))[0]
    return TASKS[task](Voice(rng, rng.choice(LANGUAGES)), mix)


def judged_paint(
    rng: Random,
    language: str,
    things: int = 1,
    grid: tuple[int, int] = DEFAULT_GRID,
    sign: float = 0.0,
    *,
    columns: bool = True,
) -> Sample:
    """A held-out scene asked for in a held-out phrasing, every attribute named, `columns` (left, right) if wanted."""
    while True:
        scene = sample_scene(rng, things, grid, sign=sign, distinct_kinds=1.0, free_style=0.25, real_words=0.0)
        if is_held_out(scene):
            said = Said(depth=rng.random() < 0.5, column=columns)
            text = prompt(_told(scene, rng), language, rng, said, held_out=True)
            return Sample("paint", language, text, (), scene_to_codes.paint(scene), None, (scene,), said)


JUDGED = Mix({}, seen=(0.0, 0.45, 0.4, 0.15), default_grid=1.0, empty=0.0)
