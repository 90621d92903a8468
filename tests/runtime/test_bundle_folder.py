import errno
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edgevlo.runtime.bundle import open_bundle, seal, staged_folder
from edgevlo.runtime.errors import BundleError, OutputError
from edgevlo.runtime.manifest.schema import read_manifest


@pytest.fixture
def copy(toy: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy, tmp_path / "copy"))


def test_a_whole_bundle_opens(toy: Path) -> None:
    bundle = open_bundle(toy)

    assert bundle.path("tokenizer.json") == toy / "tokenizer.json"
    assert len(bundle.digest) == 64
    assert set(bundle.manifest.files) == {path.name for path in toy.iterdir()} - {"manifest.json"}


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def link(path: Path) -> None:
    path.rename(path.parent.parent / path.name)
    path.symlink_to(path.parent.parent / path.name)


def folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", ["backbone.onnx", "backbone.onnx.data", "tokenizer.json", "LICENCE.txt"])
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (Path.unlink, r"cannot be read \(No such file or directory\)"),
        (cut, r"has \d+ bytes, manifest.json says \d+"),
        (change, r"was changed: its SHA-256 is not the one in manifest.json"),
        (link, r"is a link; a bundle may contain only regular files"),
        (folder, r"has \d+ bytes, manifest.json says \d+"),
    ],
)
def test_a_file_that_is_not_as_listed_is_named(
    copy: Path, name: str, damage: Callable[[Path], object], reason: str
) -> None:
    damage(copy / name)

    with pytest.raises(BundleError, match=rf"^{copy / name} {reason}.*Export or download the bundle again\.$"):
        open_bundle(copy)


@pytest.mark.parametrize("name", ["extra.bin", "deep/er/extra.bin", ".hidden", "weights.onnx.data"])
def test_a_file_that_is_not_listed_is_refused(copy: Path, name: str) -> None:
    (copy / name).parent.mkdir(parents=True, exist_ok=True)
    (copy / name).write_bytes(b"x")

    with pytest.raises(BundleError, match=rf"^{copy / name} is not listed in manifest.json. Remove it"):
        open_bundle(copy)


def test_a_linked_folder_is_refused(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (copy / "sub").symlink_to(tmp_path / "elsewhere")

    with pytest.raises(BundleError, match=rf"^{copy}/sub is a link"):
        open_bundle(copy)


def test_a_pipe_is_refused_instead_of_waited_for(copy: Path) -> None:
    tree = json.loads((copy / "manifest.json").read_text())
    tree["files"]["LICENCE.txt"]["bytes"] = 0
    (copy / "manifest.json").write_text(json.dumps(tree))
    (copy / "LICENCE.txt").unlink()
    os.mkfifo(copy / "LICENCE.txt")

    with pytest.raises(BundleError, match=r"LICENCE\.txt is not a regular file"):
        open_bundle(copy)


def test_the_digest_names_the_content(toy: Path, copy: Path) -> None:
    before = open_bundle(copy).digest
    (copy / "LICENCE.txt").write_text("other terms\n")
    (copy / "manifest.json").unlink()
    seal(copy, read_manifest(toy))

    assert before == open_bundle(toy).digest
    assert open_bundle(copy).digest != before


# Writing.


def test_a_folder_appears_whole_under_its_name(tmp_path: Path) -> None:
    with staged_folder(tmp_path / "new") as staging:
        (staging / "deep").mkdir()
        (staging / "deep" / "file").write_text("x")
        assert not (tmp_path / "new").exists()

    assert (tmp_path / "new" / "deep" / "file").read_text() == "x"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
    assert (tmp_path / "new").stat().st_mode & 0o777 == 0o755


def stage(destination: Path, then: Callable[[], object]) -> None:
    with staged_folder(destination) as staging:
        (staging / "file").write_text("ours")
        then()


def raising(error: BaseException) -> Callable[[], object]:
    def fail() -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, BundleError])
def test_an_interrupted_folder_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    with pytest.raises(error):
        stage(tmp_path / "new", raising(error()))

    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_full_disk_is_an_output_error_and_leaves_nothing(tmp_path: Path) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "some file")

    with pytest.raises(OutputError, match=r"/new cannot be written \(No space left on device\)\. Nothing was left"):
        stage(tmp_path / "new", raising(full))

    assert [path.name for path in tmp_path.iterdir()] == []


def test_a_file_too_large_for_the_disk_leaves_nothing(tmp_path: Path) -> None:
    program = f"""
import resource
from pathlib import Path
from edgevlo.runtime.bundle import staged_folder
from edgevlo.runtime.errors import OutputError
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
try:
    with staged_folder(Path({str(tmp_path / "new")!r})) as staging:
        (staging / "small").write_bytes(bytes(10))
        (staging / "large").write_bytes(bytes(5000))
except OutputError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout == f"{tmp_path}/new cannot be written (File too large). Nothing was left there.\n"
    assert [path.name for path in tmp_path.iterdir()] == []


@pytest.mark.parametrize("kind", ["folder", "file", "link"])
def test_what_exists_is_refused_before_any_work(tmp_path: Path, kind: str) -> None:
    there = tmp_path / "there"
    if kind == "link":
        there.symlink_to("nowhere")
    else:
        there.mkdir() if kind == "folder" else there.touch()

    with pytest.raises(OutputError, match="exists already; bundles are never overwritten"), staged_folder(there):
        pytest.fail("the work was begun")

    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [("none/new", "No such file or directory"), ("file/new", "Not a directory"), ("x" * 300, "File name too long")],
)
def test_a_place_that_cannot_hold_a_folder_says_why(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(OutputError, match=rf"cannot be written \({reason}\)"), staged_folder(tmp_path / name):
        pytest.fail("the work was begun")


def test_a_folder_made_meanwhile_loses_nothing(tmp_path: Path) -> None:
    def meanwhile() -> None:
        (tmp_path / "new").mkdir()
        (tmp_path / "new" / "file").write_text("theirs")

    with pytest.raises(OutputError, match="was made by another process meanwhile"):
        stage(tmp_path / "new", meanwhile)

    assert (tmp_path / "new" / "file").read_text() == "theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["new"]
