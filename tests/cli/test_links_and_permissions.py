"""Links of every kind and folders that may not be written, in every command that reads or writes one."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from command_line import Run, fails
from mounts import can_mount
from PIL import Image

from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.schema import File, encode_manifest, read_manifest

SETTINGS = ("--quality-requests", "0")


@pytest.fixture
def work(edgevlo_run: Run, toy: Path) -> Run:
    """Return a command line in a folder with a bundle behind each kind of link, and a picture behind another."""
    shutil.copytree(toy, "whole")
    tree = json.loads(Path("whole/manifest.json").read_text())
    Path("whole/manifest.json").write_text(json.dumps({**tree, "target": "portable"}))
    Path("linked").symlink_to("whole")
    Path("linked-twice").symlink_to(Path("linked").absolute())
    Path("shared").mkdir()
    for path in Path("whole").iterdir():
        os.link(path, Path("shared") / path.name)
    Path("loop").symlink_to("loop")
    Path("nowhere").symlink_to("gone")
    Image.new("RGB", (20, 16), "red").save("red.png")
    Path("link.png").symlink_to("red.png")
    Path("results").mkdir()
    Path("to-results").symlink_to("results")
    return edgevlo_run


COMMANDS = {
    "paint": ("paint", "a", "-m", "{bundle}", "-o", "to-results/out.png"),
    "edit": ("edit", "link.png", "a", "-m", "{bundle}", "-o", "to-results/out.png"),
    "segment": ("segment", "link.png", "-m", "{bundle}", "-o", "to-results/out.png"),
    "ask": ("ask", "link.png", "a", "-m", "{bundle}"),
    "detect": ("detect", "link.png", "-m", "{bundle}"),
    "show": ("show", "{bundle}"),
    "verify": ("verify", "{bundle}"),
    "quantize": ("quantize", "{bundle}", "-o", "to-results/out", *SETTINGS),
    "calibrate": ("calibrate", "{bundle}", "-o", "to-results/out", "--count", "1"),
    "evaluate": ("evaluate", "{bundle}", "--against", "whole", "--count", "1", "--json", "to-results/out.json"),
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("bundle", ["linked", "linked-twice", "shared"])
def test_a_bundle_behind_links_is_used_and_results_go_where_a_link_leads(work: Run, command: str, bundle: str) -> None:
    ran = work(*(part.format(bundle=f"./{bundle}") for part in COMMANDS[command]))

    assert ran.code == 0, ran.err
    written = any("to-results" in part for part in COMMANDS[command])
    assert bool(list(Path("results").iterdir())) == written
    assert not [path for path in Path("results").rglob("*") if path.is_symlink() or path.name.startswith(".")]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("bundle", ["loop", "nowhere"])
def test_a_link_that_leads_nowhere_is_one_line(work: Run, command: str, bundle: str) -> None:
    fails(work(*(part.format(bundle=f"./{bundle}") for part in COMMANDS[command])), bundle)
    assert list(Path("results").iterdir()) == []


@pytest.mark.parametrize("picture", ["loop", "nowhere"])
@pytest.mark.parametrize("command", [("ask", "{picture}", "a"), ("inspect", "{picture}"), ("edit", "{picture}", "a")])
def test_so_is_a_picture(work: Run, picture: str, command: tuple[str, ...]) -> None:
    model = () if command[0] == "inspect" else ("-m", "./whole")
    fails(work(*(part.format(picture=picture) for part in command), *model), picture)


@pytest.mark.parametrize("command", ["quantize", "calibrate"])
@pytest.mark.parametrize("output", ["loop", "nowhere", "linked"])
def test_a_folder_is_never_written_through_a_link_of_its_name(work: Run, command: str, output: str) -> None:
    before = sorted(path.name for path in Path("whole").iterdir())
    arguments = [output if part == "to-results/out" else part.format(bundle="./whole") for part in COMMANDS[command]]

    fails(work(*arguments), output)

    assert Path(output).is_symlink()
    assert sorted(path.name for path in Path("whole").iterdir()) == before


def test_a_file_is_written_in_place_of_a_link_and_what_it_led_to_stays(work: Run) -> None:
    before = Path("red.png").read_bytes()
    assert work("paint", "a", "-m", "./whole", "-o", "link.png").code == 0
    assert Path("red.png").read_bytes() == before
    assert not Path("link.png").is_symlink()


def test_the_home_may_be_a_link(work: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(Path("to-results").absolute()))
    shutil.copytree("whole", "results/bundles/toy")
    for arguments in (("list",), ("show", "toy"), ("paint", "a", "-m", "toy"), ("rm", "toy")):
        assert work(*arguments).code == 0
    assert list(Path("results/bundles").iterdir()) == []


def test_evaluations_are_two_files_however_they_are_named(work: Run) -> None:
    shutil.copytree("whole", "other")
    for sheet in ("to-results/out.png", "results/OUT.png"):
        named = ("--json", "results/out.png", "--sheet", sheet)
        fails(work("evaluate", "./other", "--against", "./whole", *named), "both name results/out.png; name two files")


def test_names_that_some_disks_take_for_one_are_refused(toy: Path, tmp_path: Path) -> None:
    manifest = read_manifest(toy)
    files = {**manifest.files, "LICENCE.TXT": File(bytes=1, sha256="0" * 64)}
    (tmp_path / "manifest.json").write_bytes(encode_manifest(msgspec.structs.replace(manifest, files=files)))
    with pytest.raises(BundleError, match="names that differ in capitals alone, which are one file on some disks"):
        read_manifest(tmp_path)


# What a child does on a disk that turned read-only: its arguments are the folder there, and one that can be written.
READ_ONLY = """
import json, subprocess, sys
from pathlib import Path

