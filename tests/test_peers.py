"""The comparison with other engines: its ratios are those of its rounds, and what is absent says how to get it."""

import importlib
import json
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from statistics import median
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parent.parent / "benchmarks"
FIGURES: dict[str, Any] = json.loads((BENCHMARKS / "results" / "peers.json").read_text(encoding="utf-8"))["figures"]


@pytest.fixture
def peers(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(BENCHMARKS)
    return importlib.import_module("peers")


def test_ratios_are_those_of_the_rounds(peers: Any) -> None:
    assert peers.ratios(FIGURES["rounds"], FIGURES["floor_ms"]) == FIGURES["ratios"]
    ours, theirs = (FIGURES["rounds"][name] for name in ("edgevlo", "genai"))
    by_hand = median(a["step_ms"] / b["step_ms"] for a, b in zip(ours, theirs, strict=True))
    assert FIGURES["ratios"]["step/genai"] == pytest.approx(by_hand, rel=0.01)


def test_the_plot_has_a_line_for_every_engine(peers: Any) -> None:
    drawing = ElementTree.fromstring(peers.peer_plot.plot(FIGURES))
    lines = drawing.findall("{http://www.w3.org/2000/svg}polyline")
    assert len(lines) == len(FIGURES["rounds"])
    assert {len(line.attrib["points"].split()) for line in lines} == {23}  # rows behind the first


def test_an_absent_engine_says_how_to_get_it(peers: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "bundle").mkdir()
    notes = {name: engine.absent(tmp_path, engine.model(tmp_path)) for name, engine in peers.ENGINES.items()}
    assert all(note.endswith(f"--setup {name}") for name, note in notes.items())
    with pytest.raises(SystemExit, match="without EdgeVLo"):
        peers.measured(tmp_path, tmp_path / "nowhere", ["edgevlo", "genai"], 1, 1)
    assert "genai was left out: there is no python." in capsys.readouterr().err
