"""A fuzz campaign: damaged input of every kind, each case from a seed, in a worker that must survive all of them.

    python tests/fuzz/campaign.py --minutes 10 --seed 1
    python tests/fuzz/campaign.py --cases 10000 --seed 1     # figures go to benchmarks/results/fuzz.json
    python tests/fuzz/campaign.py --kind graph --only 1234   # one case again, in this process

A case passes when it works or ends in one line of an `EdgevloError`. Counted are tracebacks (anything else that was
raised), hangs (more CPU than is allowed), deaths of the worker, memory above the limit, and files outside the folders
that are given.
"""

import argparse
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "tests" / "support"), str(ROOT / "benchmarks")]

from record import write

CPU_SECONDS: Final = 10.0
PEAK_BYTES: Final = 600 * 2**20  # of the worker, whose own imports and model take 150 MB
# How often each kind comes: graphs and tokenizers start a process each.
SHARES: Final = {"manifest": 40, "picture": 40, "prompt": 8, "checkpoint": 8, "tokenizer": 8, "graph": 6}


def run_case(cases: Any, kind: str, seed: int) -> dict[str, Any]:
    """Run one case; return what it did."""
    from edgevlo.runtime.errors import EdgevloError

    Path("/proc/self/clear_refs").write_text("5")  # the peak is counted from here
    began, outcome, detail = _cpu(), "ok", ""
    try:
        cases.kinds[kind](random.Random(f"{kind}-{seed}"))
    except EdgevloError as error:
        outcome, detail = "refused", str(error)
        if "\n" in detail:
            outcome = "lines"
    except BaseException:
        outcome, detail = "traceback", traceback.format_exc()
    seconds, peak = _cpu() - began, _peak()
    if outcome in ("ok", "refused") and seconds > CPU_SECONDS:
        outcome = "hang"
    if outcome in ("ok", "refused") and peak > PEAK_BYTES:
        outcome = "memory"
    return {"kind": kind, "seed": seed, "outcome": outcome, "detail": detail, "seconds": seconds, "peak": peak}


def _cpu() -> float:
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def _peak() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def work(folder: Path, first: int, minutes: float, only: str | None) -> None:
    """Be a worker: run cases from a seed on and print each as a line of JSON."""
    from cases import Cases, make_checkpoint_of_tests

    warnings.simplefilter("ignore")
    cases = Cases(folder, make_checkpoint_of_tests(folder / "original") if only in (None, "checkpoint") else None)
    kinds = [only] if only else [kind for kind in SHARES if kind in cases.kinds]
    os.chdir(folder)
    end, seed = time.monotonic() + 60 * minutes, first
    while time.monotonic() < end:
        kind = random.Random(seed).choices(kinds, [SHARES[kind] for kind in kinds])[0]
        print(json.dumps({"kind": kind, "seed": seed, "outcome": "started"}), flush=True)
        print(json.dumps(run_case(cases, kind, seed)), flush=True)
        seed += 1


def campaign(minutes: float, seed: int, only: str | None, most: int | None = None) -> int:
    """Run workers until the time is up or so many cases are done, a new one after each that died.

    Prints the table and returns the exit code; figures of a number of cases are written.
    """
    first = seed
    outcomes: Counter[tuple[str, str]] = Counter()
    faults: list[dict[str, Any]] = []
    slowest, largest, end = 0.0, 0, time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="edgevlo-fuzz-") as box:
        home = {"HOME": f"{box}/home", "EDGEVLO_HOME": f"{box}/home/edgevlo", "TMPDIR": f"{box}/tmp"}
        for name in ("home", "tmp"):
            Path(box, name).mkdir()
        while (left := (end - time.monotonic()) / 60) > 0 and (most is None or outcomes.total() < most):
            folder = Path(box) / f"worker-{seed}"
            folder.mkdir()
            arguments = [
                "--worker",
                str(folder),
                "--minutes",
                str(left),
                "--seed",
                str(seed),
                *(["--kind", only] if only else []),
            ]
            last: dict[str, Any] = {}
            with subprocess.Popen(
                [sys.executable, __file__, *arguments], env={**os.environ, **home}, stdout=subprocess.PIPE, text=True
            ) as worker:
                assert worker.stdout is not None
                for line in worker.stdout:
                    if not line.startswith('{"kind": '):
                        continue  # a library that prints
                    last = json.loads(line)
                    if last["outcome"] == "started":
                        continue
                    outcomes[last["kind"], last["outcome"]] += 1
                    slowest, largest = max(slowest, last["seconds"]), max(largest, last["peak"])
                    if last["outcome"] not in ("ok", "refused"):
                        faults.append(last)
                        print(
                            f"{last['outcome']}: --kind {last['kind']} --only {last['seed']}\n{last['detail'][-1500:]}",
                            flush=True,
                        )
                    if most is not None and outcomes.total() >= most:
                        worker.kill()
                        break
            if worker.returncode != 0 and (most is None or outcomes.total() < most):
                outcomes[last.get("kind", "worker"), "death"] += 1
                faults.append({**last, "outcome": "death", "code": worker.returncode})
                print(f"death ({worker.returncode}): --kind {last.get('kind')} --only {last.get('seed')}", flush=True)
                if not last:
                    break  # it did not come to its first case
            seed = last.get("seed", seed) + 1
        outside = sorted(
            str(path.relative_to(box)) for path in Path(box).rglob("*")
            if path.is_file() and not path.relative_to(box).parts[0].startswith(("worker-", "home", "tmp"))
        )  # fmt: skip
    for (kind, outcome), count in sorted(outcomes.items()):
        print(f"{kind:12} {outcome:10} {count:7}")
    worst = f"most CPU {slowest:.1f} s, largest peak {largest / 2**20:.0f} MiB"
    print(f"{sum(outcomes.values())} cases to seed {seed - 1}; {worst}")
    print(f"{len(faults)} faults; files outside: {outside or 'none'}")
    if most is not None:
        figures = {
            "cases": outcomes.total(),
            "seeds": [first, seed - 1],
            "kinds": _by_kind(outcomes),
            "faults": [{name: fault.get(name) for name in ("kind", "seed", "outcome")} for fault in faults],
            "files_outside": outside,
            "most_cpu_seconds": round(slowest, 2),
            "largest_peak_mib": round(largest / 2**20),
        }
        write("fuzz", figures)
    return 1 if faults or outside else 0


def _by_kind(outcomes: Counter[tuple[str, str]]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for (kind, outcome), count in sorted(outcomes.items()):
        found.setdefault(kind, {})[outcome] = count
    return found


def main() -> int:
    """Read the arguments and run what they ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--cases", type=int, help="stop after so many, and write the figures")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kind", choices=list(SHARES))
    parser.add_argument("--only", type=int, help="one case by its seed, in this process")
    parser.add_argument("--worker", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker is not None:
        work(given.worker, given.seed, given.minutes, given.kind)
        return 0
    if given.only is not None:
        from cases import Cases, make_checkpoint_of_tests

        with tempfile.TemporaryDirectory() as folder:
            original = make_checkpoint_of_tests(Path(folder) / "original") if given.kind == "checkpoint" else None
            result = run_case(Cases(Path(folder), original), given.kind, given.only)
        print(json.dumps({**result, "detail": ""}), result["detail"], sep="\n")
        return 0 if result["outcome"] in ("ok", "refused") else 1
    print(f"seed {given.seed}", flush=True)
    minutes = given.minutes if given.cases is None else 7 * 24 * 60
    return campaign(minutes, given.seed, given.kind, given.cases)


if __name__ == "__main__":
    sys.exit(main())
