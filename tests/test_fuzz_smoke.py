"""A few seconds of the fuzz campaign, so that it runs when it is wanted, and what it notices."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

FUZZ = Path(__file__).parent / "fuzz"


def test_the_campaign_finds_nothing_in_a_few_seconds_and_goes_on_from_its_log(tmp_path: Path) -> None:
    log = tmp_path / "cases.jsonl"
    log.write_text(
        '{"kind": "picture", "seed": 6, "outcome": "ok", "seconds": 0, "peak": 0, "growth": 0}\n{"kind": "pic'
    )
    command = [sys.executable, str(FUZZ / "campaign.py"), "--minutes", "0.05", "--seed", "1", "--kind", "picture"]

    done = subprocess.run([*command, "--log", str(log)], capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 faults; files outside: none" in done.stdout
    assert [json.loads(line)["seed"] for line in log.read_text().splitlines()][:2] == [6, 7]


@pytest.mark.parametrize(
    ("case", "outcome"),
    [
        ("1 / 0", "traceback"),
        ("raise BundleError('one\\ntwo')", "lines"),
        ("raise BundleError('x: opening it failed (KeyError)')", "traceback"),
        ("raise BundleError('refused')", "refused"),
        ("open('../outside', 'w')", "outside"),
        ("os.mkdir('../outside')", "outside"),
        ("bytearray(b'x' * (310 << 20))", "memory"),
        ("open('inside', 'w')", "ok"),
    ],
)
def test_what_a_case_does_is_noticed(tmp_path: Path, case: str, outcome: str) -> None:
    done = run(tmp_path, f"lambda rng: exec({case!r})")

    assert json.loads(done.stdout)["outcome"] == outcome, done.stdout + done.stderr


def test_a_case_that_never_ends_is_ended(tmp_path: Path) -> None:
    assert run(tmp_path, "lambda rng: sum(iter(int, 1))", "worker.CPU_SECONDS = -1").returncode == -signal.SIGXCPU


def run(folder: Path, case: str, before: str = "") -> "subprocess.CompletedProcess[str]":
    """Run one case in a process whose folder is one of a box."""
    (folder / "worker").mkdir()
    program = f"""
import json, os, sys
sys.path.insert(0, {str(FUZZ)!r})
import worker
from edgevlo.runtime.errors import BundleError
{before}
print(json.dumps(worker.run_case({{"any": {case}}}, "any", 1, worker.Writes(worker.Path.cwd()))))
"""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=folder / "worker", capture_output=True, text=True, check=False)
