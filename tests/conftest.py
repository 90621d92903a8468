"""Bundles that several folders of tests share, each made once."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from checkpoints import CARD, SHAPES, Shape, make_checkpoint
from toy_bundle import make_toy

from edgevlo.runtime.model import Model


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of the toy bundle (tests/toy_bundle.py); nobody changes it."""
    return make_toy(tmp_path_factory.mktemp("bundles") / "toy")


@pytest.fixture(scope="session")
def model(toy: Path) -> Model:
    """Return the toy bundle opened."""
    return Model.open(toy)


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
