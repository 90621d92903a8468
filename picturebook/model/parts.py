"""Code vectors made of parts: what a new tile starts as, and how what is learned of one reaches those like it.

A tile has parts (`new_model.attributes`: kind, ground, colour, corner ...). New tiles start as the sum of what the old
ones say of these, and while training a step for a tile is a step for its parts, too, so that a kind that was seen on
one ground is nearly known on the others. What is written out is one vector a code, as everywhere.
"""

from __future__ import annotations

from functools import lru_cache

import torch
from torch import nn

from ..world.atlas import CODES, TILES
from .new_model import attributes

RIDGE = 1.0  # of the least squares that take old code vectors apart
STEP = 0.5  # of the rate: a code has several parts


@lru_cache
def part_matrix() -> torch.Tensor:
    """Which parts the codes have, sparse, (codes, parts); a tile's own name is no part."""
    numbers: dict[tuple[str, ...], int] = {}
    places = []
    for code, name in enumerate(TILES):
        places += [(code, numbers.setdefault(part, len(numbers))) for part in attributes(name) if part != name]
    rows = torch.tensor(places).T
    shape = (CODES, len(numbers))
    return torch.sparse_coo_tensor(rows, torch.ones(len(places)), shape, check_invariants=True).coalesce()


def with_codes(table: torch.Tensor, text: int, seed: int) -> torch.Tensor:
    """Embeddings (tokens, width) of text and then codes, with rows for the codes that the table does not have.

    The old rows are taken for the first of `TILES`, those that had no tile, too. A part that none of them has starts at
    random.
    """
    old = table[text:]
    if len(old) >= CODES:
        return table
    has = part_matrix().to_dense()
    known = min(len(old), len(TILES))
    first = has[:known]
    gram = first.T @ first + RIDGE * torch.eye(has.shape[1])
    vectors = torch.linalg.solve(gram, first.T @ old[:known])
    generator = torch.Generator().manual_seed(seed)
    unseen = first.sum(0) == 0
    size = vectors[~unseen].norm(dim=1).median()
    random = torch.randn(has.shape[1], table.shape[1], generator=generator) * size / table.shape[1] ** 0.5
    vectors[unseen] = random[unseen]
    made = has[known : len(TILES)] @ vectors
    made *= old[:known].norm(dim=1).median() / made.norm(dim=1, keepdim=True)
    spare = torch.randn(CODES - len(TILES), table.shape[1], generator=generator) * old[:known].std() * 0.1
    return torch.cat([table[:text], old[:known], made.to(table.dtype), spare.to(table.dtype)])


class SharedParts:
    """Steps for the parts of the codes beside an optimiser's own step for each code."""

    def __init__(self, table: nn.Parameter, text: int, betas: tuple[float, float]) -> None:
        self.table, self.text = table, text
        self.matrix = part_matrix().to(table.device)
        self.back = self.matrix.t().coalesce()
        self.parts = nn.Parameter(torch.zeros(self.matrix.shape[1], table.shape[1], device=table.device))
        self.optimiser = torch.optim.AdamW([self.parts], betas=betas, weight_decay=0.0)

    @torch.no_grad()
    def step(self, rate: float) -> None:
        """Move every code by what its parts have learned from the table's present gradient."""
        if self.table.grad is None:
            return
        for group in self.optimiser.param_groups:
            group["lr"] = rate * STEP
        before = self.parts.clone()
        self.parts.grad = torch.sparse.mm(self.back, self.table.grad[self.text :])
        self.optimiser.step()
        self.table.data[self.text :] += torch.sparse.mm(self.matrix, self.parts - before)
