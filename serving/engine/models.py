"""The models that are served: which have a worker, when one is started, and when it is ended to give memory back."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from edgevlo.runtime.manifest.schema import MANIFEST_FILE, Manifest, read_manifest
from edgevlo.runtime.memory.available import available_bytes

from .errors import ModelUnavailableError
from .process import Patience, WorkerProcess

# What a worker takes before it was ever open: Python and ONNX Runtime, and weights in the order that products want.
_PROCESS_BYTES: Final = 100 * 2**20
_PER_FILE_BYTE: Final = 1.3


class UnknownModelError(Exception):
    """No model of that name is served."""


@dataclass(kw_only=True)
class Served:
    """A model and its worker, if it has one."""

    name: str
    folder: Path
    manifest: Manifest
    bytes: int  # resident, measured once it was open
    created: int  # seconds of the epoch at which its manifest was written
    worker: WorkerProcess | None = None
    used_at: float = 0.0
    restarts: int = 0
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def is_open(self) -> bool:
        """Whether a worker has it open."""
        return self.worker is not None and self.worker.alive


@dataclass(frozen=True, slots=True, kw_only=True)
class Keeping:
    """How long and how many models stay open: seconds without work (None: for ever), and bytes of all workers."""

    keep_alive_s: float | None = None
    memory_bytes: int | None = None
    threads: int = 1
    patience: Patience = field(default_factory=Patience)


class Models:
    """Opens models when they are asked for, and closes those that nobody uses."""

    def __init__(self, folders: Mapping[str, Path], aliases: Mapping[str, str], keeping: Keeping) -> None:
        self.served = {name: _served(name, folder) for name, folder in folders.items()}
        self.aliases = dict(aliases)
        self._keeping = keeping
        self._making_room = asyncio.Lock()

    @property
    def default(self) -> str:
        """The model that is used when none is named."""
        return next(iter(self.served))

    def find(self, name: str | None) -> Served:
        """Return the model of a name or an alias; raise `UnknownModelError`."""
        wanted = self.default if name is None else self.aliases.get(name, name)
        if wanted not in self.served:
            raise UnknownModelError(wanted)
        return self.served[wanted]

    async def ready(self, name: str) -> WorkerProcess:
        """Return a worker that has the model open; raise `ModelUnavailableError` when it cannot be opened."""
        served = self.served[name]
        async with served.lock:
            served.used_at = time.monotonic()
            if served.worker is not None and served.worker.alive:
                return served.worker
            if served.worker is not None:
                served.restarts += 1
                await served.worker.stop()
                served.worker = None
            async with self._making_room:
                await self._make_room(served)
                worker = WorkerProcess(served.folder, threads=self._keeping.threads, patience=self._keeping.patience)
                await worker.start()
                served.worker = worker
            return worker

    async def close_idle(self, now: float) -> None:
        """End the workers that had nothing to do for too long."""
        limit = self._keeping.keep_alive_s
        for served in self.served.values():
            if served.worker is None:
                continue
            if served.worker.busy:
                served.used_at = now
            served.bytes = max(served.worker.resident, _PROCESS_BYTES) if served.worker.resident else served.bytes
            if limit is not None and now - served.used_at > limit and not served.lock.locked():
                await _close(served)

    async def close(self) -> None:
        """End every worker."""
        await asyncio.gather(*(_close(served) for served in self.served.values()))

    async def _make_room(self, wanted: Served) -> None:
        """Close what nobody uses, the longest unused first, until the model fits; raise if it never does."""
        budget = self._keeping.memory_bytes
        if budget is not None and wanted.bytes > budget:
            raise ModelUnavailableError(
                "MemoryShortError",
                f"{wanted.name} needs about {wanted.bytes / 1e6:.0f} MB and the memory budget is "
                f"{budget / 1e6:.0f} MB; raise --memory-budget.",
            )
        others = [one for one in self.served.values() if one is not wanted and one.worker is not None]
        for other in sorted(others, key=lambda one: one.used_at):
            if self._fits(wanted, [one for one in others if one.worker is not None]):
                return
            if other.worker is not None and not other.worker.busy and not other.lock.locked():
                await _close(other)
        if not self._fits(wanted, [one for one in others if one.worker is not None]):
            raise ModelUnavailableError("MemoryShortError", f"there is no memory left to open {wanted.name}.")

    def _fits(self, wanted: Served, running: Sequence[Served]) -> bool:
        budget, left = self._keeping.memory_bytes, available_bytes()
        if budget is not None and sum(one.bytes for one in running) + wanted.bytes > budget:
            return False
        return left is None or not running or wanted.bytes <= left


async def _close(served: Served) -> None:
    async with served.lock:  # whoever wants the model in this moment opens it again
        if served.worker is not None:
            await served.worker.stop()
            served.worker = None


def _served(name: str, folder: Path) -> Served:
    manifest = read_manifest(folder)
    size = sum(file.bytes for file in manifest.files.values())
    return Served(
        name=name,
        folder=folder,
        manifest=manifest,
        bytes=round(_PROCESS_BYTES + _PER_FILE_BYTE * size),
        created=int((folder / MANIFEST_FILE).stat().st_mtime),
    )
