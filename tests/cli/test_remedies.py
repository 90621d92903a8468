"""The remedy that an error names works: each is followed, and the same command then does what was asked."""

import os
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from command_line import Ran, Run, fails
from mounts import can_mount
from PIL import Image

from edgevlo.runtime.errors import PictureError
from edgevlo.runtime.memory import refuse
from edgevlo.runtime.pictures.limits import MAX_SIDE
from edgevlo.runtime.pictures.load import load_picture

NOBODY = 65534
LFS_NOTE = "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"


def works(ran: Ran) -> None:
    assert ran.code == 0, ran.err


@pytest.fixture
def warm(edgevlo_run: Run) -> Run:
    """Return a command line all of whose modules are loaded: with few files, or as somebody else, none can be."""
    Image.new("RGB", (20, 16), "red").save("red.png")
    works(edgevlo_run("ask", "red.png", "car", "-m", "toy"))
    return edgevlo_run


@contextmanager
def few_files(spare: int) -> Iterator[None]:
    """Let this process open no more than so many files beside those that are open."""
    before, free = resource.getrlimit(resource.RLIMIT_NOFILE), os.dup(0)
    os.close(free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (free + spare, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


@contextmanager
def as_nobody() -> Iterator[None]:
    """Run as a user whom permissions bind: root's own do not."""
    if os.geteuid() != 0:
        yield
        return
    os.setresuid(NOBODY, NOBODY, 0)
    try:
        yield
    finally:
        os.setresuid(0, 0, 0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that every user reaches; pytest's are its owner's alone."""
    with tempfile.TemporaryDirectory(prefix="edgevlo-test-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_too_few_open_files(warm: Run) -> None:
    with few_files(1):  # which is read, and cannot be mapped
        failed = warm("paint", "a red car", "-m", "toy", "-o", "car.png")
    fails(failed, r"\(Too many open files\)\. Let this process open more files: ulimit -n 1024\.")

    works(warm("paint", "a red car", "-m", "toy", "-o", "car.png"))


def test_a_picture_that_cannot_be_opened_for_want_of_files(warm: Run) -> None:
    with few_files(0):
        failed = warm("inspect", "red.png")
    fails(failed, "ulimit -n")

    works(warm("inspect", "red.png"))


@pytest.mark.parametrize("file", ["manifest.json", "backbone.onnx.data", "tokenizer.json"])
def test_a_bundle_of_somebody_else(warm: Run, toy: Path, open_folder: Path, file: str) -> None:
    bundle = shutil.copytree(toy, open_folder / "bundle")
    (bundle / file).chmod(0)
    with as_nobody():
        failed = warm("show" if file == "manifest.json" else "verify", str(bundle))
    fails(failed, r"\(Permission denied\)\. Let this user read it: chmod -R u\+rX, or chown, its folder\.")

    for path in (bundle, *bundle.rglob("*")):
        os.chown(path, NOBODY if os.geteuid() == 0 else -1, -1)
        path.chmod(path.stat().st_mode | stat.S_IRUSR)
    with as_nobody():
        works(warm("show", str(bundle)))


def test_a_picture_of_somebody_else(open_folder: Path) -> None:
    picture = open_folder / "red.png"
    Image.new("RGB", (20, 16), "red").save(picture)
    picture.chmod(0)
    with as_nobody(), pytest.raises(PictureError, match=r"cannot be read: Permission denied\. Let this user read it"):
        load_picture(picture)

    picture.chmod(0o644)
    with as_nobody():
        assert load_picture(picture).size == (20, 16)


@pytest.mark.skipif(not can_mount(), reason="namespaces cannot be made here")
def test_a_container_without_proc(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "edgevlo", "paint", "a red car", "-o", str(tmp_path / "car.png")]

    def run(*before: str) -> "subprocess.CompletedProcess[str]":
        script = " && ".join((*before, 'exec "$@"'))
        return subprocess.run(
            ["unshare", "--mount", "sh", "-c", script, "sh", *command], capture_output=True, text=True, check=False
        )

    failed = run("mount -t tmpfs none /proc")
    assert failed.returncode == 1
    assert "Mount /proc in this container: mount -t proc proc /proc." in failed.stderr.splitlines()[-1]
    assert run("mount -t tmpfs none /proc", "mount -t proc proc /proc").returncode == 0


Damage = Callable[[Path, Path], None]  # the whole bundle, and a copy of it


def resized_file(_whole: Path, bundle: Path) -> None:
    (bundle / "text_head.onnx").write_bytes(b"x")


def changed_file(_whole: Path, bundle: Path) -> None:
    content = (bundle / "text_head.onnx").read_bytes()
    (bundle / "text_head.onnx").write_bytes(content[:-1] + bytes([content[-1] ^ 1]))


def lfs_note(_whole: Path, bundle: Path) -> None:
    (bundle / "backbone.onnx.data").write_text(LFS_NOTE)


def further_file(_whole: Path, bundle: Path) -> None:
    (bundle / "notes.txt").write_text("mine")


def linked_manifest(whole: Path, bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    (bundle / "manifest.json").symlink_to(whole / "manifest.json")


def get_it_again(whole: Path, bundle: Path) -> None:
    shutil.rmtree(bundle)
    shutil.copytree(whole, bundle)


def fetch_the_file(whole: Path, bundle: Path) -> None:
    shutil.copy(whole / "backbone.onnx.data", bundle / "backbone.onnx.data")


def remove_it(_whole: Path, bundle: Path) -> None:
    (bundle / "notes.txt").unlink()


def copy_the_file(whole: Path, bundle: Path) -> None:
    (bundle / "manifest.json").unlink()
    shutil.copy(whole / "manifest.json", bundle / "manifest.json")


@pytest.mark.parametrize(
    ("damage", "message", "follow"),
    [
        (resized_file, "has 1 bytes, .* Export or download the bundle again", get_it_again),
        (changed_file, "was changed: .* Export or download the bundle again", get_it_again),
        (lfs_note, "is the note of Git LFS .*: git lfs pull", fetch_the_file),
        (further_file, r"is not listed in manifest\.json\. Remove it from the bundle", remove_it),
        (linked_manifest, "is a link; .* Copy the file itself into the bundle", copy_the_file),
    ],
)
def test_a_bundle_that_is_not_whole(edgevlo_run: Run, toy: Path, damage: Damage, message: str, follow: Damage) -> None:
    bundle = shutil.copytree(toy, Path("bundle"))
    damage(toy, bundle)
    fails(edgevlo_run("paint", "a red car", "-m", "./bundle", "-o", "car.png"), message)

    follow(toy, bundle)
    works(edgevlo_run("paint", "a red car", "-m", "./bundle", "-o", "car.png"))


@pytest.mark.parametrize(
    ("asked", "message", "then"),
    [
        (("paint", "a", "--size", "21x16"), "the nearest is 20x16", ("paint", "a", "--size", "20x16")),
        (("paint", "a", "--size", "1:40"), "the nearest is 12x36", ("paint", "a", "--size", "12x36")),
        (("paint", "car " * 1000), r"Shorten the prompt", ("paint", "car")),
        (("paint", " "), "say what you want in a few words", ("paint", "a red car")),
        (("paint", "a", "--seed", "-1"), "seeds run from 0 to 4294967295", ("paint", "a", "--seed", "4294967295")),
        (("paint", "a", "--temperature", "101"), "it runs from 0 to 100", ("paint", "a", "--temperature", "100")),
        (("paint", "a", "--top-p", "0"), "above 0 and at most 1", ("paint", "a", "--top-p", "1")),
        (("paint", "a", "--top-k", "-1"), "it runs from 0 to", ("paint", "a", "--top-k", "0")),
        (("edit", "red.png", "a", "--image-guidance-scale", "2"), "leave it out", ("edit", "red.png", "a")),
        (
            ("paint", "a", "--negative-prompt", "snow", "--guidance-scale", "1"),
            "raise it or leave it out",
            ("paint", "a", "--negative-prompt", "snow", "--guidance-scale", "2"),
        ),
        (("depth", "red.png"), "does not support 'depth'. Supported: .*segment", ("segment", "red.png")),
        (("paint", "a", "-o", "new/car.png"), "does not exist. Make it first", None),
        (("paint", "a", "-o", "folder"), "is a folder; name a file in it", ("paint", "a", "-o", "folder/car.png")),
        (("paint", "a", "-o", "car.jpg"), "does not end in .png", ("paint", "a", "-o", "car.png")),
        (("decode", "letters.npy"), "paint --codes FILE.npy` writes", ("decode", "codes.npy")),
        (("paint", "a", "-m", "tot"), "`edgevlo list` prints", ("list",)),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)
def test_a_request_that_cannot_be_met(
    edgevlo_run: Run, asked: tuple[str, ...], message: str, then: tuple[str, ...] | None
) -> None:
    Image.new("RGB", (20, 16), "red").save("red.png")
    works(edgevlo_run("paint", "a", "-m", "toy", "--codes", "codes.npy"))
    np.save("letters.npy", np.array(["a"]))
    Path("folder").mkdir()
    if "-m" not in asked:
        asked = (*asked, "-m", "toy")
    fails(edgevlo_run(*asked), message)

    if then is None:
        Path("new").mkdir()
        then = asked
    works(edgevlo_run(*then, *(() if then == ("list",) or "-m" in then else ("-m", "toy"))))


def test_a_folder_that_may_not_be_written(warm: Run, toy: Path, open_folder: Path) -> None:
    (open_folder / "mine").mkdir(mode=0o777)
    (open_folder / "mine").chmod(0o777)
    with as_nobody():
        failed = warm("paint", "a", "-m", str(toy), "-o", str(open_folder / "car.png"))
        fails(failed, "no permission .* Choose another folder")
        works(warm("paint", "a", "-m", str(toy), "-o", str(open_folder / "mine" / "car.png")))


def test_memory_that_is_too_short(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(refuse, "available_bytes", lambda: 1000)
    fails(edgevlo_run("paint", "a", "-m", "toy"), f"or set {refuse.IGNORE}=1 to try")
    monkeypatch.setenv(refuse.IGNORE, "1")
    works(edgevlo_run("paint", "a", "-m", "toy"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (LFS_NOTE.encode(), "it is the note of Git LFS in place of the file, which `git lfs pull` fetches"),
        (b"\0\0\0\x18ftypheic\0\0", "it is a HEIC file; save it as JPEG"),
        (b"\0\0\0\x18ftypavif\0\0", "it is an AVIF file; save it as JPEG"),
        (b"%PDF-1.7", "it is a PDF file; save the page as PNG"),
        (b'<?xml version="1.0"?><svg/>', "it is an SVG file; save it as PNG"),
        (b"<!DOCTYPE html><html>", "it is a page of the web; save the picture itself"),
        (b"<!doctype html>\n<html>", "it is a page of the web; save the picture itself"),
        (b"\xef\xbb\xbf<?xml version='1.0' encoding='UTF-8' standalone='no'?>\n<svg/>", "an SVG file; save it as PNG"),
        (b"\0\0\0\x20ftypmif1\0\0\0\0mif1avifmiaf", "it is an AVIF file; save it as JPEG"),
        (b"\0\0\0\x18ftyphevc\0\0", "it is a HEIC file; save it as JPEG"),
        (b"\0\0\0\x14ftypqt  ", "it is a video; save one of its pictures as PNG"),
        (b"\0\0\0\x0cJXL \r\n\x87\n", "it is a JPEG XL file; save it as JPEG"),
        (b"8BPS\0\1", "it is a Photoshop file; export it as PNG"),
        (b"PK\3\4", "it is an archive; unpack it"),
        (b"", "it is empty"),
        (b"hello", "no known format"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_what_is_not_a_picture(edgevlo_run: Run, content: bytes, message: str) -> None:
    Path("red.png").write_bytes(content)
    fails(edgevlo_run("ask", "red.png", "car", "-m", "toy"), message)

    Image.new("RGB", (20, 16), "red").save("red.png")
    works(edgevlo_run("ask", "red.png", "car", "-m", "toy"))


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (Image.new("1", (1, MAX_SIDE + 1)), "Scale it first"),
        (Image.new("F", (20, 16)), "save it as PNG or JPEG first"),
    ],
    ids=["long", "float"],
)
def test_a_picture_that_is_not_read(edgevlo_run: Run, picture: Image.Image, message: str) -> None:
    picture.save("red.tiff")
    fails(edgevlo_run("ask", "red.tiff", "car", "-m", "toy"), message)

    picture.convert("RGB").resize((20, 16)).save("red.png")
    works(edgevlo_run("ask", "red.png", "car", "-m", "toy"))


def test_a_kind_of_a_format_that_is_not_read(edgevlo_run: Run) -> None:
    Image.new("RGB", (20, 16), "red").save("red.bmp")
    content = bytearray(Path("red.bmp").read_bytes())
    content[30] = 6  # how its pixels are packed
    Path("red.bmp").write_bytes(content)
    fails(edgevlo_run("ask", "red.bmp", "car", "-m", "toy"), r"is of a kind that is not read .* Save it as PNG first")

    Image.new("RGB", (20, 16), "red").save("red.png")
    works(edgevlo_run("ask", "red.png", "car", "-m", "toy"))


def test_a_picture_of_no_pixels_is_not_to_be_scaled(edgevlo_run: Run) -> None:
    Image.new("RGB", (20, 16), "red").save("red.bmp")
    content = bytearray(Path("red.bmp").read_bytes())
    content[18:22] = b"\xff" * 4  # a width of -1
    Path("red.bmp").write_bytes(content)
    fails(edgevlo_run("ask", "red.bmp", "car", "-m", "toy"), "is -1x16 pixels, which is no picture. Choose another")
