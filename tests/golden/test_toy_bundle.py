"""The toy bundle in tests/support/toy, a bundle of an earlier day, and what it was recorded to paint and to say.

`python tests/support/toy_graphs.py` writes the bundle anew where the format or the graphs are meant to change, and
`python tests/support/toy_outputs.py` what comes of it.
"""

import json
from pathlib import Path

from toy_bundle import TOY
from toy_graphs import make_toy
from toy_outputs import RECORDED, outputs

from edgevlo.runtime.model import Model


def test_its_maker_writes_it_file_for_file(tmp_path: Path) -> None:
    made = make_toy(tmp_path / "toy")

    assert sorted(path.name for path in made.iterdir()) == sorted(path.name for path in TOY.iterdir())
    for path in made.iterdir():
        assert path.read_bytes() == (TOY / path.name).read_bytes(), path.name


def test_what_it_paints_and_says_is_what_was_recorded(model: Model) -> None:
    assert outputs(model) == json.loads(RECORDED.read_text(encoding="utf-8"))
