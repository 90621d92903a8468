"""Pictures through real pipes: `-o -` writes a PNG to standard output, `-` reads one from standard input."""

import io
import subprocess
import sys
from pathlib import Path

import pytest
from command_line import Run
from PIL import Image

import edgevlo


def piped(folder: Path, *arguments: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([sys.executable, "-m", "edgevlo", *arguments], cwd=folder, input=given, capture_output=True)


def opened(png: bytes) -> Image.Image:
    picture = Image.open(io.BytesIO(png))
    picture.load()
    return picture


def test_a_picture_goes_through_pipes_from_paint_to_edit_to_ask(toy: Path, tmp_path: Path) -> None:
    painted = piped(tmp_path, "paint", "a red car", "--seed", "7", "-m", str(toy), "-o", "-")
    assert painted.returncode == 0, painted.stderr
    assert b"-  20x16" in painted.stderr
    expected = edgevlo.load(toy).paint("a red car", seed=7)
    assert opened(painted.stdout).tobytes() == expected.tobytes()
    assert opened(painted.stdout).info["parameters"] == expected.info["parameters"]

    edited = piped(tmp_path, "edit", "-", "make it blue", "-m", str(toy), "-o", "-", given=painted.stdout)
    assert edited.returncode == 0, edited.stderr
    assert opened(edited.stdout).size == (20, 16)

    segments = piped(tmp_path, "segment", "-", "-m", str(toy), "-n", "2", given=edited.stdout)
    assert segments.returncode == 0, segments.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out-1.png", "out-2.png"]

    marks = piped(tmp_path, "inspect", "-", given=edited.stdout)
    assert b"says that an AI made it" in marks.stdout

    asked = piped(tmp_path, "ask", "-", "what is it?", "--json", "-m", str(toy), given=edited.stdout)
    assert asked.returncode == 0, asked.stderr
    assert asked.stdout.startswith(b'{"answer": ')


def test_codes_become_a_picture_on_standard_output(toy: Path, tmp_path: Path) -> None:
    painted = piped(tmp_path, "paint", "a red car", "--seed", "7", "-m", str(toy), "-o", "-", "--codes", "a.npy")

    decoded = piped(tmp_path, "decode", "a.npy", "-m", str(toy), "-o", "-")

    assert opened(decoded.stdout).tobytes() == opened(painted.stdout).tobytes()


@pytest.mark.parametrize("given", [b"", b"words", b"\x89PNG\r\n\x1a\n"])
def test_standard_input_without_a_picture_is_named(toy: Path, tmp_path: Path, given: bytes) -> None:
    ran = piped(tmp_path, "ask", "-", "what is it?", "-m", str(toy), given=given)

    assert ran.returncode == 1
    assert ran.stderr.startswith(b"edgevlo: standard input is not a picture that can be read ")
    assert len(ran.stderr.splitlines()) == 1


@pytest.mark.parametrize("more", [["-n", "2"], ["--json"], ["--watch"]])
def test_standard_output_takes_one_picture_and_nothing_else(edgevlo_run: Run, more: list[str]) -> None:
    ran = edgevlo_run("paint", "a red car", "-m", "toy", "-o", "-", *more)

    assert ran.code == 2
    assert "-o - writes one picture to the output and nothing else; give -o a file." in ran.err
    assert ran.out == ""


def test_standard_input_is_given_once(edgevlo_run: Run) -> None:
    ran = edgevlo_run("edit", "-", "-", "make it blue", "-m", "toy")

    assert ran.code == 2
    assert "standard input holds one picture; give - once." in ran.err
