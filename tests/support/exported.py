"""Tiny checkpoints and the bundles made of them, each made once a run. Needs the toolchain."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from broken_checkpoint import SHAPE
from emu3_checkpoints import CARD, SHAPES, Shape, make_checkpoint
from shared_folders import shared_folder, unchanged

from edgevlo.export import export_checkpoint
from edgevlo.quantization import quantize


@dataclass(frozen=True, slots=True)
class Exported:
    """One tiny checkpoint and the bundles made of it; nobody changes them."""

    shape: Shape
    checkpoint: Path
    portable: Path
    cpu: Path  # float32


def export_shape(shape: Shape, folder: Path) -> None:
    checkpoint = make_checkpoint(folder / "checkpoint", shape)
    (checkpoint / "edgevlo.json").write_text(json.dumps(CARD))
    export_checkpoint(checkpoint, folder / "portable")
    quantize(folder / "portable", folder / "cpu", target="cpu", weights="fp32", requests=0)


@pytest.fixture(scope="session", params=SHAPES, ids=lambda shape: shape.name)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Return each tiny checkpoint exported, once a run."""
    shape: Shape = request.param
    folder = shared_folder(tmp_path_factory, shape.name, lambda folder: export_shape(shape, folder))
    with unchanged(folder):
        yield Exported(shape, folder / "checkpoint", folder / "portable", folder / "cpu")


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a checkpoint to copy and break."""
    return make_checkpoint(tmp_path_factory.mktemp("checkpoint") / "whole", SHAPE)
