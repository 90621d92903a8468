"""Text that the model writes, token by token: an answer to a prompt, or the continuation of a context."""

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import TypeAlias

from ..engine import Engine
from ..manifest.abilities import Ability
from ..manifest.schema import Manifest
from ..tokenizer.text_tokenizer import TextTokenizer
from .prompts import PromptWriter, Source, stacked
from .raster_loop import Step

NextToken: TypeAlias = Callable[[], int]


class AnswerWarning(UserWarning):
    """The model's answer is empty, or a part of it could not be used."""


def answer(next_token: NextToken, step: Step, stop: Collection[int], max_tokens: int) -> Iterator[int]:
    """Yield the tokens of an answer until one of `stop`; the prompt has been read."""
    for _ in range(max_tokens):
        token = next_token()
        if token in stop:
            return
        yield token
        step((token,))


class Answering:
    """Writes the likeliest text after prompts."""

    def __init__(self, manifest: Manifest, engine: Engine, tokenizer: TextTokenizer, writer: PromptWriter) -> None:
        self._manifest = manifest
        self._engine = engine
        self._tokenizer = tokenizer
        self._writer = writer

    def answer(self, ability: Ability, text: str, sources: Sequence[Source]) -> str:
        """Return the whole answer to a text about pictures."""
        rule = self._manifest.answer
        prompt = self._writer.prompt(ability.prompt, text, sources)
        longest = max(1, min(rule.max_tokens, self._engine.holds - len(prompt)))
        with self._engine.painter([prompt], longest, stacked(sources)) as painter:
            next_token = self._engine.text_choice(painter.backbone)
            stop = self._tokenizer.specials(rule.stop)
            return self._tokenizer.decode(list(answer(next_token, painter.backbone.step, stop, longest)))

    def continuation(self, context: list[int], count: int) -> Iterator[int]:
        """Yield up to `count` of the likeliest tokens after a context, fewer where the model holds no more."""
        longest = min(count, self._engine.holds - len(context))
        if longest < 1:
            return
        with self._engine.painter([context], longest) as painter:
            next_token = self._engine.text_choice(painter.backbone)
            yield from answer(next_token, painter.backbone.step, (), longest)
