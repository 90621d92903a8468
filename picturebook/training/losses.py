"""What the decoder is asked: the codes of pictures and the words of answers.

Codes compete with codes. Words compete with the whole vocabulary where they are judged; in training with those that
matter and a sample of the rest, a tenth of it in all (sampled softmax; Jean et al., 2015, arXiv:1412.2007).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log

import torch
from torch.nn import functional

from ..exercises import text_tokenizer
from ..exercises.pack import Asked, Pack
from ..model.decoder import Decoder

USUAL, SAMPLED = 1024, 2048  # words that compete with every word: the answers most heard, and others by chance


@dataclass(frozen=True)
class Rivals:
    """Rows of the table that compete, (rivals,), ascending, and what is added to the logit of each, (rivals,)."""

    rows: torch.Tensor
    raised: torch.Tensor


class Contest:
    """Chooses the rivals of a step's words; remembers how often which word was an answer."""

    def __init__(self, vocabulary: int, device: torch.device) -> None:
        self.heard = torch.zeros(vocabulary, device=device)

    def rivals(self, pack: Pack[torch.Tensor]) -> Rivals:
        """Every answer and every token of the pack, the usual answers, and a sample that stands for all the others."""
        size = len(self.heard)
        self.heard.index_add_(0, pack.words.answer, torch.ones_like(pack.words.weight))
        certain = torch.zeros(size, dtype=torch.bool, device=self.heard.device)
        for tokens in (pack.ids, pack.words.answer, self.heard.topk(min(USUAL, size)).indices):
            certain[tokens] = True
        by_chance = certain.clone()
        by_chance[torch.randint(size, (SAMPLED,), device=certain.device)] = True
        rows = by_chance.nonzero().squeeze(1)
        known = certain[rows]
        others, drawn = size - int(certain.sum()), len(rows) - int(known.sum())
        return Rivals(rows, torch.where(known, 0.0, log(others / drawn) if drawn else 0.0))


def losses(
    core: Decoder, states: torch.Tensor, pack: Pack[torch.Tensor], rivals: Rivals | None = None
) -> list[tuple[Asked[torch.Tensor], torch.Tensor, torch.Tensor]]:
    """Of codes, then of words: who is asked, the loss, and whether it is right (among `rivals`, if they are given)."""
    table, codes, words = core.embed_tokens.weight, pack.codes, pack.words
    found = [(codes, *_judged(core, states[codes.at], table[text_tokenizer.TEXT_TOKENS :], codes.answer))]
    if rivals is None:
        return [*found, (words, *_judged(core, states[words.at], table, words.answer))]
    answer = torch.searchsorted(rivals.rows, words.answer)
    return [*found, (words, *_judged(core, states[words.at], table[rivals.rows], answer, rivals.raised))]


def _judged(
    core: Decoder, states: torch.Tensor, rows: torch.Tensor, answer: torch.Tensor, raised: torch.Tensor | None = None
) -> tuple[torch.Tensor, torch.Tensor]:
    with torch.autocast(states.device.type, torch.bfloat16, enabled=states.is_cuda or core.in_half):
        logits = functional.linear(states, rows).float()
    logits = logits if raised is None else logits + raised
    return functional.cross_entropy(logits, answer, reduction="none"), logits.argmax(-1) == answer
