import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO

import pytest

from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.files import check_writable, remove_folder, write_whole


def hello(file: IO[bytes]) -> None:
    file.write(b"hello")


def test_a_file_that_exists_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"an older and longer file")

    write_whole(path, hello)

    assert path.read_bytes() == b"hello"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_a_file_name_may_be_as_long_as_the_file_system_allows(tmp_path: Path) -> None:
    path = tmp_path / ("图" * 83 + ".png")  # 253 bytes

    write_whole(path, hello)

    assert path.read_bytes() == b"hello"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_interrupted_write_leaves_the_old_file_and_nothing_else(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")

    def write(file: IO[bytes]) -> None:
        file.write(b"half")
        raise error

    with pytest.raises(error):
        write_whole(path, write)

    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_a_full_disk_is_one_error_and_the_old_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "out.png"
    path.write_bytes(b"old")
    program = f"""
import resource
from pathlib import Path
from edgevlo.runtime.errors import OutputError
from edgevlo.runtime.files import write_whole
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))  # what is longer fails as on a full disk
try:
    write_whole(Path({str(path)!r}), lambda file: file.write(bytes(5000)))
except OutputError as error:
    print(error)
"""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ran.stdout == f"{path} cannot be written (File too large). What was there before is untouched.\n"
    assert path.read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["out.png"]


def test_a_missing_folder_is_named_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=rf"the folder {tmp_path}/none does not exist\. Make it first"):
        check_writable(tmp_path / "none" / "out.png")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=rf"{tmp_path} is a folder; name a file in it"):
        check_writable(tmp_path)


def test_a_device_is_never_replaced_by_a_file() -> None:
    with pytest.raises(OutputError, match="/dev/null is not a regular file"):
        check_writable(Path("/dev/null"))


def test_a_name_that_is_too_long_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot be written .*File name too long"):
        check_writable(tmp_path / ("x" * 300 + ".png"))


def test_a_folder_without_permission_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match=f"no permission to write in {tmp_path}"):
        check_writable(tmp_path / "out.png")


def test_permission_is_asked_of_the_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: (path, mode) != (tmp_path, os.W_OK))

    with pytest.raises(OutputError, match=f"no permission to write in {tmp_path}. Choose another folder"):
        check_writable(tmp_path / "out.png")
    check_writable(tmp_path.parent / "out.png")


def test_ctrl_c_while_a_folder_is_removed_does_not_leave_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, remove, calls = tmp_path / "folder", shutil.rmtree, list[Path]()
    (folder / "inside").mkdir(parents=True)

    def interrupted(path: Path, *, ignore_errors: bool) -> None:
        calls.append(path)
        if len(calls) == 1:
            raise KeyboardInterrupt
        remove(path, ignore_errors=ignore_errors)

    monkeypatch.setattr(shutil, "rmtree", interrupted)
    with pytest.raises(KeyboardInterrupt):
        remove_folder(folder)
    assert not folder.exists()
    remove_folder(folder)  # what is not there is no error
