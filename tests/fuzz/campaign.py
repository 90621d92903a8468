"""A fuzz campaign: damaged input of every kind, each case from a seed, in a worker that must survive all of them.

    python tests/fuzz/campaign.py --minutes 10 --seed 1
    python tests/fuzz/campaign.py --cases 10000 --seed 1     # figures go to benchmarks/results/fuzz.json
    python tests/fuzz/campaign.py --cases 10000 --seed 1 --log cases.jsonl   # each case as it ends; goes on from there
    python tests/fuzz/campaign.py --kind graph --only 1234   # one case again, in this process

A case passes when it works or ends in one line of an `EdgevloError`. Counted are tracebacks (anything else that was
raised), hangs (more CPU than is allowed), deaths of the worker, memory above the limits of worker.py, and files written
outside the folders that are given. All kinds together take some 0.15 CPU seconds a case.
"""

import argparse
import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(Path(__file__).parent), str(ROOT / "benchmarks")]

from record import write
from worker import CPU_SECONDS, GROWTH_BYTES, PEAK_BYTES, SHARES, run_case

PASSED: Final = ("ok", "refused")
SILENCE: Final = 900  # seconds without a line from a worker, after which it waits for something that never comes


def campaign(minutes: float, seed: int, only: str | None, most: int | None, log: Path | None) -> int:
    """Run workers until the time is up or so many cases are done, a new one after each that died.

    Prints the table and returns the exit code; figures of a number of cases are written.
    """
    cases = _logged(log)
    following = cases[-1]["seed"] + 1 if cases else seed
    end = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="edgevlo-fuzz-") as name, _opened(log) as written:
        box = Path(name)
        for folder in ("home", "tmp"):
            (box / folder).mkdir()
        while (left := (end - time.monotonic()) / 60) > 0 and (most is None or len(cases) < most):
            for case in _worker(box, following, left, only, None if most is None else most - len(cases)):
                cases.append(case)
                written.write(json.dumps(case) + "\n")
                written.flush()
                if case["outcome"] not in PASSED:
                    print(f"{case['outcome']}: --kind {case['kind']} --only {case['seed']}", flush=True)
                    print(case["detail"][-1500:], flush=True)
            if cases and cases[-1]["kind"] == "worker":
                break  # it did not come to its first case
            following = cases[-1]["seed"] + 1 if cases else following
        outside = _outside(box)
    figures = _figures(cases, outside)
    for kind, counts in figures["kinds"].items():
        print(f"{kind:12} {counts}")
    print({name: figures[name] for name in ("slowest", "largest_peak", "largest_growth") if name in figures})
    print(f"{len(cases)} cases, seeds {figures['seeds']}")
    print(f"{len(figures['faults'])} faults; files outside: {outside or 'none'}")
    if most is not None:
        write("fuzz", figures)
    return 1 if figures["faults"] or outside else 0


def _logged(log: Path | None) -> list[dict[str, Any]]:
    """Return the cases that an earlier run of the campaign wrote down, without a line that was cut off."""
    if log is None or not log.exists():
        return []
    whole = log.read_text().rpartition("\n")[0]
    log.write_text(f"{whole}\n" if whole else "")
    return [json.loads(line) for line in whole.splitlines()]


def _opened(log: Path | None) -> IO[str]:
    return Path(os.devnull if log is None else log).open("a")


def _worker(box: Path, seed: int, minutes: float, only: str | None, most: int | None) -> Iterator[dict[str, Any]]:
    """Start a worker; yield its cases until it ends, the one that ended it with what it died of."""
    folder = box / f"worker-{seed}"
    folder.mkdir()
    home = {"HOME": f"{box}/home", "EDGEVLO_HOME": f"{box}/home/edgevlo", "TMPDIR": f"{box}/tmp"}
    command = [sys.executable, str(Path(__file__).with_name("worker.py")), str(folder), str(seed), str(minutes)]
    last: dict[str, Any] = {"kind": "worker", "seed": seed, "outcome": "started"}
    done, ended = 0, False
    with subprocess.Popen(
        [*command, *([only] if only else [])],
        env={**os.environ, **home, "PYTHONDONTWRITEBYTECODE": "1"},
        stdout=subprocess.PIPE,
    ) as worker:
        try:
            for line in _lines(worker):
                if not line.startswith(b'{"kind": '):
                    continue  # a library that prints
                last = json.loads(line)
                if last["outcome"] != "started":
                    yield last
                    done += 1
                if done == most:
                    ended = True
                    break
        finally:
            with suppress(ProcessLookupError):
                worker.kill()
    if not ended and worker.returncode != 0:
        hang = worker.returncode in (-signal.SIGXCPU, -signal.SIGKILL)
        detail = f"the worker ended with {worker.returncode}"
        yield {**last, "outcome": "hang" if hang else "death", "detail": detail, "seconds": 0.0, "peak": 0, "growth": 0}


