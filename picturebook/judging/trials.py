"""What the judge asks for: held-out cases of every ability, as data.

Each case is drawn from its own seed, so that case 7 is the same however many are judged. Scenes are of combinations
that training never sees (an edit may lead anywhere), sentences of forms that it never uses
(`language/forms/held_out.*`). A combination is one of kind, colour, place and time, in at least one of the scene's
objects; each of these words alone, and in other combinations, is trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from ..exercises import edits
from ..exercises.tasks import JUDGED, TASKS, Sample, draw_scene, judged_paint
from ..language.voice import Voice
from ..world import scene_to_codes
from ..world.scene import DEFAULT_GRID, DENSE_GRIDS, GRIDS, HELD_OUT_GRIDS, Scene
from ..world.scene_to_codes import Grid

TRAINED_GRIDS = tuple(sorted({*GRIDS, *DENSE_GRIDS} - {DEFAULT_GRID}))
NEW_GRIDS = HELD_OUT_GRIDS


@dataclass(frozen=True)
class Trial:
    """One case of a row; `part` is the kind of edit or question, the number of edits, or the size."""

    row: str
    language: str
    number: int
    part: str
    samples: tuple[Sample, ...]  # one, or several turns: the picture made in a turn is the source of the next


def _only(made: Sample) -> tuple[str, tuple[Sample, ...]]:
    return made.task.partition(":")[2], (made,)


def _painted(
    voice: Voice, things: int, grid: tuple[int, int] = DEFAULT_GRID, sign: float = 0.0, *, columns: bool = True
) -> Sample:
    return judged_paint(voice.rng, voice.language, things, grid, sign, columns=columns)


def _sized(voice: Voice, grids: tuple[tuple[int, int], ...]) -> tuple[str, tuple[Sample, ...]]:
    """One object, so that the size is the only difference to the first row."""
    rows, columns = voice.rng.choice(grids)
    return f"{rows}x{columns}", (_painted(voice, 1, (rows, columns)),)


@dataclass(frozen=True)
class _Heard(Voice):
    """A voice that remembers what it said."""

    said: list[str] = field(default_factory=list)

    def say(self, request: str, **words: str) -> str:
        phrase = super().say(request, **words)
        self.said.append(phrase.strip("，"))
        return phrase


def _compound(voice: Voice) -> tuple[str, tuple[Sample, ...]]:
    """Exactly two, three or four edits in one instruction."""
    count = voice.rng.choice((2, 2, 2, 3, 3, 4))
    while True:
        scene = draw_scene(voice, JUDGED, JUDGED.seen)
        heard = _Heard(voice.rng, voice.language, held_out=True)
        made = edits.compound(heard, scene, count)
        if made and made[0] != scene and sum(phrase in made[1] for phrase in heard.said) == count:
            return str(count), (_edited("compound", voice, scene, *made[:2]),)


def _turns(voice: Voice) -> tuple[str, tuple[Sample, ...]]:
    """Three single edits one after the other, each asked of the true scene."""
    scene, samples = draw_scene(voice, JUDGED, JUDGED.seen), list[Sample]()
    while len(samples) < 3:
        made = edits.single(voice, scene)
        if made:
            samples.append(_edited(f"edit:{made[2]}", voice, scene, *made[:2]))
            scene = made[0]
    return "", tuple(samples)


def _edited(task: str, voice: Voice, old: Scene, new: Scene, text: str) -> Sample:
    return Sample(task, voice.language, text, (scene_to_codes.paint(old),), scene_to_codes.paint(new), None, (old, new))


def _asked(voice: Voice, describe: bool) -> tuple[str, tuple[Sample, ...]]:
    while True:
        part, samples = _only(TASKS["ask"](voice, JUDGED))
        if (part == "describe") == describe:
            return part, samples


_DRAW: dict[str, Callable[[Voice], tuple[str, tuple[Sample, ...]]]] = {
    "paint1": lambda voice: _only(_painted(voice, 1)),
    "paint2": lambda voice: _only(_painted(voice, 2)),
    "paint3": lambda voice: _only(_painted(voice, 3)),
    "paint2-anywhere": lambda voice: _only(_painted(voice, 2, columns=False)),
    "paint3-anywhere": lambda voice: _only(_painted(voice, 3, columns=False)),
    "sign": lambda voice: _only(_painted(voice, 1, sign=1.0)),
    "sizes": lambda voice: _sized(voice, TRAINED_GRIDS),
    "new-sizes": lambda voice: _sized(voice, NEW_GRIDS),
    "compound": _compound,
    "turns": _turns,
    "ask": lambda voice: _asked(voice, describe=False),
    "describe": lambda voice: _asked(voice, describe=True),
    **{
        task: lambda voice, task=task: _only(TASKS[task](voice, JUDGED))  # type: ignore[misc]
        for task in ("edit", "detect", "boxes", "segmentation", "edges", "compare", "fetch")
    },
}
ROWS = ("paint1", "paint2", "paint3", "paint2-anywhere", "paint3-anywhere", "sign", "sizes", "new-sizes", "edit",
        "compound", "turns", "detect", "boxes", "segmentation", "edges", "ask", "describe", "compare",
        "fetch")  # fmt: skip
_SAME_SCENES = ("segmentation", "edges", "boxes")  # case by case, so that they can be shown side by side


def draw(row: str, language: str, number: int, seed: int = 0) -> Trial:
    """Case `number` of a row of `ROWS`."""
    scenes = "perceive" if row in _SAME_SCENES else row
    voice = Voice(Random(f"trial {scenes} {language} {seed} {number}"), language, held_out=True)
    return Trial(row, language, number, *_DRAW[row](voice))


def turn(trial: Trial, number: int, own: Grid | None) -> Sample:
    """The sample of a turn; after the first, its source is the picture that was made in the turn before."""
    sample = trial.samples[number]
    return sample if own is None else replace(sample, sources=(own,))
