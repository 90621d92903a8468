"""What only a real process shows: signals, closed pipes, a full disk, another user's environment."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

EDGEVLO = [sys.executable, "-m", "edgevlo"]


def start(folder: Path, *arguments: str, program: list[str] = EDGEVLO) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*program, *arguments], cwd=folder, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def whole_pictures(folder: Path) -> int:
    """Return how many pictures lie in a folder that holds nothing else; each must be readable to its end."""
    for path in folder.iterdir():
        assert path.suffix == ".png"
        assert not path.name.startswith(".")
        with Image.open(path) as image:
            image.load()
    return len(list(folder.iterdir()))


def wait_for(path: Path) -> None:
    for _ in range(2000):
        if path.exists():
            return
        time.sleep(0.01)
    pytest.fail(f"{path} never came")


@pytest.mark.parametrize("pictures", [0, 1, 5, 20])
def test_ctrl_c_while_painting_stops_quietly_and_leaves_whole_files(tmp_path: Path, toy: Path, pictures: int) -> None:
    painting = start(tmp_path, "paint", "a red car", "-m", str(toy), "-n", "100")
    if pictures:
        wait_for(tmp_path / f"out-{pictures}.png")
    else:
        time.sleep(0.4)  # about where libraries are loaded and the bundle is opened

    painting.send_signal(signal.SIGINT)
    _, err = painting.communicate(timeout=20)

    assert painting.returncode == 130
    assert err.strip() in ("", "stopped")
    assert pictures <= whole_pictures(tmp_path) < 100


def test_ctrl_c_while_importing_is_quiet(tmp_path: Path) -> None:
    """The signal comes at a known place: out of the first import of the command line."""
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")

    ran = subprocess.run(
        EDGEVLO, env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def test_ctrl_c_while_a_library_of_another_language_is_loaded_is_quiet(tmp_path: Path, toy: Path) -> None:
    """Such a library turns the signal into an ImportError."""
    broken = "try:\n    raise KeyboardInterrupt\nexcept KeyboardInterrupt as signal:\n"
    (tmp_path / "onnxruntime.py").write_text(broken + "    raise ImportError('initialization failed') from signal\n")

    ran = subprocess.run(
        [*EDGEVLO, "paint", "a red car", "-m", str(toy)], cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip

    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "stopped\n")


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_away_is_no_error_message(tmp_path: Path, toy: Path, stream: str) -> None:
    arguments = ["show", str(toy)] if stream == "stdout" else ["show", "none"]
    reading, writing = os.pipe()
    os.close(reading)
    other = "stderr" if stream == "stdout" else "stdout"

    ran = subprocess.Popen([*EDGEVLO, *arguments], **{stream: writing, other: subprocess.PIPE})  # type: ignore[call-overload]
    os.close(writing)
    output = ran.communicate(timeout=20)

    assert ran.returncode == 1
    assert not output[0]
    assert not output[1]


def test_a_disk_that_fills_up_is_one_line_and_leaves_the_old_picture(tmp_path: Path, toy: Path) -> None:
    (tmp_path / "out.png").write_bytes(b"old")
    limited = (
        "import resource, runpy; resource.setrlimit(resource.RLIMIT_FSIZE, (200, 200)); "
        "runpy.run_module('edgevlo', run_name='__main__')"
    )

    painting = start(
        tmp_path, "paint", "a red car", "-m", str(toy), "--codes", "c.npy", program=[sys.executable, "-c", limited]
    )
    out, err = painting.communicate(timeout=20)

    assert (painting.returncode, out) == (1, "")
    assert err == "edgevlo: out.png cannot be written (File too large). What was there before is untouched.\n"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]
    assert (tmp_path / "out.png").read_bytes() == b"old"


def test_a_user_without_a_home_paints_too(tmp_path: Path, toy: Path) -> None:
    """As in a container whose user id nobody knows."""
    program = (
        "import pathlib, sys\n"
        "def home(): raise RuntimeError('Could not determine home directory.')\n"
        "pathlib.Path.home = home\n"
        "from edgevlo.cli import run\n"
        f"sys.exit(run(['paint', 'a car', '-m', {str(toy)!r}]) or run(['show', 'none']))\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False,
        env={key: value for key, value in os.environ.items() if key != "EDGEVLO_HOME"},
    )  # fmt: skip

    assert ran.returncode == 1
    assert ran.stderr.startswith("edgevlo: there is no bundle 'none'")
    assert whole_pictures(tmp_path) == 1


@pytest.mark.parametrize(
    ("encoding", "prompt", "name", "printed"),
    [
        ("utf-8:strict", "a car", os.fsdecode(b"\xff.png"), r"\udcff.png  20x16"),
        ("latin-1:strict", "一辆红车", "车.png", r"\u8f66.png  20x16"),
    ],
)
def test_a_name_that_the_terminal_cannot_show_is_written_and_reported(
    tmp_path: Path, toy: Path, monkeypatch: pytest.MonkeyPatch, encoding: str, prompt: str, name: str, printed: str
) -> None:
    monkeypatch.setenv("PYTHONIOENCODING", encoding)

    painting = start(tmp_path, "paint", prompt, "-m", str(toy), "-o", name)
    out, err = painting.communicate(timeout=20)

    assert (painting.returncode, err) == (0, "")
    assert out.startswith(printed)
    assert [path.name for path in tmp_path.iterdir()] == [name]
