"""Commands that are killed at random moments: nothing half may stay, and nothing at all after the next command.

python tests/fuzz/kills.py --count 200 --seed 1
"""

import argparse
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

sys.path[:0] = [str(Path(__file__).parent.parent / "support")]

from emu3_checkpoints import SHAPES, make_checkpoint
from fake_hub import fake_hub
from PIL import Image

from edgevlo.calibration import store
from edgevlo.runtime.bundle import EMBEDDED, read_bundle, verify_files
from edgevlo.runtime.files import remove_leftovers

SIGNALS: Final = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP)
EDGEVLO: Final = [sys.executable, "-m", "edgevlo"]


@dataclass(frozen=True, slots=True)
class Command:
    """A command, what it writes, and how that is looked at."""

    arguments: tuple[str, ...]
    result: Path
    check: Callable[[Path], object]


def _bundle(folder: Path) -> None:
    verify_files(folder, read_bundle(folder).manifest)


def _pictures(folder: Path) -> None:
    for path in folder.glob("*.png"):
        with Image.open(path) as image:
            image.load()


def _commands(box: Path, work: Path) -> dict[str, Command]:
    portable = str(box / "portable")
    few = ("--count", "2")
    return {
        "export": Command(("export", str(box / "checkpoint"), "-o", "out"), work / "out", _bundle),
        "quantize": Command(("quantize", portable, "-o", "out", "--quality-requests", "2"), work / "out", _bundle),
        "calibrate": Command(("calibrate", portable, "-o", "out", *few), work / "out", store.read),
        "pull": Command(("pull", "someone/model"), box / "home" / "bundles" / "someone--model", _bundle),
        "paint": Command(("paint", "a red car", "-n", "20", "-o", "out.png"), work, _pictures),
    }


@contextmanager
def _prepared(box: Path) -> Iterator[None]:
    """Make a checkpoint and a portable bundle, and a hub from which picturebook can be pulled."""
    make_checkpoint(box / "checkpoint", SHAPES[3])
    with fake_hub() as hub:
        picturebook = EMBEDDED / "picturebook"
        hub.repositories["someone/model"] = {path.name: path.read_bytes() for path in picturebook.iterdir()}
        os.environ.update(HF_ENDPOINT=hub.url, HF_HOME=str(box / "hf"), EDGEVLO_HOME=str(box / "home"))
        subprocess.run([*EDGEVLO, "export", str(box / "checkpoint"), "-o", str(box / "portable")], check=True)
        yield


def _killed(command: Command, work: Path, number: signal.Signals, delay: float) -> str | None:
    """Kill a command after a while; return what is wrong with what it left, None where nothing is."""
    with subprocess.Popen(
        [*EDGEVLO, *command.arguments], cwd=work, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as process:
        time.sleep(delay)
        process.send_signal(number)
        _, err = process.communicate(timeout=120)
    if b"Traceback" in err and number != signal.SIGKILL:
        return f"traceback: {err.decode(errors='replace')[-800:]}"
    if command.result.exists():
        try:
            command.check(command.result)
        except Exception as error:
            return f"half: {error}"
    for folder in {work, command.result.parent}:
        if folder.is_dir():
            remove_leftovers.cache_clear()
            remove_leftovers(folder)  # as the next command that writes there does first
            if left := sorted(path.name for path in folder.iterdir() if path.name.startswith(".")):
                return f"left: {left}"
    return None


def main() -> int:
    """Kill so many commands; print a table and return 1 if anything was left."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    rng, outcomes, faults = random.Random(given.seed), Counter[tuple[str, str]](), 0
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="edgevlo-kills-") as folder:
        box = Path(folder)
        with _prepared(box):
            lasts = {name: _duration(box, name) for name in _commands(box, box)}
            for index in range(given.count):
                work = box / f"work-{index}"
                work.mkdir()
                name = rng.choice(list(lasts))
                number, delay = rng.choice(SIGNALS), rng.uniform(0.05, 1.05) * lasts[name]
                _forget(box)
                wrong = _killed(_commands(box, work)[name], work, number, delay)
                outcomes[name, number.name] += 1
                if wrong:
                    faults += 1
                    print(f"{name} {number.name} after {delay:.2f} s: {wrong}", flush=True)
    for (name, kind), count in sorted(outcomes.items()):
        print(f"{name:10} {kind:8} {count:4}")
    print(f"{given.count} kills, {faults} faults")
    return 1 if faults else 0


def _duration(box: Path, name: str) -> float:
    """Return how long a command takes when nobody kills it."""
    work = box / f"whole-{name}"
    work.mkdir()
    _forget(box)
    began = time.monotonic()
    subprocess.run([*EDGEVLO, *_commands(box, work)[name].arguments], cwd=work, check=True, capture_output=True)
    return time.monotonic() - began


def _forget(box: Path) -> None:
    """Remove what was pulled, so that the next pull has work to do."""
    for folder in (box / "home" / "bundles", box / "hf"):
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