disk, here = map(Path, sys.argv[1:])
subprocess.run(["mount", "--bind", str(disk), str(disk)], check=True)
subprocess.run(["mount", "-o", "remount,bind,ro", str(disk)], check=True)

import contextlib, io
from edgevlo.cli import run

bundle, picture = str(disk / "whole"), str(disk / "red.png")
commands = [
    ["paint", "a", "-m", bundle, "-o", "{}.png"],
    ["edit", picture, "a", "-m", bundle, "-o", "{}.png"],
    ["paint", "a", "-m", bundle, "-o", str(here / "a.png"), "--codes", "{}.npy"],
    ["ask", picture, "a", "-m", bundle],
    ["list"],
    ["show", "toy"],
    ["verify", bundle],
    ["rm", "toy"],
    ["quantize", bundle, "-o", "{}", "--quality-requests", "0"],
    ["calibrate", bundle, "-o", "{}", "--count", "1"],
    ["evaluate", bundle, "--against", bundle, "--count", "1", "--json", "{}.json"],
]
told = []
for number, command in enumerate(commands):
    for place in (disk, here):
        if place == disk or any("{}" in part for part in command):
            out, err = io.StringIO(), io.StringIO()
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = run([part.format(place / f"out{number}") for part in command])
            told.append([command[0], place == disk and "{}" in " ".join(command), code, err.getvalue()])
print(json.dumps(told))
"""


@pytest.mark.skipif(not can_mount(), reason="nothing can be mounted here")
def test_a_read_only_disk_is_read_and_never_a_traceback(work: Run, tmp_path: Path) -> None:
    here = tmp_path / "here"
    here.mkdir()
    shutil.copytree("whole", "bundles/toy")  # the home lies there too
    environment = {**os.environ, "EDGEVLO_HOME": str(Path().absolute())}
    ran = subprocess.run(
        ["unshare", "--mount", sys.executable, "-c", READ_ONLY, str(Path().absolute()), str(here)],
        capture_output=True, text=True, env=environment, cwd=here, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr
    for command, refused, code, err in json.loads(ran.stdout):
        assert code == (refused or command == "rm"), (command, err)
        lines = [line for line in err.splitlines() if not line.startswith("note: ")]
        if code:
            assert len(lines) == 1, err
            assert "Read-only file system" in lines[0] or "no permission to write" in lines[0]
    assert not [path for path in here.iterdir() if path.name.startswith(".")]
