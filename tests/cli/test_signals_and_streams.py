"""The process's surroundings: missing streams, signals, full disks, what killed processes left, names of one file."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from command_line import Run

from edgevlo.cli.printing import say_json, shown
from edgevlo.runtime import files
from edgevlo.runtime.bundle import known_bundles, staged_folder
from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.files import beside, claimed, exchange, remove_leftovers, scratch_folder, write_bytes

EDGEVLO = [sys.executable, "-m", "edgevlo"]


def shell(folder: Path, command: str) -> "subprocess.CompletedProcess[str]":
    line = command.replace("edgevlo", f"{sys.executable} -m edgevlo", 1)
    return subprocess.run(["sh", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize(
    ("command", "code"), [("verify {toy}", 0), ("show {toy}", 0), ("paint car -m {toy} -o x.png", 1)]
)
def test_a_working_folder_that_is_gone_is_one_line_at_most(tmp_path: Path, toy: Path, command: str, code: int) -> None:
    (tmp_path / "gone").mkdir()
    start = f"cd gone; rmdir ../gone; {sys.executable} -m edgevlo {command.format(toy=toy)}"

    ran = subprocess.run(["sh", "-c", start], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    assert ran.returncode == code
    if code:
        assert ran.stderr == (
            "edgevlo: the folder in which this command was started is gone; change to another (cd), "
            "then run the command again.\n"
        )


@pytest.mark.parametrize("closed", ["2>&-", ">&- 2>&-", "<&- >&- 2>&-", "<&-"])
def test_missing_streams_change_nothing(tmp_path: Path, toy: Path, closed: str) -> None:
    ran = shell(tmp_path, f"edgevlo paint car -m {toy} -o out.png {closed}")

    assert ran.returncode == 0
    assert "Traceback" not in ran.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


@pytest.mark.parametrize("command", ["show {toy}", "ask {toy}/../x.png what", "list", "--version", "show {toy} --json"])
def test_a_full_disk_behind_the_output_is_one_line(tmp_path: Path, toy: Path, command: str) -> None:
    ran = shell(tmp_path, f"edgevlo {command.format(toy=toy)} > /dev/full")

    assert ran.returncode == 1
    assert len(ran.stderr.splitlines()) == 1
    assert ran.stderr.startswith("edgevlo: ")


@pytest.mark.parametrize("command", ["paint car -m {toy} -o out.png", "verify {toy}", "show {toy}", "doctor"])
def test_commands_write_their_result_and_nothing_else(tmp_path: Path, toy: Path, command: str) -> None:
    """ONNX Runtime's telemetry keeps a database in the home folder and a file in the temporary one."""
    work, home, temporary = (tmp_path / name for name in ("work", "home", "tmp"))
    for folder in (work, home, temporary):
        folder.mkdir()
    kept = {name: value for name, value in os.environ.items() if name not in ("CI", "ORT_DISABLE_TELEMETRY")}
    places = {"HOME": home, "XDG_CACHE_HOME": home / "cache", "TMPDIR": temporary, "EDGEVLO_HOME": tmp_path / "own"}

    subprocess.run(
        [*EDGEVLO, *command.format(toy=toy).split()], cwd=work, check=True, capture_output=True,
        env={**kept, **{name: str(folder) for name, folder in places.items()}},
    )  # fmt: skip

    found = [path.name for folder in (work, home, temporary) for path in folder.rglob("*")]
    assert found == (["out.png"] if "out.png" in command else [])


@pytest.mark.parametrize(("given", "found"), [(None, "1"), ("0", "0")])
def test_onnx_runtime_sends_nothing_unless_somebody_wants_it(given: str | None, found: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    program = "import edgevlo, os; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    said = subprocess.run(
        [sys.executable, "-c", program], env=kept | ({"ORT_DISABLE_TELEMETRY": given} if given else {}),
        check=True, capture_output=True, text=True,
    )  # fmt: skip

    assert said.stdout == f"{found}\n"


