"""What several folders of tests share: the toy bundle, the command line in a folder of its own, and tests' kinds."""

import gc
import os
import shutil
import signal
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_line import Ran, Run
from markers import UNIT, kind_of
from toy_bundle import TOY

import edgevlo
from edgevlo.cli import run
from edgevlo.models.find import EMBEDDED_MODEL, default
from edgevlo.runtime.bundle import EMBEDDED, trial
from edgevlo.runtime.model import Model
from edgevlo.runtime.trial_process import rehearse

# A run in the background (nohup, `&`) ignores these, and so would the processes that tests send them to.
for _number, _usual in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _usual)


def only_units(config: pytest.Config) -> bool:
    return bool(config.getoption("markexpr") == UNIT)


def pytest_configure(config: pytest.Config) -> None:
    if not only_units(config):
        for plugin in ("every_family", "exported", "serving_fixtures", "tensorrt_fixtures"):
            config.pluginmanager.import_plugin(plugin)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave modules that import the toolchain alone when only units are asked for: it need not be there."""
    is_module = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if only_units(config) and is_module and kind_of(collection_path) != UNIT else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        item.add_marker(kind_of(item.path))


def pytest_collection_finish() -> None:
    gc.freeze()  # modules and tests stay: looking for garbage among them, again and again, takes a tenth of the time


@pytest.fixture(scope="session", autouse=True)
def home_of_tests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep what is kept between runs out of the home of who runs the tests."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("home")
        patch.setenv("EDGEVLO_HOME", str(folder))
        patch.setenv("EDGEVLO_TRIAL", "0")  # tests/runtime/test_trial.py has those that are about it
        patch.setenv("EDGEVLO_SELF_CHECK", "0")  # and tests/runtime/test_self_check.py
        patch.setattr(os, "fsync", lambda _: None)  # only a power cut could tell, and waiting for the disk takes long
        yield folder


@pytest.fixture(scope="session")
def toy() -> Path:
    """Return the folder of the toy bundle; nobody changes it."""
    return TOY


@pytest.fixture(scope="session")
def model(toy: Path) -> Model:
    """Return the toy bundle opened."""
    return Model.open(toy)


@pytest.fixture(scope="session")
def embedded() -> Model:
    """Return the embedded model opened, which takes longer than painting with it."""
    return edgevlo.load()


@pytest.fixture
def embedded_is_open(embedded: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    """Give commands that use the embedded model the one that was opened before."""
    load, names = edgevlo.load, {None, EMBEDDED_MODEL, EMBEDDED / EMBEDDED_MODEL}

    def load_other(model: str | Path | None = None, *, threads: int = 0) -> Model:
        return embedded if (model or default()) in names else load(model, threads=threads)

    monkeypatch.setattr(edgevlo, "load", load_other)


@pytest.fixture
def edgevlo_run(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs one command in an empty folder; the toy is installed there under its name.

    What commands try out is tried in this process: tests/runtime/test_trial.py has the process that does it.
    """
    home = tmp_path / "home"
    shutil.copytree(toy, home / "bundles" / "toy")
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("EDGEVLO_HOME", str(home))
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setattr(trial, "try_out", lambda folder, _size: rehearse(folder))

    def call(*arguments: str) -> Ran:
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = run(arguments)
        return Ran(code, *capsys.readouterr())

    return call
