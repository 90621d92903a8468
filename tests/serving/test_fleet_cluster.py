"""The fleet with Ray itself: on a cluster of two nodes, where Ray is installed, which it is not by `dev`."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from edgevlo.fleet import build
from edgevlo.runtime.errors import EdgevloError, RequestError

ROOT = Path(__file__).resolve().parent.parent.parent
WITHOUT_RAY = importlib.util.find_spec("ray") is None
needs_ray = pytest.mark.skipif(WITHOUT_RAY, reason="ray is not installed, as it is large: pip install '.[fleet]'")


def test_without_ray_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def without_ray(name: str, package: str | None = None) -> Any:
        return None if name == "ray" else found(name, package)

    monkeypatch.setattr(importlib.util, "find_spec", without_ray)
    with pytest.raises(RequestError, match=r"^ray is not installed; add the fleet: pip install "):
        build({})


@needs_ray
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # Ray's own models, by pydantic
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"model": "picturebook"}, "unknown field `model`"),
        ({"engines": "none"}, r"\$.engines"),
        ({"engines": "0"}, r"\$.engines"),
        ({"models": "no-such-bundle"}, "no-such-bundle"),
        ({"alias": "gpt-image-1=other"}, "gpt-image-1=other"),
    ],
)
def test_an_argument_that_is_wrong_is_named(arguments: dict[str, str], words: str) -> None:
    with pytest.raises(EdgevloError, match=words):
        build(arguments)


@needs_ray
@pytest.mark.slow
def test_no_answer_is_lost_when_an_engine_is_killed_among_requests(tmp_path: Path) -> None:
    requests = 45
    command = [sys.executable, str(ROOT / "benchmarks" / "fleet.py"), "--requests", str(requests)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "EDGEVLO_HOME": str(tmp_path)}
    ran = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=environment)

    assert ran.returncode == 0, ran.stderr[-4000:]
    (printed,) = (line for line in ran.stdout.splitlines() if line.startswith("{"))  # Ray prints as well
    told = json.loads(printed)["engine_killed"]
    assert told["had_taken"] > 0, "the engine had nothing to lose"
    assert told["ends"] == {way: {"right": requests // 3} for way in ("whole", "streamed", "kept")}
