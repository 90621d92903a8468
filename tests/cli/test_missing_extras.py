"""Commands of the toolchain where only the runtime is installed: one line that names what to install."""

import subprocess
import sys

import pytest

WITHOUT_EXTRAS = """
import sys
sys.modules.update(dict.fromkeys(["onnx", "onnx_ir", "skimage", "torch", "transformers"]))
from edgevlo.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.parametrize(
    ("command", "extra"),
    [
        (["export", "checkpoint", "-o", "bundle"], "export"),
        (["quantize", "picturebook", "-o", "bundle"], "quantize"),
        (["calibrate", "picturebook"], "quantize"),
        (["evaluate", "picturebook", "--against", "picturebook"], "evaluate"),
        (["evaluate", "picturebook", "--against", "picturebook", "--emulate"], "quantize"),
    ],
    ids=str,
)
def test_a_command_without_its_extra_says_what_to_install(command: list[str], extra: str) -> None:
    ran = subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS, *command], capture_output=True, text=True, check=False)
    assert ran.returncode == 1, ran.stderr
    assert ran.stderr.count("\n") == 1, ran.stderr
    assert f"extra '{extra}', which are not installed: pip install " in ran.stderr
