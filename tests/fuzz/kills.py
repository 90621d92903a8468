"""Commands that are killed at random moments: nothing half may stay, and nothing at all after the next command.

    python tests/fuzz/kills.py --count 200 --seed 1

A command runs in a fork of a process that has imported what it needs: so its moments fall all over its work, and not
into the seconds of its imports, which write nothing. Then what it left is looked at, the next command runs to its end
in the same places, and they are looked at once more. Figures go to benchmarks/results/kills.json.
"""

import argparse
import importlib
import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "benchmarks")]

from emu3_checkpoints import SHAPES, make_checkpoint
from kills_commands import Command, commands, forget
from record import spread, write

SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
FORK: Final = multiprocessing.get_context("fork")
PATIENCE: Final = 1800  # seconds for a command on a machine that does other things too


def start(arguments: tuple[str, ...], work: Path) -> Any:
    """Start `edgevlo ARGUMENTS` in a folder, as a fork of this process."""
    process = FORK.Process(target=_become, args=(arguments, work))
    process.start()
    return process


def _become(arguments: tuple[str, ...], work: Path) -> None:
    from edgevlo.__main__ import main

    os.chdir(work)
    _to_file(work.with_name(f"{work.name}.txt"))
    sys.argv = ["edgevlo", *arguments]
    sys.exit(main())


def _to_file(path: Path) -> None:
    """Send what this process prints to a file."""
    said = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for stream in (1, 2):
        os.dup2(said, stream)


def end(process: Any) -> int:
    """Wait for a command; return its exit code, minus the signal's number where one ended it."""
    process.join(PATIENCE)
    if process.exitcode is None:
        process.kill()
        raise TimeoutError("a command did not end")
    return int(process.exitcode)


@contextmanager
def _prepared(box: Path) -> Iterator[None]:
    """Make a checkpoint, a hub of two revisions of picturebook and a portable bundle; import what commands import."""
    for name in ("home", "tmp", "hf", "whole"):
        (box / name).mkdir()
    os.environ.update(HF_HOME=str(box / "hf"), EDGEVLO_HOME=str(box / "home"), TMPDIR=str(box / "tmp"))
    tempfile.tempdir = None
    end_of = FORK.Process(target=make_checkpoint, args=(box / "checkpoint", SHAPES[4]))
    end_of.start()  # in forks alone: this process must never have had threads
    end_of.join()
    told, tells = FORK.Pipe(duplex=False)
    hub = FORK.Process(target=_be_a_hub, args=(tells,), daemon=True)
    hub.start()
    os.environ["HF_ENDPOINT"] = told.recv()
    told, tells = FORK.Pipe(duplex=False)
    for arguments in (("export", str(box / "checkpoint"), "-o", "../portable"), ("pull", "someone/model")):
        FORK.Process(target=_list_imports, args=(tells, arguments, box / "whole")).start()
        names = told.recv()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name in names:
                importlib.import_module(name)
    yield
    hub.kill()


def _be_a_hub(tells: Any) -> None:
    from fake_hub import fake_hub

    from edgevlo.runtime.bundle import EMBEDDED

    with fake_hub() as hub:
        files = {path.name: path.read_bytes() for path in (EMBEDDED / "picturebook").iterdir()}
        hub.repositories["someone/model"] = files
        tells.send(hub.url)
        signal.pause()


def _list_imports(tells: Any, arguments: tuple[str, ...], work: Path) -> None:
    """Run a command; send the modules that it imported."""
    from edgevlo.__main__ import main

    before = set(sys.modules)
    os.chdir(work)
    _to_file(work.with_name("whole.txt"))
    sys.argv = ["edgevlo", *arguments]
    if main() != 0:
        raise SystemExit(f"edgevlo {arguments[0]} failed")
    tells.send([name for name in sys.modules if name not in before and _is_found(name)])


def _is_found(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError, AttributeError):
        return False


def _duration(box: Path, name: str) -> float:
    """Return how long a command takes when nobody kills it."""
    work = box / f"whole-{name}"
    work.mkdir()
    forget(box)
    command = commands(box, work)[name]
    command.prepare()
    began = time.monotonic()
    code = end(start(command.arguments, work))
    if code != 0:
        raise SystemExit(f"{name} failed: {work.with_name(f'{work.name}.txt').read_text()}")
    seconds = time.monotonic() - began
    print(f"{name} takes {seconds:.1f} s", flush=True)
    return seconds


