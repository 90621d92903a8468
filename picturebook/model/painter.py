"""Painting and answering in batches, in plain torch, to judge training runs; `edgevlo.runtime` runs bundles."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import DynamicCache
from transformers.modeling_outputs import BaseModelOutputWithPast

from ..exercises import text_tokenizer
from ..exercises.sequence import Encoder
from ..exercises.tasks import Sample

# What transformers calls the cache: `cache` from 5.24 on, where the other name warns, and goes in 5.40.
CACHE: Final = "cache" if hasattr(BaseModelOutputWithPast(), "cache") else "past_key_values"


@dataclass(frozen=True)
class Draw:
    """How the next code is chosen; temperature 0 takes the likeliest."""

    temperature: float = 0.0
    top_k: int = 0
    guidance: float = 1.0
    seed: int = 0


class _Run:
    """A batch of prompts of any length, padded on the left, behind one cache."""

    def __init__(self, model: Any, prompts: list[list[int]]) -> None:
        self.model = model
        width = max(len(prompt) for prompt in prompts)
        ids = torch.full((len(prompts), width), text_tokenizer.PAD, dtype=torch.long)
        self.mask = torch.zeros(len(prompts), width, dtype=torch.long)
        for row, prompt in enumerate(prompts):
            ids[row, width - len(prompt) :] = torch.tensor(prompt)
            self.mask[row, width - len(prompt) :] = 1
        self.cache = DynamicCache()
        self.positions = (self.mask.cumsum(-1) - 1).clamp(min=0)
        self.hidden = self._step(ids)

    def _step(self, ids: torch.Tensor) -> torch.Tensor:
        device = self.model.device
        output = self.model.model.text_model(
            input_ids=ids.to(device), attention_mask=self.mask.to(device), position_ids=self.positions.to(device),
            use_cache=True, **{CACHE: self.cache},
        )  # fmt: skip
        return output.last_hidden_state[:, -1]  # type: ignore[no-any-return]

    def feed(self, ids: torch.Tensor) -> None:
        """Add tokens, (prompts, tokens)."""
        count = ids.shape[1]
        self.mask = torch.cat([self.mask, torch.ones(len(ids), count, dtype=torch.long)], dim=1)
        self.positions = self.positions[:, -1:] + 1 + torch.arange(count)[None]
        self.hidden = self._step(ids)


def choose(logits: torch.Tensor, draw: Draw, generator: torch.Generator) -> torch.Tensor:
    """One index per row of (rows, choices)."""
    if draw.temperature == 0:
        return logits.argmax(-1)
    logits = logits / draw.temperature
    if draw.top_k:
        least = logits.topk(draw.top_k).values[:, -1:]
        logits = logits.masked_fill(logits < least, -torch.inf)
    return torch.multinomial(logits.softmax(-1), 1, generator=generator)[:, 0]


@torch.no_grad()
def paint(model: Any, encoder: Encoder, samples: list[Sample], draw: Draw | None = None) -> list[NDArray[np.int32]]:
    """The pictures asked for; all samples' targets have the same grid."""
    draw = draw or Draw()
    targets = [sample.target for sample in samples]
    assert targets[0] is not None
    rows, columns = targets[0].shape
    opener = encoder.opener(rows, columns)
    prompts = [[*encoder.prompt(sample), *opener] for sample in samples]
    if draw.guidance != 1:
        blank = [Sample(sample.task, sample.language, "", sample.sources, sample.target) for sample in samples]
        prompts += [[*encoder.prompt(sample), *opener] for sample in blank]
    generator = torch.Generator().manual_seed(draw.seed)
    table = model.get_input_embeddings().weight[text_tokenizer.TEXT_TOKENS :]
    run = _Run(model, prompts)
    codes = torch.zeros(len(samples), rows * columns, dtype=torch.long)
    for cell in range(rows * columns):
        logits = (run.hidden @ table.T).float().cpu()
        if draw.guidance != 1:
            wanted, free = logits.chunk(2)
            logits = free + draw.guidance * (wanted - free)
        codes[:, cell] = choose(logits, draw, generator)
        if cell == rows * columns - 1:
            break
        fed = codes[:, cell : cell + 1] + text_tokenizer.TEXT_TOKENS
        if (cell + 1) % columns == 0:
            fed = torch.cat([fed, torch.full_like(fed, text_tokenizer.ROW_END)], dim=1)
        run.feed(fed.repeat(2, 1) if draw.guidance != 1 else fed)
    return [np.asarray(picture.reshape(rows, columns).numpy(), np.int32) for picture in codes]


@torch.no_grad()
def answer(model: Any, encoder: Encoder, samples: list[Sample], longest: int = 128) -> list[str]:
    """Greedy text answers."""
    run = _Run(model, [[*encoder.prompt(sample), text_tokenizer.ANSWER] for sample in samples])
    table = model.get_input_embeddings().weight[: text_tokenizer.TEXT_TOKENS]
    tokens = torch.zeros(len(samples), 0, dtype=torch.long)
    ended = torch.zeros(len(samples), dtype=torch.bool)
    while tokens.shape[1] < longest:
        chosen = (run.hidden @ table.T).argmax(-1).cpu()
        chosen[ended] = text_tokenizer.EOS
        ended |= chosen == text_tokenizer.EOS
        tokens = torch.cat([tokens, chosen[:, None]], dim=1)
        if ended.all():
            break
        run.feed(chosen[:, None])
    rows = [row[: row.index(text_tokenizer.EOS)] if text_tokenizer.EOS in row else row for row in tokens.tolist()]
    return [encoder.tokenizer.decode(row).strip() for row in rows]
