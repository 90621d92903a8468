"""A trial of a bundle that was not made here, in a process of its own with bounds of time and memory.

Native code reads what a bundle brings: ONNX Runtime its graphs, the tokenizers library its expressions. A crafted file
can end the process there (a division by zero while constants are folded), never end, or take all memory. So a bundle
is opened once by a child process, which also runs each of its graphs; what happens to the child is told in one line.

The child is `python -m edgevlo.runtime.trial_process`.
"""

import contextlib
import json
import signal
import subprocess
from pathlib import Path
from typing import Final

from .. import errors
from ..child_process import command, environment, pipe_of_parent
from ..errors import BundleError, EdgevloError, remedy

NO_TRIAL: Final = "EDGEVLO_TRIAL"  # 0: bundles are opened without a trial
SECONDS: Final = 10  # of CPU, and one more for each _BYTES_A_SECOND of the bundle
_BYTES_A_SECOND: Final = 20_000_000
_MEMORY: Final = 4 * 2**30  # of address space, and _MEMORY_A_BYTE for each byte of the bundle
_MEMORY_A_BYTE: Final = 4
_WAITING: Final = 10  # times the CPU seconds, on a machine that does other things too

_CHILD: Final = "edgevlo.runtime.trial_process"


def try_out(folder: Path, size: int) -> None:
    """Open a bundle of so many bytes in a child process.

    Raises what that raised, and `BundleError` when the child did not survive.
    """
    seconds = SECONDS + size // _BYTES_A_SECOND
    limits = f"{seconds} {_MEMORY + _MEMORY_A_BYTE * size}"
    try:
        with pipe_of_parent() as pipe:
            done = subprocess.run(
                command(_CHILD, str(folder.absolute()), *limits.split()),
                env={**environment(), "MALLOC_ARENA_MAX": "2"},
                stdin=pipe,
                capture_output=True,
                timeout=_WAITING * seconds,
                check=False,
            )
    except subprocess.TimeoutExpired as error:
        raise BundleError(_refusal(folder, f"did not end within {_WAITING * seconds} seconds")) from error
    except OSError as error:
        advice = remedy(error, f"Set {NO_TRIAL}=0 to open it without a trial")
        raise BundleError(f"{folder} cannot be tried out ({error.strerror}). {advice}") from error
    if done.returncode == 0:
        return
    _raise(folder, done, seconds)


def _raise(folder: Path, done: "subprocess.CompletedProcess[bytes]", seconds: int) -> None:
    """Raise the child's own error, or one that says how the child ended."""
    told = _told(done.stdout)
    if told is not None:
        raise told
    if done.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise BundleError(_refusal(folder, f"took more than {seconds} seconds of CPU, or all memory"))
    if done.returncode < 0:
        raise BundleError(_refusal(folder, f"ended the process that tried it ({_signal(-done.returncode)})"))
    lines = done.stderr.decode(errors="replace").strip().splitlines() or ["no message"]
    raise BundleError(_refusal(folder, f"failed ({lines[-1][:200]})"))


def _told(printed: bytes) -> EdgevloError | None:
    """Return the error that a child printed in its last line."""
    with contextlib.suppress(ValueError, KeyError, TypeError, IndexError):
        told = json.loads(printed.splitlines()[-1])
        kind: type[EdgevloError] = getattr(errors, told["kind"], BundleError)
        return kind(told["message"])
    return None


def _refusal(folder: Path, what: str) -> str:
    return f"{folder}: opening it {what}. Export the bundle again, or get it from a source that you trust."


def _signal(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
