"""Processes that train one model together: its weights lie in shared memory and nobody waits for anybody.

That is Hogwild (Niu et al., 2011, arXiv:1106.5730): each process takes steps of its own exercises on the common
weights, and one that is held up does not hold up the others.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
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
    stop: torch.Tensor  # bool, (1,): all are asked to keep their state and end

    @property
    def chief(self) -> bool:
        """Whether this process judges, keeps the averaged weights and writes the files."""
        return self.rank == 0


def _member(rank: int, rest: tuple[Any, ...], work: Callable[..., None], arguments: tuple[Any, ...]) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # `stop` asks for the same
    work(Crew(rank, *rest), *arguments)


def run(
    size: int, weights: dict[str, torch.Tensor], stage: int, work: Callable[..., None], *arguments: Any
) -> dict[str, torch.Tensor]:
    """Run `work(crew, *arguments)` in `size` processes on the same weights and return these; SIGTERM stops all."""
    board = torch.tensor([stage]).share_memory_()  # type: ignore[no-untyped-call]  # feeders look at it, too
    stop = torch.tensor([False]).share_memory_()  # type: ignore[no-untyped-call]
    before = signal.signal(signal.SIGTERM, lambda number, frame: stop.fill_(True))
    try:
        if size == 1:
            work(Crew(0, 1, weights, board, stop), *arguments)
            return weights
        shared = {name: value.clone().share_memory_() for name, value in weights.items()}  # type: ignore[no-untyped-call]
        rest = (size, shared, board, stop)
        members: Any = start_processes(_member, (rest, work, arguments), size, join=False)  # type: ignore[no-untyped-call]
        while not members.join():
            pass
        return shared
    finally:
        signal.signal(signal.SIGTERM, before)
