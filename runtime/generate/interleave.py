"""An answer of text and pictures: the model decides where a picture begins. Knows no graphs."""

import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from ..arrays import Codes
from ..manifest.schema import Manifest
from ..pictures.sizes import Shape
from ..tokenizer.text_tokenizer import TextTokenizer
from .prompts import PromptWriter
from .stroke import Stroke
from .text import AnswerWarning

# Yields the tokens that follow a context, at most so many, and computes each only when it is asked for.
Continue: TypeAlias = Callable[[list[int], int], Iterator[int]]


@dataclass(slots=True)
class Written:
    """What the answer holds so far: every token, those of pictures included, and the pictures by themselves."""

    tokens: list[int] = field(default_factory=list)
    pictures: list[Codes] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an answer ends, and what in it is a picture."""

    stop: Collection[int]
    opener: int  # the token at which a picture begins
    max_tokens: int  # of text, in all
    holds: int  # tokens of everything, the prompt included
    picture_tokens: int  # of a picture, opener and closer included

    @classmethod
    def of(cls, manifest: Manifest, tokenizer: TextTokenizer, writer: PromptWriter, holds: int) -> "Rule":
        """Return the rule of a model that holds so many tokens and whose pictures have its default size."""
        shape = Shape(*manifest.grid.default)
        return cls(
            stop=tokenizer.specials(manifest.answer.stop),
            opener=writer.opener(shape)[0],
            max_tokens=manifest.answer.max_tokens,
            holds=holds,
            picture_tokens=len(writer.picture(np.zeros((shape.rows, shape.columns), dtype=np.int32))),
        )


def interleave(
    prompt: list[int],
    continuation: Continue,
    paint: Callable[[Written], Iterator[Stroke]],
    picture: Callable[[Codes], list[int]],
    decode: Callable[[list[int]], str],
    rule: Rule,
) -> Iterator[str | Stroke]:
    """Yield text, and the strokes of each picture, in the order in which they are written.

    `picture` gives the tokens of a picture's codes, opener and closer included. A picture that no longer fits ends the
    answer, with an `AnswerWarning`; so does an answer that holds nothing.
    """
    written, left, parts = Written(), rule.max_tokens, 0
    while True:
        text, paints = _text(continuation(prompt + written.tokens, left), rule)
        written.tokens += text
        left -= len(text)
        if words := decode(text):
            parts += 1
            yield words
        if not paints:
            break
        if len(prompt) + len(written.tokens) + rule.picture_tokens > rule.holds:
            warnings.warn("there was no room for the model's next picture; the answer ends here", AnswerWarning, 2)
            return
        for stroke in paint(written):
            codes = stroke.codes
            yield stroke
        parts += 1
        written.tokens += picture(codes)
        written.pictures.append(codes)
    if not parts:
        warnings.warn("the model gave no answer; ask in other words", AnswerWarning, stacklevel=2)


def _text(tokens: Iterator[int], rule: Rule) -> tuple[list[int], bool]:
    """Return the tokens up to the end or to a picture, and whether a picture follows."""
    text: list[int] = []
    for token in tokens:
        if token == rule.opener:
            return text, True
        if token in rule.stop:
            break
        text.append(token)
    return text, False
