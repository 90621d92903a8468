"""Text that an opened bundle writes: an answer to the end, or what follows a context as far as it is asked for."""

from collections.abc import Iterator, Sequence

import numpy as np

from ..graphs.engine import Engine
from ..manifest.abilities import Ability
from ..manifest.schema import Manifest
from ..pictures.sizes import GridRule
from .answers import answer
from .interleave import Rule
from .prompts import PromptWriter, Source, Vocabulary, stacked


class Answering:
    """Writes the likeliest text after prompts."""

    def __init__(
        self, manifest: Manifest, engine: Engine, grid: GridRule, vocabulary: Vocabulary, writer: PromptWriter
    ) -> None:
        self._manifest = manifest
        self._engine = engine
        self._grid = grid
        self._vocabulary = vocabulary
        self._writer = writer

    def answer(self, ability: Ability, text: str, sources: Sequence[Source]) -> str:
        """Return the whole answer to a text about pictures."""
        rule = self._manifest.answer
        stop = {self._vocabulary.special(token) for token in rule.stop}
        prompt = self._writer.prompt(ability.prompt, text, sources)
        room = self._manifest.backbone.max_positions - len(prompt)
        longest = max(1, min(rule.max_tokens, room))
        with self._engine.painter([prompt], longest, stacked(sources)) as painter:
            next_token = self._engine.text_choice(painter.backbone.last_hidden)
            return self._vocabulary.decode(list(answer(next_token, painter.backbone.step, stop, longest)))

    def go_on(self, context: list[int], count: int) -> Iterator[int]:
        """Yield the likeliest tokens after a context, as far as `count` and the model's positions reach."""
        longest = min(count, self._manifest.backbone.max_positions - len(context))
        if longest < 1:
            return
        with self._engine.painter([context], longest) as painter:
            next_token = self._engine.text_choice(painter.backbone.last_hidden)
            yield from answer(next_token, painter.backbone.step, (), longest)

    def interleave_rule(self) -> Rule:
        """Return when an answer with pictures in it ends, and what in it is a picture."""
        rule, shape = self._manifest.answer, self._grid.default
        codes = np.zeros((shape.rows, shape.columns), dtype=np.int32)
        return Rule(
            stop={self._vocabulary.special(token) for token in rule.stop},
            opener=self._writer.opener(shape)[0],
            max_tokens=rule.max_tokens,
            max_positions=self._manifest.backbone.max_positions,
            picture_tokens=len(self._writer.picture(codes)),
        )
