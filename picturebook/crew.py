"""Processes that train one model together: its weights lie in shared memory and nobody waits for anybody.

That is Hogwild (Niu et al., 2011, arXiv:1106.5730): each process takes steps of its own exercises on the common
weights, and one that is held up does not hold up the others.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import torch
from torch.multiprocessing.spawn import start_processes


@dataclass(frozen=True)
class Crew:
    """One process's place among `size`; rank 0 is the chief, whose `stage` the others follow."""

    rank: int
    size: int
    weights: dict[str, torch.Tensor]
    stage: torch.Tensor  # int64, (1,)

    @property
    def chief(self) -> bool:
        """Whether this process judges, keeps the averaged weights and writes the files."""
        return self.rank == 0


def _member(
    rank: int, size: int, weights: dict[str, torch.Tensor], stage: torch.Tensor, work: Callable[..., None], rest: Any
) -> None:
    work(Crew(rank, size, weights, stage), *rest)


def run(
    size: int, weights: dict[str, torch.Tensor], stage: int, work: Callable[..., None], *rest: Any
) -> dict[str, torch.Tensor]:
    """Run `work(crew, *rest)` in `size` processes on the same weights and return these; SIGTERM reaches all."""
    board = torch.tensor([stage]).share_memory_()  # type: ignore[no-untyped-call]  # feeders look at it, too
    if size == 1:
        work(Crew(0, 1, weights, board), *rest)
        return weights
    shared = {name: value.clone() for name, value in weights.items()}
    for tensor in shared.values():
        tensor.share_memory_()  # type: ignore[no-untyped-call]
    members: Any = start_processes(_member, (size, shared, board, work, rest), size, join=False)  # type: ignore[no-untyped-call]

    def stop(number: int, frame: object) -> None:
        for process in members.pids():
            with suppress(ProcessLookupError):
                os.kill(process, number)

    before = signal.signal(signal.SIGTERM, stop)
    try:
        while not members.join():
            pass
    finally:
        signal.signal(signal.SIGTERM, before)
    return shared
