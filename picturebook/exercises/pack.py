"""Exercises laid end to end: what a training step reads, without padding between them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import torch

from edgevlo.runtime.arrays import Array

from . import text_tokenizer
from .auxiliary import KINDS, NONE
from .sequence import Sequence

Values = TypeVar("Values")


@dataclass(frozen=True)
class Asked(Generic[Values]):
    """Which tokens of a pack are asked, (asked,), for which answer, and how much each weighs, if not the same."""

    at: Values
    answer: Values
    weight: Values


@dataclass(frozen=True)
class Pack(Generic[Values]):
    """Token ids and their places within their exercise, (tokens,), and where the exercises start, (exercises + 1,).

    `codes` and `words` are what the loss asks, codes counted from the first code; `aside` what the auxiliary heads are
    asked, by kind.
    """

    ids: Values
    places: Values
    starts: Values
    longest: int
    codes: Asked[Values]
    words: Asked[Values]
    aside: tuple[Asked[Values], ...]


def packed(sequences: list[Sequence], tokens: int = 0) -> Pack[Array]:
    """The pack of some exercises, filled up with padding to so many tokens."""
    lengths = [len(sequence.ids) for sequence in sequences]
    missing = tokens - sum(lengths)
    if missing > 0:
        lengths.append(missing)
    ids = np.full(sum(lengths), text_tokenizer.PAD, np.int32)
    weights = np.zeros(len(ids), np.float32)
    told = np.full((len(KINDS), len(ids)), NONE, np.int32)
    starts = np.concatenate([[0], np.cumsum(lengths)])
    for sequence, start in zip(sequences, starts, strict=False):
        part = slice(start, start + len(sequence.ids))
        ids[part], weights[part], told[:, part] = sequence.ids, sequence.weights, sequence.auxiliary.T
    predicted = np.flatnonzero(weights)
    is_code = ids[predicted] >= text_tokenizer.TEXT_TOKENS
    return Pack(
        ids,
        (np.arange(len(ids)) - np.repeat(starts[:-1], lengths)).astype(np.int32),
        starts.astype(np.int32),
        max(lengths),
        _asked(ids - text_tokenizer.TEXT_TOKENS, weights, predicted[is_code]),
        _asked(ids, weights, predicted[~is_code]),
        tuple(Asked(at := np.flatnonzero(kind != NONE).astype(np.int32), kind[at], weights[:0]) for kind in told),
    )


def _asked(answers: Array, weights: Array, tokens: Array) -> Asked[Array]:
    return Asked((tokens - 1).astype(np.int32), answers[tokens], weights[tokens])  # the state before tells a token


def on(pack: Pack[Array], device: torch.device) -> Pack[torch.Tensor]:
    """A pack as tensors on a device."""

    def moved(values: Array) -> torch.Tensor:
        tensor = torch.from_numpy(np.ascontiguousarray(values))
        if device.type == "cuda":  # from pinned memory, so that nobody waits for the steps before
            return tensor.pin_memory().to(device, non_blocking=True)
        return tensor.to(device)

    def whole(values: Array) -> torch.Tensor:
        return moved(values).long()

    def asked(one: Asked[Array]) -> Asked[torch.Tensor]:
        return Asked(whole(one.at), whole(one.answer), moved(one.weight))

    aside = tuple(asked(one) for one in pack.aside)
    starts = moved(pack.starts)
    return Pack(whole(pack.ids), whole(pack.places), starts, pack.longest, asked(pack.codes), asked(pack.words), aside)
