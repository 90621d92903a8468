"""Endless exercises, packed for one step after the other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from random import Random

import numpy as np
import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from edgevlo.runtime.arrays import Array

from ..exercises import text_tokenizer
from ..exercises.auxiliary import NONE
from ..exercises.pack import Pack, packed
from ..exercises.reading import exercise
from ..exercises.sequence import READ, Encoder, Sequence
from ..exercises.tasks import Mix
from ..language.forms import REQUESTS
from ..language.words import LANGUAGES, meaningful_words
from ..world.scene import SIGN_CHARACTERS
from .curriculum import STAGES

SPELT = 0.16  # share of requests to read whose words are spelt in pieces, as misspelt ones are
STREWN = 0.2  # share of exercises with strange tokens in their instruction


def strangers(encoder: Encoder) -> list[int]:
    """Pieces of text that no request and no name of the world holds."""
    said = [*meaningful_words(), *SIGN_CHARACTERS, '"']
    forms = [form for one in REQUESTS.values() for language in LANGUAGES for form in one.forms(language)]
    said += [re.sub(r"{\w+}", " ", form) for form in forms]
    words = dict.fromkeys(word for text in said for word in (text, *text.split()))
    spelt = text_tokenizer.spelling(encoder.tokenizer).encode_batch(
        [start + word for word in words for start in ("", " ", ", ", "，")], add_special_tokens=False
    )
    known = {token for one in spelt for token in one.ids}
    return [token for token in range(len(text_tokenizer.SPECIALS), text_tokenizer.PIECES) if token not in known]


class Feed:
    """A pack of so many tokens for each step."""

    def __init__(self, encoder: Encoder, seed: int, tokens: int) -> None:
        self.encoder, self.tokens = encoder, tokens
        self.rng = Random(seed)
        self.strangers = strangers(encoder)
        self.left: Sequence | None = None

    def strewn(self, sequence: Sequence) -> Sequence:
        """The same exercise with a few strange tokens in its instruction, outside quotes: they are to be ignored."""
        ids = sequence.ids.tolist()
        end = next(
            place for place, token in enumerate(ids) if token in (text_tokenizer.IMAGE_START, text_tokenizer.ANSWER)
        )
        place = 1 if self.rng.random() < 0.5 else self.rng.randint(1, end)
        if ids[1:place].count(self.encoder.quote) % 2:
            place = 1
        strangers = self.rng.choices(self.strangers, k=self.rng.randint(1, 4))
        weights = np.insert(sequence.weights, place, np.zeros(len(strangers), np.float32))
        asked = np.insert(sequence.auxiliary, [place] * len(strangers), NONE, axis=0)
        return Sequence(np.insert(sequence.ids, place, strangers), weights, asked, sequence.task)

    def __call__(self, mix: Mix) -> Pack[Array]:
        """The exercises of the next step; one that does not fit any more is the first of the step after."""
        drawn, length = list[Sequence](), 0
        while True:
            sequence = self.left or self.drawn(mix)
            length += len(sequence.ids)
            if drawn and length > self.tokens:
                self.left = sequence
                return packed(drawn, self.tokens)
            self.left = None
            drawn.append(sequence)

    def drawn(self, mix: Mix) -> Sequence:
        """One exercise."""
        sample = exercise(self.rng, mix)
        if sample.task.startswith(READ):  # a reader tells what is strange
            return self.encoder(sample, spelt=self.rng.random() < SPELT)
        sequence = self.encoder(sample)
        return self.strewn(sequence) if self.rng.random() < STREWN else sequence


class _Stream(IterableDataset[Pack[Array]]):
    """One step after the other, of the stage that a shared number tells."""

    def __init__(self, feed: Feed, stage: torch.Tensor) -> None:
        self.feed, self.stage = feed, stage

    def __iter__(self) -> Iterator[Pack[Array]]:
        worker = get_worker_info()
        if worker:
            self.feed.rng.seed(worker.seed)
        while True:
            yield self.feed(STAGES[int(self.stage)].mix)


def stream(feed: Feed, stage: torch.Tensor, feeders: int) -> Iterator[Pack[Array]]:
    """Steps without end, drawn by so many processes; by this one if there are none (enough for a CPU)."""
    generator = torch.Generator().manual_seed(feed.rng.getrandbits(63))
    return iter(DataLoader(_Stream(feed, stage), batch_size=None, num_workers=feeders, generator=generator))
