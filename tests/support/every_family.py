"""A tiny checkpoint of every family with its own defaults, and the portable bundles made of them, each once a run."""

import json
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest
from chameleon_checkpoints import TURN, ChameleonShape, make_chameleon
from emu3_checkpoints import Shape, make_checkpoint
from janus_checkpoints import JanusShape, make_janus
from one_vocabulary_checkpoints import TextShape, make_text_model
from shared_folders import shared_folder

from edgevlo.export import export_checkpoint

PortableOf = Callable[[str], Path]

_JANUS: Final = JanusShape(name="tiny", layers=1, hidden=32, heads=2, kv_heads=2, mlp=32, codes=64, side=3,
                           multipliers=(1, 1, 1, 1, 1), vision_layers=1)  # fmt: skip
_LUMINA: Final = ChameleonShape(name="tiny", layers=1, hidden=32, heads=2, kv_heads=2, mlp=32, multipliers=(1, 1),
                                decoder="file", max_positions=160)  # fmt: skip


def _anole(folder: Path) -> Path:
    """Make a Chameleon whose task card has a top-p for one ability alone."""
    shape = ChameleonShape(name="tiny", layers=1, hidden=32, heads=2, kv_heads=2, mlp=32, multipliers=(1, 1), side=4,
                           max_positions=160)  # fmt: skip
    checkpoint = make_chameleon(folder, shape)
    card: dict[str, Any] = {
        "sampling": {"temperature": 0.9},
        "abilities": {
            "paint": {
                "prompt": [{"field": "text"}, {"token": TURN}],
                "output": "image",
                "sampling": {"temperature": 0.7, "top_p": 0.9},
            },
            "ask": {
                "prompt": [{"field": "images"}, {"field": "text"}, {"token": TURN}],
                "output": "text",
                "images": [1, 2],
            },
        },
    }
    (checkpoint / "edgevlo.json").write_text(json.dumps(card))
    return checkpoint


def _emu3(folder: Path) -> Path:
    shape = Shape(name="tiny", unshuffle=8, multipliers=(1,), layers=1, hidden=32, mlp=32, max_positions=512)
    return make_checkpoint(folder, shape)


MAKERS: Final[dict[str, Callable[[Path], Path]]] = {
    "emu3": _emu3,
    "Janus-4o-7B": lambda folder: make_janus(folder, _JANUS),
    "anole": _anole,
    "Lumina-mGPT-7B-512-Omni": lambda folder: make_chameleon(folder, _LUMINA),
    "liquid": lambda folder: make_text_model(
        folder,
        TextShape(name="tiny", kind="liquid", layers=1, hidden=32, heads=2, kv_heads=1, multipliers=(1, 1), codes=5000),
    ),
    "simplear": lambda folder: make_text_model(
        folder, TextShape(name="tiny", kind="simplear", layers=1, hidden=32, heads=2, kv_heads=1, multipliers=(1,))
    ),
}


@pytest.fixture(scope="session")
def portable_of(tmp_path_factory: pytest.TempPathFactory) -> PortableOf:
    """Return a function that gives a family's portable bundle; nobody changes it."""

    def make(name: str, folder: Path) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export_checkpoint(MAKERS[name](folder / name), folder / "portable")

    return lambda name: shared_folder(tmp_path_factory, f"own-{name}", lambda folder: make(name, folder)) / "portable"
