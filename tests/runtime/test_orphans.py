"""Processes that were started for another one end with it, however that one ends."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from strangers import looping, strangers

POOL = """
from edgevlo.calibration.evaluation.picturebook_tasks import compare_tasks
from edgevlo.runtime.bundle import EMBEDDED, open_bundle

if __name__ == "__main__":
    bundle = open_bundle(EMBEDDED / "picturebook")
    compare_tasks(bundle, bundle, 1000)
"""
SERVER = """
import subprocess, sys, time
from edgevlo.runtime.child_process import command, environment

worker = command("edgevlo.serving.worker", sys.argv[1], "1")
kept = subprocess.Popen(worker, env=environment(), stdin=subprocess.PIPE)
time.sleep(600)
"""
CHILD = """
import ctypes, sys, time
from edgevlo.runtime import child_process

if sys.argv[1] == "pipe":
    ctypes.CDLL = lambda name: object()  # another system's library: it has no prctl
    child_process.end_with_parent()
else:
    child_process.threading = None
    try:
        child_process.end_with_parent()
    except AttributeError:
        pass
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("EDGEVLO_TRIAL", raising=False)


def python(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, **options)


def below(process: int) -> dict[int, str]:
    """Return the commands of the living processes that a process started, and of those that these started."""
    parents: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (folder / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state != "Z":
            parents[int(folder.name)] = int(parent)
    found, level = {}, {process}
    while level := {child for child, parent in parents.items() if parent in level}:
        found.update({child: _command(child) for child in level})
    return found


def _command(process: int) -> str:
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for(process: int, name: str, count: int = 1) -> dict[int, str]:
    """Return all processes below one as soon as so many of them have a name in their command."""
    for _ in range(600):
        found = below(process)
        if sum(name in command for command in found.values()) >= count:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{name} was not started")


def all_end(processes: dict[int, str]) -> bool:
    for _ in range(600):
        if not any(runs(process) for process in processes):
            return True
        time.sleep(0.05)
    for process in processes:
        if runs(process):
            os.kill(process, signal.SIGKILL)
    return False


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_trial_ends_with_the_command_that_tries(tmp_path: Path, number: signal.Signals) -> None:
    bundle = strangers(tmp_path / "endless", image_tokenizer__onnx=looping())
    verifying = python("-m", "edgevlo", "verify", str(bundle), stderr=subprocess.DEVNULL)
    started = wait_for(verifying.pid, "trial_process")
    time.sleep(1)  # it computes

    verifying.send_signal(number)
    verifying.wait(20)

    assert all_end(started)


def test_a_worker_that_opens_a_model_ends_with_its_server(tmp_path: Path) -> None:
    bundle = strangers(tmp_path / "endless", image_tokenizer__onnx=looping())
    server = python("-c", SERVER, str(bundle))
    started = wait_for(server.pid, "trial_process")

    server.kill()
    server.wait(20)

    assert all_end(started)


def test_processes_that_try_tasks_end_with_the_command(tmp_path: Path) -> None:
    (tmp_path / "compare.py").write_text(POOL)
    comparing = python(str(tmp_path / "compare.py"), stderr=subprocess.DEVNULL)
    started = wait_for(comparing.pid, "spawn_main", min(2, os.cpu_count() or 1))
    time.sleep(3)

    comparing.kill()
    comparing.wait(20)

    assert all_end(started)


@pytest.mark.parametrize("way", ["pipe", "system"])
def test_each_way_to_notice_the_end_of_a_parent_suffices(way: str) -> None:
    parent = f"import subprocess, sys, time\nchild = subprocess.Popen([sys.executable, '-c', {CHILD!r}, {way!r}]"
    parent += ", stdin=subprocess.PIPE)\ntime.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", parent], stdout=subprocess.PIPE) as server:
        assert server.stdout is not None
        ready = server.stdout.readline()
        started = below(server.pid)

        server.kill()

        assert (ready, len(started)) == (b"ready\n", 1)
        assert all_end(started)


def test_a_parent_that_ended_before_is_noticed() -> None:
    read, write = os.pipe()
    os.close(write)

    child = subprocess.run(
        [sys.executable, "-c", CHILD, "pipe"], stdin=read, capture_output=True, timeout=60, check=False
    )

    os.close(read)
    assert child.returncode == 1


def test_messages_in_the_pipe_are_no_end() -> None:
    code = "import sys, time\nfrom edgevlo.runtime.child_process import end_with_parent\nend_with_parent()\n"
    code += "time.sleep(0.5)\nprint(sys.stdin.readline(), end='', flush=True)\ntime.sleep(600)"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write("message\n")
        child.stdin.flush()
        said = child.stdout.readline()
        alive = child.poll() is None
        child.stdin.close()

        assert (said, alive, child.wait(20)) == ("message\n", True, 1)


def test_a_child_that_is_still_importing_ends_with_its_parent(tmp_path: Path) -> None:
    (tmp_path / "slow_import.py").write_text("import time\ntime.sleep(600)\n")
    code = """
import subprocess, sys, time
from edgevlo.runtime.child_process import command, environment

sys.path.append(sys.argv[1])
kept = subprocess.Popen(command("slow_import"), env=environment(), stdin=subprocess.PIPE)
time.sleep(600)
"""
    parent = python("-c", code, str(tmp_path))
    started = wait_for(parent.pid, "slow_import")
    time.sleep(0.5)  # Python has started

    parent.kill()
    parent.wait(20)

    assert all_end(started)
