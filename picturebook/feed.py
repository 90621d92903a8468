"""Endless exercises as batches of token ids and loss weights."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from . import text
from .auxiliary import KINDS, NONE
from .curriculum import STAGES
from .phrases import REQUESTS
from .scene import SIGN_CHARACTERS
from .sequence import Encoder, Sequence
from .tasks import Mix, sample
from .words import LANGUAGES, meaningful_words

PASS = 50
STREWN = 0.2  # share of exercises with strange tokens in their instruction


def strangers(encoder: Encoder) -> list[int]:
    """Text tokens that no request and no name of the world holds."""
    said = [*meaningful_words(), *SIGN_CHARACTERS, '"']
    forms = [form for one in REQUESTS.values() for language in LANGUAGES for form in one.forms(language)]
    said += [re.sub(r"{\w+}", " ", form) for form in forms]
    said += [word for words in said for word in words.split()]
    known = {token for words in said for start in ("", " ", ", ", "，") for token in encoder.text(start + words)}
    return [token for token in range(len(text.SPECIALS), text.TEXT_TOKENS) if token not in known]


class Feed:
    """Enough samples for one step at a time, in groups of similar length."""

    def __init__(self, encoder: Encoder, seed: int, tokens: int) -> None:
        self.encoder, self.tokens = encoder, tokens
        self.rng = Random(seed)
        self.strangers = strangers(encoder)

    def strewn(self, sequence: Sequence) -> Sequence:
        """The same exercise with a few strange tokens in its instruction, outside quotes: they are to be ignored."""
        ids = sequence.ids.tolist()
        end = next(place for place, token in enumerate(ids) if token in (text.IMAGE_START, text.ANSWER))
        place = 1 if self.rng.random() < 0.5 else self.rng.randint(1, end)
        if ids[1:place].count(self.encoder.quote) % 2:
            place = 1
        strangers = self.rng.choices(self.strangers, k=self.rng.randint(1, 4))
        weights = np.insert(sequence.weights, place, np.zeros(len(strangers), np.float32))
        asked = np.insert(sequence.auxiliary, [place] * len(strangers), NONE, axis=0)
        return Sequence(np.insert(sequence.ids, place, strangers), weights, asked, sequence.task)

    def __call__(self, mix: Mix) -> list[list[Sequence]]:
        """The groups of the next step."""
        drawn: list[Sequence] = []
        while sum(len(sequence.ids) for sequence in drawn) < self.tokens:
            sequence = self.encoder(sample(self.rng, mix))
            drawn.append(self.strewn(sequence) if self.rng.random() < STREWN else sequence)
        return in_groups(sorted(drawn, key=lambda sequence: len(sequence.ids)))


def in_groups(drawn: list[Sequence]) -> list[list[Sequence]]:
    """Sequences in order of length, cut where that saves the most padding; a pass costs as much as PASS tokens."""
    lengths = [len(sequence.ids) for sequence in drawn]
    best: list[tuple[int, int]] = [(0, 0)]  # tokens of the first so many sequences, and where their last group begins
    for end in range(1, len(drawn) + 1):
        best.append(min((best[cut][0] + lengths[end - 1] * (end - cut) + PASS, cut) for cut in range(end)))
    groups, end = list[list[Sequence]](), len(drawn)
    while end:
        groups.append(drawn[best[end][1] : end])
        end = best[end][1]
    return groups[::-1]


class _Stream(IterableDataset[list[list[Sequence]]]):
    """The groups of one step after the other, of the stage that a shared number tells."""

    def __init__(self, feed: Feed, stage: torch.Tensor) -> None:
        self.feed, self.stage = feed, stage

    def __iter__(self) -> Iterator[list[list[Sequence]]]:
        worker = get_worker_info()
        if worker:
            self.feed.rng.seed(worker.seed)
        while True:
            yield self.feed(STAGES[int(self.stage)].mix)


def stream(feed: Feed, stage: torch.Tensor, feeders: int) -> Iterator[list[list[Sequence]]]:
    """Steps without end, drawn by so many processes; by this one if there are none (enough for a CPU)."""
    generator = torch.Generator().manual_seed(feed.rng.getrandbits(63))
    return iter(DataLoader(_Stream(feed, stage), batch_size=None, num_workers=feeders, generator=generator))


def padded(group: list[Sequence], device: torch.device) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Token ids and weights, (sequences, tokens), and auxiliary targets, (sequences, tokens, kinds).

    Padded on the right: causal attention never sees the padding.
    """
    length = max(len(sequence.ids) for sequence in group)
    ids = torch.full((len(group), length), text.PAD, dtype=torch.long)
    weights = torch.zeros(len(group), length)
    asked = torch.full((len(group), length, len(KINDS)), NONE, dtype=torch.long)
    for row, sequence in enumerate(group):
        ids[row, : len(sequence.ids)] = torch.from_numpy(sequence.ids)
        weights[row, : len(sequence.ids)] = torch.from_numpy(sequence.weights)
        asked[row, : len(sequence.ids)] = torch.from_numpy(sequence.auxiliary)
    return ids.to(device), weights.to(device), asked.to(device)
