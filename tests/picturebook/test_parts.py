"""Code vectors made of parts: what new ones start as, and how a step for one reaches those like it."""

import pytest

pytest.importorskip("torch")

import torch
from torch.nn import functional

from edgevlo.picturebook.model.parts import STEP, SharedParts, part_matrix, with_codes
from edgevlo.picturebook.world.atlas import CODE, CODES, TILES

WIDTH, TEXT = 8, 5


def test_old_rows_stay_and_new_ones_are_sums_of_their_parts() -> None:
    old = torch.randn(TEXT + 2917, WIDTH, generator=torch.Generator().manual_seed(0))
    made = with_codes(old, TEXT, seed=1)
    assert made.shape == (TEXT + CODES, WIDTH)
    assert torch.equal(made[: TEXT + 2917], old)
    owl, same, other = (
        made[TEXT + CODE["object", ground, kind, "own", part]]
        for ground, kind, part in (("meadow", "owl", "tl"), ("snow", "owl", "tl"), ("snow", "pizza", "br"))
    )
    assert functional.cosine_similarity(owl, same, dim=0) > functional.cosine_similarity(owl, other, dim=0)


def test_a_whole_table_stays_as_it_is() -> None:
    table = torch.randn(TEXT + CODES, WIDTH)
    assert with_codes(table, TEXT, seed=0) is table


def test_steps_for_parts_are_those_of_a_table_that_is_their_sum() -> None:
    """Beside plain AdamW on a parameter of parts, with the table composed in the graph."""
    torch.manual_seed(0)
    table = torch.nn.Parameter(torch.randn(TEXT + CODES, WIDTH))
    parts = torch.nn.Parameter(torch.zeros(part_matrix().shape[1], WIDTH))
    reference = torch.optim.AdamW([parts], lr=0.01 * STEP, betas=(0.9, 0.98), weight_decay=0.0)
    base, wanted = table.detach().clone(), torch.randn(TEXT + CODES, WIDTH)
    shared = SharedParts(table, TEXT, (0.9, 0.98))
    for _ in range(3):
        torch.autograd.backward(((table - wanted) ** 2).sum())
        shared.step(0.01)
        table.grad = None
        composed = base[TEXT:] + torch.sparse.mm(part_matrix(), parts)
        reference.zero_grad()
        torch.autograd.backward(((composed - wanted[TEXT:]) ** 2).sum())
        reference.step()
    torch.testing.assert_close(table.data[TEXT:], (base[TEXT:] + torch.sparse.mm(part_matrix(), parts)).detach())
    assert torch.equal(table.data[:TEXT], base[:TEXT])


def test_a_tile_that_was_seen_moves_its_kind_on_every_ground_and_nothing_without_common_parts() -> None:
    table = torch.nn.Parameter(torch.zeros(TEXT + CODES, WIDTH))
    table.grad = torch.zeros_like(table)
    table.grad[TEXT + CODE["object", "meadow", "owl", "own", "tl"]] = 1.0
    SharedParts(table, TEXT, (0.9, 0.98)).step(0.01)
    moved = table.data[TEXT:].norm(dim=1)
    assert moved[CODE["object", "beach", "owl", "own", "tl"]] > moved[CODE["object", "beach", "pizza", "own", "br"]]
    assert moved[CODE["letter", "a"]] == 0
    assert len(TILES) == len(part_matrix().to_dense()[: len(TILES)])
