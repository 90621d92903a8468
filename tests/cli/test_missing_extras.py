"""Commands of the toolchain where only the runtime is installed: one line that names what to install."""

import json
import subprocess
import sys

import pytest

COMMANDS = [
    (["export", "checkpoint", "-o", "bundle"], "export"),
    (["quantize", "picturebook", "-o", "bundle"], "quantize"),
    (["calibrate", "picturebook"], "quantize"),
    (["evaluate", "picturebook", "--against", "picturebook"], "evaluate"),
    (["evaluate", "picturebook", "--against", "picturebook", "--emulate"], "quantize"),
]

# Each command in a process of its own, because a module whose import failed is half there for the next one.
WITHOUT_EXTRAS = """
import contextlib, io, json, os, sys
sys.modules.update(dict.fromkeys(["onnx", "onnx_ir", "skimage", "torch", "transformers"]))
import edgevlo.runtime.model  # once for all of them
from edgevlo.cli import run
for command in json.loads(sys.argv[1]):
    child = os.fork()
    if child == 0:
        with contextlib.redirect_stderr(io.StringIO()) as told:
            code = run(command)
        print(json.dumps([code, told.getvalue()]), flush=True)
        os._exit(0)
    os.waitpid(child, 0)
"""


@pytest.fixture(scope="module")
def ends() -> dict[str, list[object]]:
    """Return the exit code and the error stream of each command, run where the extras cannot be imported."""
    commands = [command for command, _ in COMMANDS]
    ran = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, json.dumps(commands)], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return dict(zip(map(str, commands), map(json.loads, ran.stdout.splitlines()), strict=True))


@pytest.mark.parametrize(("command", "extra"), COMMANDS, ids=str)
def test_a_command_without_its_extra_says_what_to_install(
    ends: dict[str, list[object]], command: list[str], extra: str
) -> None:
    code, told = ends[str(command)]
    assert code == 1, told
    assert str(told).count("\n") == 1, told
    assert f"extra '{extra}', which are not installed: pip install " in str(told)