def _killed(
    command: Command, work: Path, number: signal.Signals, delay: float, usual: frozenset[str]
) -> tuple[str, list[str]]:
    """Kill a command after a while and run the next one; return how it ended, and all that is wrong."""
    process = start(command.arguments, work)
    time.sleep(delay)
    is_ready = process.is_alive() and _catches(process.pid, number)  # before that, a signal ends any process at once
    if process.is_alive():
        os.kill(process.pid, number)
    code = end(process)
    told = work.with_name(f"{work.name}.txt")
    printed = told.read_text(errors="replace") if told.exists() else ""  # killed before it could write
    ended = {0: "finished", 128 + number: "cleaned up", -number: "killed"}.get(code, f"exit code {code}")
    wrong = [ended] if ended.startswith("exit") or (ended == "killed" and is_ready) else []
    if "Traceback" in printed:
        wrong.append(f"traceback: {printed[-800:]}")
    wrong += command.half()
    if (code := end(start(command.next, work))) != 0:
        wrong.append(f"next command: {code} {work.with_name(f'{work.name}.txt').read_text(errors='replace')[-500:]}")
    return ended, wrong + command.half() + command.left(usual)


def _catches(process: int, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return False
    caught = next(int(line.split()[1], 16) for line in lines if line.startswith("SigCgt"))
    return bool(caught >> (number - 1) & 1)


def _without_places(text: str, box: Path) -> str:
    """Return a text without the folders of this machine."""
    for folder, name in ((box, "BOX"), (ROOT, "ROOT"), (Path(sys.prefix), "PREFIX"), (Path.home(), "HOME")):
        text = text.replace(str(folder), name)
    return text


def _rng_order(count: int, rng: random.Random, names: list[str]) -> list[tuple[str, signal.Signals]]:
    """Return so many pairs of a command and a signal, each as often as the others."""
    pairs = [(name, number) for name in names for number in SIGNALS]
    order = (pairs * (count // len(pairs) + 1))[:count]
    rng.shuffle(order)
    return order


def main() -> int:
    """Kill so many commands; write the figures, print a table and return 1 if anything was left."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--command", choices=("export", "quantize", "calibrate", "pull", "update", "paint"))
    given = parser.parse_args()
    rng, outcomes = random.Random(given.seed), Counter[tuple[str, str, str]]()
    faults: list[dict[str, Any]] = []
    shares: list[float] = []
    print(f"seed {given.seed}", flush=True)
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup ignores, and commands then, too
    with tempfile.TemporaryDirectory(prefix="edgevlo-kills-") as folder:
        box = Path(folder)
        with _prepared(box):
            names = [given.command] if given.command else list(commands(box, box))
            lasts = {name: _duration(box, name) for name in names}
            usual = frozenset(path.name for path in (box / "tmp").iterdir())
            for index, (name, number) in enumerate(_rng_order(given.count, rng, names)):
                work = box / f"work-{index}"
                work.mkdir()
                forget(box)
                command, share = commands(box, work)[name], rng.random()
                command.prepare()
                began = time.monotonic()
                ended, wrong = _killed(command, work, number, share * lasts[name], usual)
                if ended == "finished":  # the machine is quicker than when the whole command was measured
                    lasts[name] = 0.7 * lasts[name] + 0.3 * share * lasts[name]
                shares.append(share)
                outcomes[name, number.name, ended] += 1
                print(f"{index} {name} {number.name} at {share:.2f}: {ended} {wrong or ''}"
                      f" ({time.monotonic() - began:.0f} s)", flush=True)  # fmt: skip
                if wrong:
                    told = [_without_places(one, box) for one in wrong]
                    faults.append({"command": name, "signal": number.name, "at": round(share, 3), "wrong": told})
    table = [
        {"command": name, "signal": number, "ended": ended, "count": count}
        for (name, number, ended), count in sorted(outcomes.items())
    ]
    figures = {"kills": given.count, "seed": given.seed, "faults": faults, "moments": spread(shares), "table": table}
    figures["huggingface_hub"] = version("huggingface_hub")
    if given.command is None:
        write("kills", figures)
    print(*table, sep="\n")
    print(f"{given.count} kills, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
