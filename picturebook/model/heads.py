"""Small heads on the states between the layers that are asked for the auxiliary targets, thrown away after training.

Deep supervision: Lee et al., 2015, arXiv:1409.5185.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from ..exercises.auxiliary import KINDS
from ..exercises.pack import Pack


class Heads(nn.Module):
    """The heads; they start at zero, so they do not disturb a trained model."""

    def __init__(self, width: int, layers: int) -> None:
        super().__init__()
        self.after = {name: max(1, round(asked.after * layers)) for name, asked in KINDS.items()}
        # a code's logits are products with the codes' embeddings
        heads = {name: nn.Linear(width, asked.classes or width) for name, asked in KINDS.items()}
        self.heads = nn.ModuleDict(heads)
        for parameter in self.parameters():
            nn.init.zeros_(parameter)

    def logits(self, name: str, states: Sequence[torch.Tensor], at: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
        """Of the asked tokens, (asked, classes), from the states after each layer, (tokens, width)."""
        chosen = states[self.after[name]][at].float()
        made: torch.Tensor = self.heads[name](functional.rms_norm(chosen, chosen.shape[-1:]))
        return made if KINDS[name].classes else made @ codes.T

    def forward(self, states: Sequence[torch.Tensor], pack: Pack[torch.Tensor], codes: torch.Tensor) -> torch.Tensor:
        """Loss for what a pack asks aside, with the codes' embeddings."""
        total = states[0].new_zeros((), dtype=torch.float32)
        for (name, kind), asked in zip(KINDS.items(), pack.aside, strict=True):
            if len(asked.at):
                logits = self.logits(name, states, asked.at, codes)
                total = total + kind.weight * functional.cross_entropy(logits, asked.answer)
        return total
