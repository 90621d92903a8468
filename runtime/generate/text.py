"""Text that the model writes, token by token: an answer to a prompt, or the continuation of a context."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..engine import Engine
from ..graphs.backbone_kv_cache import Backbone
from ..manifest.abilities import Ability
from ..manifest.schema import Manifest
from ..tokenizer.text_tokenizer import TextTokenizer
from .prompts import PromptWriter, Source, stacked
from .raster_loop import Step
from .text_sampling import LIKELIEST, TextOptions

NextToken: TypeAlias = Callable[[], int]

_HALF_A_CHARACTER: Final = "\N{REPLACEMENT CHARACTER}"


class AnswerWarning(UserWarning):
    """The model's answer is empty, or a part of it could not be used."""


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer, of how many tokens it is, and whether the model ended it, or it was as long as it may be."""

    text: str
    tokens: int
    is_whole: bool


def answer(next_token: NextToken, step: Step, stop: Collection[int], max_tokens: int) -> Iterator[int]:
    """Yield the tokens of an answer until one of `stop`; the prompt has been read."""
    for _ in range(max_tokens):
        token = next_token()
        if token in stop:
            return
        yield token
        step((token,))


class Answering:
    """Writes text after prompts, the likeliest unless it is told to draw."""

    def __init__(self, manifest: Manifest, engine: Engine, tokenizer: TextTokenizer, writer: PromptWriter) -> None:
        self._manifest = manifest
        self._engine = engine
        self._tokenizer = tokenizer
        self._writer = writer

    def answer(
        self, ability: Ability, text: str, sources: Sequence[Source], options: TextOptions = LIKELIEST
    ) -> Answered:
        """Return the answer to a text about pictures, as long as the model, or the options, let it be."""
        rule = self._manifest.answer
        prompt = self._writer.prompt(ability.prompt, text, sources)
        most = min(rule.max_tokens, options.max_tokens or rule.max_tokens)
        longest = max(1, min(most, self._engine.holds - len(prompt)))
        with self._engine.painter([prompt], longest, stacked(sources)) as painter:
            next_token = self._next_token(painter.backbone, options)
            stop = self._tokenizer.specials(rule.stop)
            tokens = list(answer(next_token, painter.backbone.step, stop, longest))
        words, is_whole = self._tokenizer.decode(tokens), len(tokens) < longest
        return Answered(words if is_whole else words.rstrip(_HALF_A_CHARACTER), len(tokens), is_whole)

    def continuation(self, context: list[int], count: int) -> Iterator[int]:
        """Yield up to `count` of the likeliest tokens after a context, fewer where the model holds no more."""
        longest = min(count, self._engine.holds - len(context))
        if longest < 1:
            return
        with self._engine.painter([context], longest) as painter:
            next_token = self._engine.text_choice(painter.backbone)
            yield from answer(next_token, painter.backbone.step, (), longest)

    def _next_token(self, backbone: Backbone, options: TextOptions) -> NextToken:
        if not options.draws:
            return self._engine.text_choice(backbone)
        logits, draw = self._engine.text_logits(backbone), options.drawing()
        return lambda: draw(logits())
