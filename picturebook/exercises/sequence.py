"""From a sample to token ids and loss weights.

<bos> instruction [source picture ...] picture <eos>
<bos> instruction [source picture ...] <|answer|> text <eos>
<bos> instruction [source picture] <|answer|> = plain words <eos>
picture = <|image start|> rows*columns <|image token|> (a row of codes, <|extra_200|>) ... <|extra_201|> <|image end|>
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from edgevlo.runtime.arrays import Floats

from ..language.plain import MARK
from ..world.scene_to_codes import Grid
from . import auxiliary, emphasis, text_tokenizer
from .tasks import Sample
from .text_tokenizer import (
    ANSWER,
    BOS,
    EOS,
    IMAGE_END,
    IMAGE_START,
    IMAGE_TOKEN,
    PICTURE_END,
    ROW_END,
    TEXT_TOKENS,
)

ANSWER_WEIGHT = 5.0
DROPOUT = 0.15  # of merges, where an instruction is told in pieces
READ = "read"  # begins the names of tasks that are answered in plain words


@dataclass(frozen=True)
class Sequence:
    """Token ids and the weight of predicting each of them, both (tokens,), and what its cells should tell."""

    ids: NDArray[np.int64]
    weights: Floats
    auxiliary: auxiliary.Targets
    task: str


class Encoder:
    """Writes samples as token ids; keeps the headers it has seen."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self.pieces = text_tokenizer.spelling(tokenizer, DROPOUT)
        self.quote = self.text('"')[0]
        self.mark = self.text(MARK)
        self._headers: dict[tuple[int, int], list[int]] = {}

    def text(self, text: str, *, spelt: bool = False) -> list[int]:
        """Plain text, no special tokens; `spelt` in pieces where there are whole words."""
        ids: list[int] = (self.pieces if spelt else self.tokenizer).encode(text, add_special_tokens=False).ids
        return ids

    def opener(self, rows: int, columns: int) -> list[int]:
        """What stands before the codes of a picture."""
        if (rows, columns) not in self._headers:
            self._headers[rows, columns] = [IMAGE_START, *self.text(f"{rows}*{columns}"), IMAGE_TOKEN]
        return self._headers[rows, columns]

    def picture(self, grid: Grid) -> list[int]:
        """A whole picture."""
        rows, columns = grid.shape
        body = np.full((rows, columns + 1), ROW_END, np.int64)
        body[:, :-1] = grid + TEXT_TOKENS
        return [*self.opener(rows, columns), *body.reshape(-1).tolist(), PICTURE_END, IMAGE_END]

    def prompt(self, sample: Sample, *, spelt: bool = False) -> list[int]:
        """Everything before the answer or the target picture."""
        ids = [BOS, *self.text(sample.instruction, spelt=spelt)]
        for source in sample.sources:
            ids += self.picture(source)
        return [*ids, ANSWER, *self.mark] if sample.task.startswith(READ) else ids

    def __call__(self, sample: Sample, *, spelt: bool = False) -> Sequence:
        """The whole exercise with its loss weights; `spelt` tells the instruction in pieces."""
        ids = self.prompt(sample, spelt=spelt)
        if sample.target is None:
            answer = self.tokenizer.encode(sample.answer or "", add_special_tokens=False)
            ids += [] if sample.task.startswith(READ) else [ANSWER]
            every = np.asarray([*ids, *answer.ids, EOS], np.int64)
            weights = np.zeros(len(every), np.float32)
            weights[len(ids) :] = ANSWER_WEIGHT
            return Sequence(every, weights, auxiliary.targets(sample, every, answer.offsets, self.quote), sample.task)
        target = sample.target
        head = len(ids) + len(self.opener(*target.shape))
        every = np.asarray([*ids, *self.picture(target), EOS], np.int64)
        if sample.task.split(":")[0] in ("edit", "compound", "fetch"):
            changed = auxiliary.taker_of(sample) if sample.task == "fetch" else 0
            cells = emphasis.edited(sample.scenes[-1], sample.sources[changed], target)
        else:
            cells = emphasis.painted(sample.scenes[-1])
        body = np.zeros((target.shape[0], target.shape[1] + 1), np.float32)
        body[:, :-1] = cells
        weights = np.zeros(len(every), np.float32)
        weights[head : head + body.size] = body.reshape(-1)
        return Sequence(every, weights, auxiliary.targets(sample, every, [], self.quote), sample.task)
