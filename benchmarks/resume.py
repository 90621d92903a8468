"""Pictures that are killed while they are painted: `chrt -r 20 python benchmarks/resume.py`.

SIGKILL at a random moment: of `edgevlo paint --resume`, of a server's worker, and of a server with its worker. What is
begun again goes on from the journal; every picture that comes out in the end is held against the one that this process
paints with the same seed in one go. The moments: after a random row stands in the journal and up to a row's time later,
so that kills fall all over a picture and not into the start of the process, which takes twenty times as long.

What a journal costs is measured beside it: a picture painted with and without one, in turns, and how long the rows take
that are known, which are read by the backbone once more but not drawn.

With `--only costs`, or other names, these are measured alone and written beside what is there.
"""

import argparse
import functools
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from record import spread, write_beside
from serving import Server, serving

import edgevlo
from edgevlo.runtime.journal.picture import resumed

PROMPT, SIZE = "a red car on the beach", "192x192"
ROWS = 12
ROUNDS = 40
CHANCE = random.Random(1)


def command(model: edgevlo.Model, kills: int) -> Counter[str]:
    """Kill the command until so many kills have hit it while it painted; return how the pictures ended."""
    ends: Counter[str] = Counter()
    picture = 0
    while ends["kills"] < kills:
        with tempfile.TemporaryDirectory() as folder:
            for _ in range(CHANCE.randint(1, 3)):
                ends["kills" if _killed(Path(folder), picture) else "finished before"] += 1
            subprocess.run(_paint(picture), cwd=folder, check=True, capture_output=True)
            (left,) = Path(folder).iterdir()  # the picture alone
            with Image.open(left) as image:
                same = image.tobytes() == model.paint(PROMPT, size=SIZE, seed=picture).tobytes()
            ends["same" if same else "different"] += 1
        picture += 1
    return ends


def _paint(seed: int) -> list[str]:
    return [sys.executable, "-m", "edgevlo", "paint", PROMPT, "--size", SIZE, "--seed", str(seed), "--resume"]


