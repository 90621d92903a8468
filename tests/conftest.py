"""What several folders of tests share: bundles, each made once, and the command line in a folder of its own."""

import json
import shutil
import warnings
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkpoints import CARD, SHAPES, Shape, make_checkpoint
from command_line import Ran, Run
from toy_graphs import make_toy

from edgevlo.cli import run
from edgevlo.runtime.model import Model


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


@dataclass(frozen=True, slots=True)
class Exported:
    """One tiny checkpoint and the bundles made of it; nobody changes them."""

    shape: Shape
    checkpoint: Path
    portable: Path
    cpu: Path  # float32


@pytest.fixture(scope="session", params=SHAPES, ids=lambda shape: shape.name)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return each tiny checkpoint exported, once a session. Needs the toolchain."""
    from edgevlo.export import export_checkpoint
    from edgevlo.quantization import quantize

    folder = tmp_path_factory.mktemp(request.param.name)
    checkpoint = make_checkpoint(folder / "checkpoint", request.param)
    (checkpoint / "edgevlo.json").write_text(json.dumps(CARD))
    export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32")
    return Exported(request.param, checkpoint, folder / "portable", folder / "cpu")
