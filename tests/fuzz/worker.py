"""The process that runs cases of the fuzz campaign, and what it notices about each of them."""

import json
import os
import random
import resource
import sys
import time
import traceback
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]

CPU_SECONDS: Final = 10
GROWTH_BYTES: Final = 300 * 2**20  # of a case, above what the worker held before it
PEAK_BYTES: Final = 900 * 2**20  # of the worker, whose own imports (torch among them) and model take 450 MB
# How often each kind comes: graphs and tokenizers start a process each. What is `whole` must work.
SHARES: Final = {
    "manifest": 40, "picture": 40, "prompt": 8, "checkpoint": 8, "tokenizer": 8, "graph": 8, "record": 4, "whole": 1,
}  # fmt: skip

Kinds = Mapping[str, Callable[[random.Random], None]]


class Writes:
    """The files that this process opens for writing, makes, renames or removes outside a folder."""

    def __init__(self, folder: Path) -> None:
        self.outside: list[str] = []
        self._allowed = (f"{folder.resolve()}{os.sep}", "/dev/")
        sys.addaudithook(self._see)

    def _see(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            paths = [path] if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else []
        elif event in ("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod"):
            paths = [arguments[0]]
        elif event in ("os.rename", "os.link", "os.symlink"):
            paths = list(arguments[:2]) if event == "os.rename" else [arguments[1]]
        else:
            return
        for path in paths:
            if isinstance(path, str | bytes | os.PathLike):
                full = os.path.realpath(os.fsdecode(path))
                if not full.startswith((*self._allowed, f"/proc/{os.getpid()}/")):
                    self.outside.append(f"{event} {full}")


def run_case(kinds: Kinds, kind: str, seed: int, writes: Writes | None = None) -> dict[str, Any]:
    """Run one case; return what it did.

    A case that takes more CPU than is allowed ends this process by SIGXCPU, as native code cannot be interrupted.
    """
    from edgevlo.runtime.errors import EdgevloError

    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    own = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
    resource.setrlimit(resource.RLIMIT_CPU, (int(own) + CPU_SECONDS + 2, hard))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    before = _memory("VmRSS")
    began, outcome, detail = _cpu(), "ok", ""
    try:
        kinds[kind](random.Random(f"{kind}-{seed}"))
    except EdgevloError as error:
        outcome, detail = "refused", str(error)
        if "\n" in detail:
            outcome = "lines"
        elif "opening it failed (" in detail:  # a trial's process raised something that nobody foresaw
            outcome = "traceback"
    except BaseException:
        outcome, detail = "traceback", traceback.format_exc()
    seconds, peak = _cpu() - began, _memory("VmHWM")
    if outcome in ("ok", "refused"):
        if seconds > CPU_SECONDS:
            outcome = "hang"
        elif peak - before > GROWTH_BYTES or peak > PEAK_BYTES:
            outcome = "memory"
        elif writes is not None and writes.outside:
            outcome, detail = "outside", "\n".join(writes.outside)
            writes.outside.clear()
    return {
        "kind": kind, "seed": seed, "outcome": outcome, "detail": detail,
        "seconds": round(seconds, 3), "peak": peak, "growth": max(0, peak - before),
    }  # fmt: skip


def _cpu() -> float:
    """Return the CPU seconds of this process and of its children that ended."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _memory(field: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(field))


def work(folder: Path, first: int, minutes: float, only: str | None) -> None:
    """Be a worker: run cases from a seed on and print each as a line of JSON."""
    from cases import Cases, make_checkpoint_of_tests

    warnings.simplefilter("ignore")
    cases = Cases(folder, make_checkpoint_of_tests(folder / "original") if only in (None, "checkpoint") else None)
    kinds = [only] if only else [kind for kind in SHARES if kind in cases.kinds]
    os.chdir(folder)
    writes = Writes(folder.parent)
    end, seed = time.monotonic() + 60 * minutes, first
    while time.monotonic() < end:
        kind = random.Random(seed).choices(kinds, [SHARES[kind] for kind in kinds])[0]
        print(json.dumps({"kind": kind, "seed": seed, "outcome": "started"}), flush=True)
        print(json.dumps(run_case(cases.kinds, kind, seed, writes)), flush=True)
        seed += 1


if __name__ == "__main__":
    work(Path(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), sys.argv[4] if len(sys.argv) > 4 else None)