STAGING = """
import sys, time
from pathlib import Path
import edgevlo.cli
from edgevlo.__main__ import main
from edgevlo.runtime.bundle import staged_folder

def work(arguments):
    with staged_folder(Path("result")) as folder:
        (folder / "weights").write_bytes(b"w" * 1000)
        Path("started").touch()
        time.sleep(60)

edgevlo.cli.run = work
sys.exit(main())
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL, signal.SIGINT])
def test_signals_leave_nothing_at_least_after_the_next_command(tmp_path: Path, number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STAGING], cwd=tmp_path, stderr=subprocess.PIPE) as process:
        for _ in range(3000):
            if (tmp_path / "started").exists():
                break
            time.sleep(0.01)
        process.send_signal(number)
        _, err = process.communicate(timeout=20)

    assert process.returncode == {signal.SIGKILL: -9, signal.SIGINT: 130}.get(number, 128 + number)
    assert b"Traceback" not in err
    left = [path.name for path in tmp_path.iterdir() if path.name != "started"]
    assert bool(left) == (number == signal.SIGKILL)
    files.remove_leftovers.cache_clear()
    write_bytes(tmp_path / "next", b"x")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["next", "started"]


def test_a_signal_that_is_ignored_stays_ignored(tmp_path: Path) -> None:
    nohup = ["sh", "-c", "trap '' HUP; exec \"$@\"", "sh", sys.executable, "-c", STAGING]
    with subprocess.Popen(nohup, cwd=tmp_path, stderr=subprocess.DEVNULL) as process:
        for _ in range(3000):
            if (tmp_path / "started").exists():
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGHUP)
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.3)
        process.terminate()

    assert process.returncode == 128 + signal.SIGTERM


def dead_process() -> int:
    with subprocess.Popen(["true"]) as process:
        process.wait()
    return process.pid


def test_only_what_dead_processes_left_is_removed(tmp_path: Path) -> None:
    dead = dead_process()
    gone, locked = tmp_path / f".a-{dead}-{'0' * 12}", tmp_path / f".b-{dead}-{'1' * 12}"
    kept = [beside(tmp_path / "c"), tmp_path / ".b-12-beside", tmp_path / f"d-{dead}-{'2' * 12}", locked]
    for folder in (gone, *kept):
        folder.mkdir()
        (folder / "weights").touch()
    (file := tmp_path / f".e-{dead}-{'3' * 12}").touch()
    (link := tmp_path / f".f-{dead}-{'4' * 12}").symlink_to(kept[0])

    with claimed(locked):
        remove_leftovers.cache_clear()
        remove_leftovers(tmp_path)

    assert not gone.exists()
    assert not file.exists()
    assert all((folder / "weights").exists() for folder in kept)
    assert link.is_symlink()


def test_a_number_that_another_process_has_by_now_protects_nothing(tmp_path: Path) -> None:
    own = os.getpid()  # as that of the first process of every container
    names = [tmp_path / f".{name}-{own}-{'0' * 12}" for name in ("gone", "young", "locked")]
    for folder in names:
        folder.mkdir()
        if folder.name != f".young-{own}-{'0' * 12}":
            os.utime(folder, (0, time.time() - 100))

    with claimed(names[2]):
        remove_leftovers.cache_clear()
        remove_leftovers(tmp_path)

    assert [folder.exists() for folder in names] == [False, True, True]


SCRATCH = """
import os, signal
from edgevlo.runtime.files import scratch_folder
with scratch_folder(None, "emulation") as folder:
    (folder / "weights").write_bytes(b"w" * 1000)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_temporary_folders_of_killed_processes_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    subprocess.run([sys.executable, "-c", SCRATCH], env={**os.environ, "TMPDIR": str(tmp_path)}, check=False)
    assert len(list(tmp_path.iterdir())) == 1

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    remove_leftovers.cache_clear()
    with scratch_folder(None, "trial") as folder:
        assert list(tmp_path.iterdir()) == [folder]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("at_once", [True, False])
def test_two_folders_exchange_their_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, at_once: bool) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
        (folder / folder.name).touch()
    if at_once:
        monkeypatch.setattr(Path, "rename", None)  # not in several steps
    else:
        monkeypatch.setattr("ctypes.CDLL", lambda _: object())  # a C library without renameat2

    exchange(one, other)

    assert {path.name: [inside.name for inside in path.iterdir()] for path in tmp_path.iterdir()} == {
        "one": ["other"], "other": ["one"],
    }  # fmt: skip


def test_files_and_folders_are_on_the_disk_before_they_have_their_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    happened: list[str] = []
    fsync, rename, replace = os.fsync, Path.rename, Path.replace

    def recorded(descriptor: int) -> None:
        happened.append("sync " + Path(f"/proc/self/fd/{descriptor}").readlink().name[:4])
        fsync(descriptor)

    def renamed(self: Path, target: Path) -> Path:
        happened.append("rename")
        return rename(self, target)

    def replaced(self: Path, target: Path) -> Path:
        happened.append("rename")
        return replace(self, target)

    monkeypatch.setattr(known_bundles, "remember", lambda *_: None)  # a note that may be lost
    monkeypatch.setattr(os, "fsync", recorded)
    monkeypatch.setattr(Path, "rename", renamed)
    monkeypatch.setattr(Path, "replace", replaced)

    write_bytes(tmp_path / "one", b"1")
    with staged_folder(tmp_path / "two") as folder:
        (folder / "sub").mkdir()
        (folder / "sub" / "file").write_bytes(b"2")

    parent = f"sync {tmp_path.name[:4]}"
    assert happened[:3] == ["sync .one", "rename", parent]
    assert sorted(happened[3:6]) == ["sync .two", "sync file", "sync sub"]
    assert happened[6:] == ["rename", parent]


def test_of_two_writers_of_one_folder_the_first_stays(tmp_path: Path) -> None:
    late = staged_folder(tmp_path / "x")
    late.__enter__()
    with staged_folder(tmp_path / "x") as early:
        (early / "file").write_text("early")

    with pytest.raises(OutputError, match="was made by another process meanwhile"):
        late.__exit__(None, None, None)

    assert (tmp_path / "x" / "file").read_text() == "early"
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.parametrize("codes", ["d/../p.png", "./p.png", "link.png", "linked/p.png", "P.PNG"])
def test_codes_never_replace_the_picture(edgevlo_run: Run, codes: str) -> None:
    Path("d").mkdir()
    Path("linked").symlink_to(".")
    Path("link.png").symlink_to("p.png")

    ran = edgevlo_run("paint", "car", "-m", "toy", "-o", "p.png", "--codes", codes)

    assert ran.code == 2
    assert "cannot hold both" in ran.err
    assert not Path("p.png").exists()


def test_control_characters_are_written_out(capsys: pytest.CaptureFixture[str]) -> None:
    evil = "a\x1b[2J\x9bb\u202ec\r\ud800"

    assert shown(evil) == r"a\x1b[2J\x9bb\u202ec\r\ud800"
    say_json({"text": evil, "海": "边"})
    printed = capsys.readouterr().out
    assert json.loads(printed) == {"text": evil, "海": "边"}
    assert shown(printed) == printed
