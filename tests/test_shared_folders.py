"""What tests share is made once, whoever comes first, and stays as it was made."""

import multiprocessing
from pathlib import Path

import pytest
from shared_folders import shared_folder, unchanged


class Worker:
    """Stands for the factory of one worker."""

    def __init__(self, base: Path) -> None:
        self.base = base

    def getbasetemp(self) -> Path:
        return self.base


def fill(folder: Path) -> None:
    (folder / "file").write_text("made")
    with (folder.parent / "times").open("a") as times:
        times.write("x")


def take(root: Path, worker: str) -> None:
    (root / worker).mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTEST_XDIST_WORKER", worker)
        folder = shared_folder(Worker(root / worker), "thing", fill)
    assert (folder / "file").read_text() == "made"


def test_a_folder_is_made_once_by_processes_that_come_together(tmp_path: Path) -> None:
    workers = [multiprocessing.get_context("fork").Process(target=take, args=(tmp_path, f"gw{i}")) for i in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()

    assert [worker.exitcode for worker in workers] == [0] * 4
    assert (tmp_path / "shared" / "times").read_text() == "x"


def test_a_folder_whose_making_failed_is_not_taken_for_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTEST_XDIST_WORKER", raising=False)

    def broken(folder: Path) -> None:
        (folder / "half").touch()
        raise OSError("disk full")

    for _ in range(2):
        with pytest.raises(OSError, match="disk full"):
            shared_folder(Worker(tmp_path), "thing", broken)


def test_a_write_into_what_is_shared_is_found(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("one")
    with unchanged(tmp_path):
        (tmp_path / "file").read_text()
    with pytest.raises(AssertionError, match="a test wrote into"), unchanged(tmp_path):
        (tmp_path / "new").touch()
