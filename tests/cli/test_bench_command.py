"""`edgevlo bench`: figures that follow from each other, on the toy bundle."""

import json
from pathlib import Path

import pytest

from edgevlo import bench
from edgevlo.cli import run
from edgevlo.runtime.manifest.schema import read_manifest


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "_BLOCK", 1 << 16)


def test_figures_are_those_of_the_bundle(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", str(toy), "--pictures", "2", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    rows, columns = read_manifest(toy).grid.default
    assert found["name"] == read_manifest(toy).name
    assert found["codes"] == rows * columns
    assert found["times_floor"] == pytest.approx(found["step_ms"] / found["floor_ms"], rel=2e-3)
    # a picture is its rows and its decoding: about a step for each code
    assert found["picture_s"] >= found["decode_s"] > 0
    assert all(found[name] > 0 for name in ("open_s", "first_row_s", "step_ms", "peak_mb", "bandwidth_gb_s"))


def test_a_step_reads_all_weights_and_half_of_the_cache(toy: Path) -> None:
    manifest = read_manifest(toy)
    weights = sum((toy / name).stat().st_size for name in manifest.files if name.startswith(("backbone", "image_head")))
    shape, (rows, columns) = manifest.backbone, manifest.grid.default
    tokens = 64 + rows * columns // 2
    branches = len(manifest.guidance.branches)

    read = bench.step_bytes(manifest)

    assert read == weights + 2 * shape.layers * branches * shape.kv_heads * shape.head_dim * tokens * 4


def test_people_get_a_table(toy: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["bench", str(toy), "--pictures", "1"]) == 0

    printed = capsys.readouterr().out
    for word in ("open", "first row", "step", "picture", "peak memory", "memory floor"):
        assert f"\n{word}" in f"\n{printed}"
