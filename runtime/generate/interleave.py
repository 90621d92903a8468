"""An answer of text with pictures in it: the model says where a picture begins. Knows no graphs and no prompts."""

import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from ..arrays import Codes
from .answers import AnswerWarning
from .stroke import Stroke

# The tokens that follow a context, one after the other, at most so many; none is read that was not asked for.
Continue: TypeAlias = Callable[[list[int], int], Iterator[int]]


@dataclass(slots=True)
class Written:
    """What was written so far: every token, those of pictures included, and the pictures by themselves."""

    tokens: list[int] = field(default_factory=list)
    pictures: list[Codes] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """When an answer ends, and what in it is a picture."""

    stop: Collection[int]
    opener: int  # the token at which a picture begins
    max_tokens: int  # of text, in all
    max_positions: int  # of everything, the prompt included
    picture_tokens: int  # of a picture, opener and closer included


def interleave(
    prompt: list[int],
    go_on: Continue,
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
        text, paints = _text(go_on(prompt + written.tokens, left), rule)
        written.tokens += text
        left -= len(text)
        if words := decode(text):
            parts += 1
            yield words
        if not paints:
            break
        if len(prompt) + len(written.tokens) + rule.picture_tokens > rule.max_positions:
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
