"""TensorRT's own parser and builder on the graphs of target `tensorrt`, where they are installed.

benchmarks/tensorrt_build.py does the work, in a process that finds the libraries under the names they need.
"""

import json
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "tensorrt_build.py"
WHEELS = {
    "onnxruntime_ep_nv_tensorrt_rtx": "onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0",
    "tensorrt_bindings": "tensorrt_cu13_bindings==11.4.0.106",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        any(find_spec(module) is None for module in WHEELS) or shutil.which("cc") is None,
        reason=f"needs a C compiler and, under NVIDIA's licence, the wheels {' and '.join(WHEELS.values())}",
    ),
]


@pytest.mark.parametrize("model", ["picturebook", "janus", "emu3"])
def test_every_graph_is_parsed_and_built_in_every_form(model: str, tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--models", model, "--output", str(tmp_path / "figures.json")]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    (forms,) = json.loads((tmp_path / "figures.json").read_text(encoding="utf-8")).values()
    assert set(forms) == {
        *(f"weights {kind}" for kind in ("fp16", "bf16", "int8", "int4")),
        *(f"Q/DQ {kind}" for kind in ("int8", "fp8")),
    }
    for form, graphs in forms.items():
        for role, told in graphs.items():
            assert told["built"], (form, role, told)
            assert told["engine_bytes"] > 10_000
    exact = {role: told["error"] for role, told in forms["weights fp16"].items()}
    assert all(error < 0.02 for error in exact.values()), exact
    assert forms["Q/DQ int8"]["text_head"]["error"] < 0.05
