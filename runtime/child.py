"""Child processes that run a module of this package."""

import os
import sys


def command(module: str, *arguments: str) -> list[str]:
    """Return the command for a module.

    The working folder is kept off its import path (`-P`): a bundle may lie there, with a `numpy.py` in it.
    """
    return [sys.executable, "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Return the environment for such a command: this process's, with what of its import path is not relative."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(os.path.isabs, sys.path))}