def _killed(folder: Path, seed: int) -> bool:
    """Begin the command and kill it; return whether it was painting."""
    journal = folder / "out.png.journal"
    wait = _size(journal) + CHANCE.randint(1, 5) * 50  # bytes: about a row each
    process = subprocess.Popen(_paint(seed), cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    while process.poll() is None and _size(journal) < wait:
        time.sleep(0.0005)
    time.sleep(CHANCE.uniform(0, 0.01))
    process.kill()
    return process.wait() == -signal.SIGKILL and journal.exists()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def servers(model: edgevlo.Model, kills: int) -> Counter[str]:
    """Kill a server with its worker while it paints, start another, and so on; return how the paintings ended."""
    ends: Counter[str] = Counter()
    jobs: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as folder:
        while ends["kills"] < kills:
            with serving("--journal", folder) as (server, _):
                while len(jobs) < 3 * (ends["kills"] + 1):
                    jobs[_ask(server, len(jobs))] = len(jobs)
                time.sleep(CHANCE.uniform(0, 0.2))
                busy = server.health()["queue"]["running"] > 0
                workers = server.workers()
                for process in (server.process.pid, *workers):
                    os.kill(process, signal.SIGKILL)
                ends["kills" if busy else "idle"] += 1
        with serving("--journal", folder) as (server, _):
            for job, seed in jobs.items():
                ends[_end(server, job, model, seed)] += 1
                server.ask("DELETE", f"/v1/paintings/{job}")
        ends["left in the folder"] = len(list(Path(folder).iterdir()))
    return ends


def workers(model: edgevlo.Model, kills: int) -> Counter[str]:
    """Kill the worker of one server while it paints; return how the paintings ended."""
    ends: Counter[str] = Counter()
    with serving() as (server, _):
        for seed in range(kills):
            job = _ask(server, seed)
            time.sleep(CHANCE.uniform(0.005, 0.05))
            (worker,) = server.workers()
            ends["kills" if server.health()["queue"]["running"] else "idle"] += 1
            os.kill(worker, signal.SIGKILL)
            ends[_end(server, job, model, seed)] += 1
            while len(server.workers()) != 1 or server.workers() == [worker]:
                server.ask("POST", "/v1/images/generations", {"prompt": PROMPT})
    return ends


def _ask(server: Server, seed: int) -> str:
    status, _, answer = server.ask("POST", "/v1/paintings", {"prompt": PROMPT, "size": SIZE, "seed": seed})
    assert status == 202, answer
    return str(json.loads(answer)["id"])


def _end(server: Server, job: str, model: edgevlo.Model, seed: int) -> str:
    """Wait for a painting; return how its codes and its picture are."""
    status, _, told = server.ask("GET", f"/v1/paintings/{job}/events")
    if status != 200 or b"event: done" not in told:
        return "lost"
    *_, last = model.paint_rows(PROMPT, size=SIZE, seed=seed)
    datas = [json.loads(line[6:]) for line in told.splitlines() if line.startswith(b"data: ")]
    rows = [data["codes"] for data in datas if "codes" in data]
    _, _, file = server.ask("GET", f"/v1/paintings/{job}/pictures/0")
    path = Path(tempfile.gettempdir()) / f"{job}.png"
    path.write_bytes(file)
    with Image.open(path) as image:
        same = rows == last.codes.tolist() and image.tobytes() == last.preview.tobytes()
    path.unlink()
    return "same" if same else "different"


def costs(model: edgevlo.Model) -> dict[str, Any]:
    """Return seconds of a picture without and with a journal in turns, and of the rows that a journal knows."""
    plain: list[float] = []
    written: list[float] = []
    known: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(ROUNDS + 1):
            ways: list[tuple[list[float], Callable[[], object]]] = [
                (plain, functools.partial(_plain, model, seed)),
                (written, functools.partial(_with_journal, model, Path(folder) / "a.journal", seed)),
            ]
            for seconds, work in CHANCE.sample(ways, len(ways)):
                seconds.append(_seconds(work))
            *_, last = model.paint_rows(PROMPT, size=SIZE, seed=seed)
            strokes = model.paint_rows(PROMPT, size=SIZE, seed=seed).after(last.codes[:-1])
            known.append(_seconds(lambda strokes=strokes: [next(strokes) for _ in range(ROWS - 1)]))
    ratios = [one / other for one, other in zip(written[1:], plain[1:], strict=True)]
    return {
        "plain_s": spread(plain[1:]),
        "with_journal_s": spread(written[1:]),
        "journal_costs": round(statistics.median(ratios) - 1, 4),
        "known_rows_over_painted": round(
            statistics.median(a / b for a, b in zip(known[1:], plain[1:], strict=True)) * ROWS / (ROWS - 1), 3
        ),
    }


def _plain(model: edgevlo.Model, seed: int) -> None:
    list(model.paint_rows(PROMPT, size=SIZE, seed=seed))


def _with_journal(model: edgevlo.Model, path: Path, seed: int) -> None:
    with resumed(path, model.bundle, lambda _: model.paint_rows(PROMPT, size=SIZE, seed=seed)) as strokes:
        list(strokes)


def _seconds(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def main() -> None:
    """Kill, count, measure and write `results/resume.json`."""
    parts: dict[str, Callable[[edgevlo.Model, int], dict[str, Any]]] = {
        "costs": lambda model, _: costs(model),
        "command": lambda model, kills: command(model, kills // 2),
        "servers": lambda model, kills: servers(model, kills // 4),
        "workers": lambda model, kills: workers(model, kills // 4),
    }
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--kills", type=int, default=120, help="in all")
    options.add_argument("--only", nargs="+", choices=parts, default=list(parts))
    arguments = options.parse_args()
    model = edgevlo.load()
    np.testing.assert_array_equal(np.asarray(model.paint(PROMPT, seed=0)), np.asarray(model.paint(PROMPT, seed=0)))
    figures: dict[str, Any] = {}
    for name in arguments.only:
        figures[name] = dict(parts[name](model, arguments.kills))
        print(name, json.dumps(figures[name]), file=sys.stderr, flush=True)
    write_beside("resume", figures)


if __name__ == "__main__":
    main()
