"""A tiny checkpoint to break, and how its refusal is asserted."""

import json
from pathlib import Path

import pytest
from emu3_checkpoints import Shape
from safetensors.torch import load_file, save_file

from edgevlo.export import export_checkpoint
from edgevlo.export.checkpoint.folder import INDEX, SINGLE
from edgevlo.runtime.errors import CheckpointError

SHAPE = Shape(name="broken", unshuffle=16, multipliers=(1,), layers=1, hidden=32, mlp=32, codes=64)


def change(path: Path, **values: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def shard(folder: Path) -> list[str]:
    """Split the weights into two files with an index, as large checkpoints come."""
    tensors = load_file(folder / SINGLE)
    names = sorted(tensors)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, held in parts.items():
        save_file({name: tensors[name] for name in held}, folder / file)
    (folder / SINGLE).unlink()
    index = {"weight_map": {name: file for file, held in parts.items() for name in held}}
    (folder / INDEX).write_text(json.dumps(index))
    return list(parts)


def refused(folder: Path, match: str) -> None:
    output = folder.parent / "bundle"
    with pytest.raises(CheckpointError, match=match) as caught:
        export_checkpoint(folder, output)
    assert "\n" not in str(caught.value)
    assert sorted(path.name for path in folder.parent.iterdir()) == ["checkpoint"]
