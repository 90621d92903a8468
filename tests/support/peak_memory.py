"""The peak of a process's own memory; that of `getrusage` begins at its parent's."""

import os
import subprocess
import sys
from pathlib import Path


def peak_kib() -> int:
    """Return the largest resident size of this process so far, in KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def measured(program: str, *arguments: object) -> int:
    """Run a program in a process of its own; return the number that it prints."""
    here = str(Path(__file__).parent)
    paths = os.pathsep.join(filter(None, (here, os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": paths}, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return int(done.stdout)
