"""What several folders of tests share: bundles, each made once, and the command line in a folder of its own."""

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Ran, Run
from toy_graphs import make_toy

from edgevlo.cli import run
from edgevlo.runtime.model import Model

pytest_plugins = ["exported", "serving_fixtures"]


@pytest.fixture(scope="session", autouse=True)
def home_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what is kept between runs out of the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("EDGEVLO_HOME", str(folder))
        yield folder


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the toy bundle (tests/support/toy_graphs.py); nobody changes it."""
    return make_toy(tmp_path_factory.mktemp("bundles") / "toy")


@pytest.fixture(scope="session")
def model(toy: Path) -> Model:
    """Return the toy bundle opened."""
    return Model.open(toy)


@pytest.fixture
def edgevlo_run(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command in an empty folder; the toy is installed there under its name."""
    home = tmp_path / "home"
    shutil.copytree(toy, home / "bundles" / "toy")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("EDGEVLO_HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")

    def call(*arguments: str) -> Ran:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call
