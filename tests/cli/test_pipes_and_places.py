"""Pipes and devices where files are expected, places where a result would spoil a bundle, and names too long."""

import json
import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Run, fails

from edgevlo.runtime.errors import BundleError, OutputError
from edgevlo.runtime.files import check_outside_bundles, write_bytes
from edgevlo.runtime.graphs.onnx_fields import read_mapped
from edgevlo.runtime.manifest.schema import read_manifest

NO_CHECK = ("--quality-requests", "0")
TOO_LONG = "n" * 256


@pytest.fixture(autouse=True)
def _no_waiting() -> Iterator[None]:
    """End a test that waits for a pipe."""
    signal.alarm(60)
    yield
    signal.alarm(0)


@pytest.fixture
def work(edgevlo_run: Run, toy: Path) -> Run:
    shutil.copytree(toy, "whole")
    tree = json.loads(Path("whole/manifest.json").read_text())
    Path("whole/manifest.json").write_text(json.dumps({**tree, "target": "portable"}))
    return edgevlo_run


def whole() -> bool:
    return sorted(path.name for path in Path("whole").iterdir()) == sorted(
        ["manifest.json", *read_manifest(Path("whole")).files]
    )


@pytest.mark.parametrize("place", [".", "tmp"])
def test_a_pipe_named_like_a_leftover_is_not_waited_for(work: Run, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    Path("tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(Path("tmp").absolute()))
    monkeypatch.setattr("tempfile.tempdir", None)
    pipe = Path(place) / ".out.png-4194304-0123456789ab"
    os.mkfifo(pipe)
    os.utime(pipe, (1, 1))

    assert work("paint", "a", "-m", "./whole").code == 0
    assert work("quantize", "./whole", "-o", "out", *NO_CHECK).code == 0
    assert place == "tmp" or not pipe.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("paint", "a", "-m", "./whole", "-o", "whole/out.png"),
        ("paint", "a", "-m", "./whole", "-o", "to-whole/out.png"),
        ("paint", "a", "-m", "./whole", "-o", "out.png", "--codes", "whole/out.npy"),
        ("paint", "a", "-m", "./whole", "-o", "whole/out.png", "--resume"),
        ("paint", "a", "-o", "whole/out.png"),  # of another model
        ("quantize", "./whole", "-o", "whole/out", *NO_CHECK),
        ("quantize", "./whole", "-o", "whole/below/out", *NO_CHECK),
        ("calibrate", "./whole", "-o", "whole/out", "--count", "1"),
        ("evaluate", "./whole", "--against", "./whole", "--count", "1", "--json", "whole/out.json"),
        ("evaluate", "./whole", "--against", "./whole", "--count", "1", "--sheet", "whole/out.png"),
    ],
)
def test_a_result_is_never_put_into_a_bundle(work: Run, command: tuple[str, ...]) -> None:
    Path("to-whole").symlink_to("whole")
    if "below" in " ".join(command):
        Path("whole/below").mkdir()

    fails(work(*command), r"would lie in the bundle .*whole, which cannot be opened with other files in it\. Choose")

    shutil.rmtree("whole/below", ignore_errors=True)
    assert whole()


def test_nor_is_the_picture_that_is_named_nowhere(work: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("whole")
    fails(work("paint", "a", "-m", "."), "out.png would lie in the bundle")
    monkeypatch.chdir("..")
    assert whole()
    assert work("paint", "a", "-m", "./whole", "-o", "beside.png").code == 0


def test_a_manifest_of_something_else_does_not_make_a_bundle(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a web app", "start_url": "/"}')
    write_bytes(tmp_path / "out", b"x")
    (tmp_path / "manifest.json").write_text('{"format": "edgevlo-bundle/9"}')
    with pytest.raises(OutputError, match="would lie in the bundle"):
        check_outside_bundles(tmp_path / "below" / "out")


@pytest.mark.parametrize(
    "command",
    [
        ("quantize", "./whole", "-o", TOO_LONG, *NO_CHECK),
        ("calibrate", "./whole", "-o", TOO_LONG, "--count", "1"),
        ("export", "whole", "-o", TOO_LONG),
        ("paint", "a", "-m", "./whole", "-o", f"{TOO_LONG}.png"),
        ("paint", "a", "-m", "./whole", "--codes", TOO_LONG),
        ("evaluate", "./whole", "--against", "./whole", "--json", TOO_LONG),
    ],
)
def test_a_name_that_is_too_long_is_one_line_before_any_work(work: Run, command: tuple[str, ...]) -> None:
    fails(work(*command), "cannot be written .File name too long.")


def test_removing_a_bundle_that_is_a_link_removes_the_link(work: Run, tmp_path: Path) -> None:
    installed = tmp_path / "home" / "bundles"
    (installed / "linked").symlink_to(Path("whole").absolute())

    assert work("rm", "linked").out == "linked removed, 0.0 MB\n"

    assert [path.name for path in installed.iterdir()] == ["toy"]
    assert whole()


@pytest.mark.parametrize("file", ["manifest.json", "backbone.onnx", "tokenizer.json", "image_decoder.onnx"])
@pytest.mark.parametrize("command", ["show", "verify", "paint", "quantize", "calibrate", "list"])
def test_a_pipe_in_a_bundle_is_not_waited_for(work: Run, command: str, file: str) -> None:
    (Path("whole") / file).unlink()
    os.mkfifo(Path("whole") / file)
    arguments = {
        "show": ("show", "./whole"), "verify": ("verify", "./whole"), "paint": ("paint", "a", "-m", "./whole"),
        "quantize": ("quantize", "./whole", "-o", "out", *NO_CHECK),
        "calibrate": ("calibrate", "./whole", "-o", "out", "--count", "1"), "list": ("list",),
    }[command]  # fmt: skip

    ran = work(*arguments)

    if ran.code:
        fails(ran, "not a regular file|is not a bundle")
    assert ran.code or command in ("list", "show")


def test_a_bundle_opened_by_its_parts_waits_for_no_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    for read in (lambda: read_manifest(tmp_path), lambda: read_mapped(tmp_path / "manifest.json", len)):
        with pytest.raises(BundleError, match="it is not a regular file"):
            read()


@pytest.mark.parametrize("command", ["quantize", "calibrate"])
def test_requests_that_never_end_are_one_line(work: Run, command: str) -> None:
    count = ("--quality-requests", "1") if command == "quantize" else ("--count", "1")
    fails(
        work(command, "./whole", "-o", "out", "--prompts", "/dev/zero", *count),
        "/dev/zero has more than the 16 MB of requests that are read",
    )


@pytest.mark.parametrize("change", ["cut", "noise", "empty", "folder"])
@pytest.mark.parametrize("role", ["backbone", "image_head", "text_head"])
def test_quantize_reads_no_graph_before_it_was_verified(work: Run, role: str, change: str) -> None:
    path = Path("whole") / f"{role}.onnx"
    content = path.read_bytes()
    path.unlink()
    if change == "folder":
        path.mkdir()
    else:
        path.write_bytes({"cut": content[:100], "noise": content[::-1], "empty": b""}[change])

    fails(work("quantize", "./whole", "-o", "out", *NO_CHECK), f"{role}.onnx (was changed|has \\d+ bytes)")


def test_a_file_that_is_the_manifest_on_some_disks_is_refused(work: Run) -> None:
    manifest = Path("whole/manifest.json")
    manifest.write_text(manifest.read_text().replace('"LICENCE.txt"', '"Manifest.JSON"', 1))
    fails(work("show", "./whole"), "'Manifest.JSON', which is not a plain path inside the bundle")
