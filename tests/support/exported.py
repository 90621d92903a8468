"""Tiny checkpoints and the bundles made of them, each made once a session. Needs the toolchain."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from broken_checkpoint import SHAPE
from checkpoints import CARD, SHAPES, Shape, make_checkpoint

from edgevlo.export import export_checkpoint
from edgevlo.quantization import quantize


@dataclass(frozen=True, slots=True)
class Exported:
    """One tiny checkpoint and the bundles made of it; nobody changes them."""

    shape: Shape
    checkpoint: Path
    portable: Path
    cpu: Path  # float32


@pytest.fixture(scope="session", params=SHAPES, ids=lambda shape: shape.name)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """Return each tiny checkpoint exported, once a session."""
    folder = tmp_path_factory.mktemp(request.param.name)
    checkpoint = make_checkpoint(folder / "checkpoint", request.param)
    (checkpoint / "edgevlo.json").write_text(json.dumps(CARD))
    export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32")
    return Exported(request.param, checkpoint, folder / "portable", folder / "cpu")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint to copy and break."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "whole", SHAPE)
