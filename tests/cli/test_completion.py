"""What shells complete, asked as click's scripts ask: through the environment of a real process."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def completed(folder: Path, shell: str, *words: str) -> list[str]:
    """Return what the program offers for the last of the words."""
    line = " ".join(["edgevlo", *words])
    asked = {"_EDGEVLO_COMPLETE": f"{shell}_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(words))}
    environment = {**os.environ, **asked, "EDGEVLO_HOME": str(folder / "home")}
    program = [sys.executable, "-m", "edgevlo"]
    ran = subprocess.run(program, cwd=folder, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout.split()


def test_models_are_completed_by_name(toy: Path, tmp_path: Path) -> None:
    shutil.copytree(toy, tmp_path / "home/bundles/owner--toy")
    shutil.copytree(toy, tmp_path / "mine")

    offered = completed(tmp_path, "bash", "paint", "car", "-m", "")
    assert offered[0].startswith("dir,"), "the shell adds folders"
    assert offered[1:] == ["plain,picturebook", "plain,owner/toy", "plain,mine"]
    assert completed(tmp_path, "bash", "show", "pi")[1:] == ["plain,picturebook"]
    assert completed(tmp_path, "bash", "paint", "car", "-m", "none")[1:] == []


def test_commands_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "bash", "det") == ["plain,detect"]


def test_targets_are_completed(tmp_path: Path) -> None:
    assert completed(tmp_path, "bash", "quantize", "b", "--target", "c") == ["plain,cpu", "plain,cuda"]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_of_each_shell_is_printed(tmp_path: Path, shell: str) -> None:
    if shell == "bash" and shutil.which("bash") is None:
        pytest.skip("click asks bash for its version")
    environment = {**os.environ, "_EDGEVLO_COMPLETE": f"{shell}_source"}
    program = [sys.executable, "-m", "edgevlo"]
    ran = subprocess.run(program, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    assert f"_EDGEVLO_COMPLETE={shell}_complete" in ran.stdout