def _lines(worker: "subprocess.Popen[bytes]") -> Iterator[bytes]:
    """Yield the lines of a worker until it ends or is silent for too long."""
    assert worker.stdout is not None
    with selectors.DefaultSelector() as selector:
        selector.register(worker.stdout, selectors.EVENT_READ)
        held = b""
        while selector.select(SILENCE):
            if not (read := os.read(worker.stdout.fileno(), 2**16)):
                worker.wait(SILENCE)
                return
            *whole, held = (held + read).split(b"\n")
            yield from whole


def _outside(box: Path) -> list[str]:
    """Return the files in a box outside the folders of its workers."""
    given = ("worker-", "home", "tmp")
    paths = (path.relative_to(box) for path in box.rglob("*") if path.is_file())
    return sorted(str(path) for path in paths if not path.parts[0].startswith(given))


def _figures(cases: list[dict[str, Any]], outside: list[str]) -> dict[str, Any]:
    """Return cases by kind and outcome, what each kind cost, and all faults."""
    kinds: dict[str, Any] = {}
    for kind in sorted({case["kind"] for case in cases}):
        own = [case for case in cases if case["kind"] == kind]
        outcomes = [case["outcome"] for case in own]
        kinds[kind] = {
            "cases": len(own),
            **{outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))},
            "cpu_seconds": round(sum(case["seconds"] for case in own), 1),
            "most_cpu_seconds": max(case["seconds"] for case in own),
            "largest_growth_mib": round(max(case["growth"] for case in own) / 2**20),
        }
    most = {
        name: {"kind": case["kind"], "seed": case["seed"], unit: scaled(case[field])}
        for name, field, unit, scaled in (
            ("slowest", "seconds", "cpu_seconds", float),
            ("largest_peak", "peak", "mib", lambda count: round(count / 2**20)),
            ("largest_growth", "growth", "mib", lambda count: round(count / 2**20)),
        )
        for case in sorted(cases, key=lambda case: case[field])[-1:]
    }
    return {
        "cases": len(cases),
        "seeds": [cases[0]["seed"], cases[-1]["seed"]] if cases else [],
        "limits": {"cpu_seconds": CPU_SECONDS, "growth_mib": GROWTH_BYTES >> 20, "peak_mib": PEAK_BYTES >> 20},
        "kinds": kinds,
        **most,
        "faults": [
            {name: case[name] for name in ("kind", "seed", "outcome")}
            for case in cases if case["outcome"] not in PASSED
        ],
        "files_outside": outside,
    }  # fmt: skip


def _one(kind: str, seed: int) -> int:
    """Run one case in this process and show all of it."""
    from cases import Cases, make_checkpoint_of_tests

    with tempfile.TemporaryDirectory() as folder:
        original = make_checkpoint_of_tests(Path(folder) / "original") if kind == "checkpoint" else None
        result = run_case(Cases(Path(folder), original).kinds, kind, seed)
    print(json.dumps({**result, "detail": ""}), result["detail"], sep="\n")
    return 0 if result["outcome"] in PASSED else 1


def main() -> int:
    """Read the arguments and run what they ask for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=5.0)
    parser.add_argument("--cases", type=int, help="stop after so many, and write the figures")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--kind", choices=list(SHARES))
    parser.add_argument("--only", type=int, help="one case by its seed, in this process")
    parser.add_argument("--log", type=Path, help="write each case here as it ends, and go on after those in it")
    given = parser.parse_args()
    if given.only is not None:
        return _one(given.kind, given.only)
    print(f"seed {given.seed}", flush=True)
    minutes = given.minutes if given.cases is None else 7 * 24 * 60
    return campaign(minutes, given.seed, given.kind, given.cases, given.log)


if __name__ == "__main__":
    sys.exit(main())
