"""From a sample to token ids and loss weights.

<bos> instruction [source picture ...] picture <eos>
<bos> instruction [source picture ...] <|answer|> text <eos>
picture = <|image start|> rows*columns <|image token|> (a row of codes, <|extra_200|>) ... <|extra_201|> <|image end|>
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from . import auxiliary, emphasis
from .layout import Grid
from .tasks import Sample
from .text import ANSWER, BOS, EOS, IMAGE_END, IMAGE_START, IMAGE_TOKEN, PICTURE_END, ROW_END, TEXT_TOKENS

ANSWER_WEIGHT = 5.0


@dataclass(frozen=True)
class Sequence:
    """Token ids and the weight of predicting each of them, both (tokens,), and what its cells should tell."""

    ids: NDArray[np.int64]
    weights: NDArray[np.float32]
    auxiliary: auxiliary.Targets
    task: str


class Encoder:
    """Writes samples as token ids; keeps the headers it has seen."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self.tokenizer = tokenizer
        self._headers: dict[tuple[int, int], list[int]] = {}

    def text(self, text: str) -> list[int]:
        """Plain text, no special tokens."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False).ids
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

    def prompt(self, sample: Sample) -> list[int]:
        """Everything before the answer or the target picture."""
        ids = [BOS, *self.text(sample.instruction)]
        for source in sample.sources:
            ids += self.picture(source)
        return ids

    def __call__(self, sample: Sample) -> Sequence:
        """The whole exercise with its loss weights."""
        ids = self.prompt(sample)
        if sample.target is None:
            answer = [*self.text(sample.answer or ""), EOS]
            weights = [0.0] * (len(ids) + 1) + [ANSWER_WEIGHT] * len(answer)
            ids += [ANSWER, *answer]
            return Sequence(
                np.asarray(ids, np.int64), np.asarray(weights, np.float32), self._auxiliary(sample, ids), sample.task
            )
        target = sample.target
        head = len(ids) + len(self.opener(*target.shape))
        ids += [*self.picture(target), EOS]
        if sample.task.split(":")[0] in ("edit", "compound", "fetch"):
            # of two pictures the one that is changed is the one that the target is most alike
            source = min(sample.sources, key=lambda source: np.count_nonzero(source != target))
            cells = emphasis.edited(sample.scenes[-1], source, target)
        else:
            cells = emphasis.painted(sample.scenes[-1])
        body = np.zeros((target.shape[0], target.shape[1] + 1), np.float32)
        body[:, :-1] = cells
        weights_array = np.zeros(len(ids), np.float32)
        weights_array[head : head + body.size] = body.reshape(-1)
        return Sequence(np.asarray(ids, np.int64), weights_array, self._auxiliary(sample, ids), sample.task)

    def _auxiliary(self, sample: Sample, ids: list[int]) -> auxiliary.Targets:
        """What the cells of sources and target should tell, (tokens, auxiliary.RESULT + 1)."""
        pictures = list(sample.sources)
        becomes: list[Grid | None] = [sample.target] * len(pictures)
        if sample.target is not None:
            pictures, becomes = [*pictures, sample.target], [*becomes, None]
        elif len(pictures) == 2:  # a comparison: what was here in the first
            becomes[1] = pictures[0]
        told = [auxiliary.of_picture(grid, other) for grid, other in zip(pictures, becomes, strict=True)]
        found = np.full((len(ids), auxiliary.RESULT + 1), auxiliary.NONE, np.int64)
        if told:
            cells = np.asarray(ids) >= TEXT_TOKENS
            found[cells] = np.concatenate([cell.reshape(-1, auxiliary.RESULT + 1) for cell in told])
        return found
