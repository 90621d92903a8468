"""What a model paints and answers when nothing is drawn by chance."""

from collections.abc import Collection
from typing import Any

from edgevlo.runtime.arrays import Codes, Floats
from edgevlo.runtime.generate.text import answer
from edgevlo.runtime.model import Model


def painted(model: Model, prompt: str, **options: Any) -> Codes:
    *_, last = model.paint_rows(prompt, temperature=0.0, **options)
    return last.codes


def answered(
    model: Model, prompt: list[int], stop: Collection[int], count: int, features: Floats | None = None
) -> list[int]:
    """Return the tokens behind a prompt's, at most `count`."""
    with model._engine.painter([prompt], count, features) as painter:
        choose = model._engine.text_choice(painter.backbone)
        return list(answer(choose, painter.backbone.step, stop, count))
