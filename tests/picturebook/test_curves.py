"""Curves of several starts are set one after the other."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image

pytest.importorskip("matplotlib")

from edgevlo.picturebook.training import curves


def written(path: Path, *lines: dict[str, object]) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def probed(minutes: float, tokens: int, share: float) -> dict[str, object]:
    return {"minutes": minutes, "tokens": tokens, "probe": dict.fromkeys(curves.SHOWN, share)}


def test_starts_follow_each_other_and_lines_of_the_older_form_only_count(tmp_path: Path) -> None:
    first = written(tmp_path / "first.jsonl", {"minutes": 2, "tokens": 100}, {"minutes": 4, "tokens": 200})
    second = written(tmp_path / "second.jsonl", probed(4, 150, 0.25), probed(8, 300, 0.5), probed(4, 160, 0.75))

    lines = curves.load((first, second))

    assert [(line["minutes"], line["tokens"]) for line in lines] == [(8, 350), (12, 500), (16, 660)]
    assert curves.table(lines).splitlines()[-1].startswith("| 16 | 0.0 | 0.75 |")


def test_the_command_draws_a_picture_and_prints_a_table(tmp_path: Path) -> None:
    file = written(tmp_path / "curve.jsonl", *(probed(minute, 10 * minute, minute / 40) for minute in range(1, 40)))

    result = CliRunner().invoke(curves.main, [str(file), "-o", str(tmp_path / "curve.png")])

    assert result.exit_code == 0
    assert len(result.output.strip().splitlines()) == 14
    with Image.open(tmp_path / "curve.png") as picture:
        assert picture.size == (630, 360)


def test_files_without_a_probe_are_refused_in_one_line(tmp_path: Path) -> None:
    file = written(tmp_path / "old.jsonl", {"minutes": 2, "tokens": 100})

    result = CliRunner().invoke(curves.main, [str(file), "-o", str(tmp_path / "curve.png")])

    assert result.exit_code == 1
    assert "no line with a probe" in result.output
