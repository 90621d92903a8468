"""Fingerprints: copies are found again, strangers and plain pictures are not, and sources are told from edits."""

import io
import json
import stat
import warnings
from pathlib import Path

import numpy as np
import pytest
from command_line import Run, fails
from photographs import photograph, soft_noise
from PIL import Image

import edgevlo
from edgevlo.runtime.arrays import Codes
from edgevlo.runtime.errors import AbilityError
from edgevlo.runtime.fingerprints.log import Entry, append, read
from edgevlo.runtime.fingerprints.painted_here import PaintedHere
from edgevlo.runtime.fingerprints.search import Found, search
from edgevlo.runtime.fingerprints.similarity import hashes, shares, weights

CELL, COUNT = 8, 4096
BITS = hashes(COUNT)


def encode(picture: Image.Image) -> Codes:
    """Return a code for the mean colour of every cell: 16 levels of each channel."""
    rows, columns = picture.height // CELL, picture.width // CELL
    cells = np.asarray(picture, dtype=np.float64).reshape(rows, CELL, columns, CELL, 3).mean(axis=(1, 3))
    red, green, blue = np.moveaxis((cells / 16).astype(np.int32), -1, 0)
    return np.asarray(red * 256 + green * 16 + blue, dtype=np.int32)


def mosaic(seed: int, rows: int = 8, columns: int = 8) -> Image.Image:
    """Return cells of random colours, each far from the edges of its level."""
    levels = np.random.default_rng(seed).integers(0, 16, (rows, columns, 3), dtype=np.uint8) * 16 + 8
    return Image.fromarray(levels).resize((columns * CELL, rows * CELL), Image.Resampling.NEAREST)


def entry(picture: Image.Image, day: str = "2026-11-30", *, is_painted: bool = True) -> Entry:
    return Entry(is_painted, day, BITS[encode(picture)])


def look(picture: Image.Image, *entries: Entry) -> Found:
    return search(picture, entries, encode, BITS, CELL)


def test_codes_are_hashed_evenly_into_four_bits() -> None:
    times = np.bincount(BITS)

    assert len(times) == 16
    assert times.min() > COUNT / 16 * 0.75


def test_what_fills_many_cells_counts_as_one() -> None:
    codes = np.array([[7] * 6, [7] * 6, [1, 2, 3, 7, 7, 7]], dtype=np.int32)
    other = np.full((1, 3, 6), 15, dtype=np.uint8)
    table = np.array([0, 1, 2, 3, 0, 0, 0, 15], dtype=np.uint8)

    (share,) = shares(table[codes], weights(codes), other)

    assert weights(codes).sum() == pytest.approx(4), "distinct codes"
    assert share == pytest.approx(1 / 4), "15 of 18 cells are equal, and one of four codes"


def test_a_copy_is_found_in_any_size_and_the_right_one_of_many() -> None:
    log = [entry(mosaic(seed), f"day {seed}") for seed in range(20)]

    for copy in (mosaic(5), mosaic(5).resize((256, 256), Image.Resampling.NEAREST), mosaic(5).resize((65, 63))):
        found = look(copy, *log)
        assert found.entry is not None
        assert (found.is_match, found.piece, found.entry.day) == (True, False, "day 5")


def test_a_piece_is_found_wherever_it_was_cut_out() -> None:
    log = [entry(mosaic(seed), f"day {seed}") for seed in range(20)]

    for box in ((0, 0, 40, 40), (3, 5, 60, 64), (17, 1, 49, 44)):
        found = look(mosaic(5).crop(box), *log)
        assert found.entry is not None
        assert (found.is_match, found.piece, found.entry.day) == (True, True, "day 5")


def test_strangers_are_not_found() -> None:
    log = [entry(mosaic(seed)) for seed in range(200)]

    for stranger in (mosaic(999), mosaic(998).crop((3, 3, 60, 60)), photograph(64, 64), soft_noise(64, 64, 1)):
        assert not look(stranger, *log).is_match


def test_what_is_too_plain_is_not_told_apart() -> None:
    plain = Image.new("RGB", (64, 64), (40, 40, 40))
    found = look(plain, entry(plain))

    assert (found.share, found.distinct, found.is_match) == (1.0, 1, False)
    assert found.told() == "too plain to tell (100% of 1 distinct codes equal)"
    assert look(plain).told() == "no picture in the log that it could be compared with"


def test_a_picture_of_other_proportions_is_compared_with_none() -> None:
    assert look(mosaic(1, 8, 16), entry(mosaic(1, 8, 8))).entry is None


def test_the_source_of_an_edit_is_told_from_the_edit() -> None:
    edited = mosaic(1).copy()
    edited.paste((200, 10, 10), (0, 0, 16, 8))  # two of 64 cells
    log = [entry(mosaic(1), is_painted=False), entry(edited)]

    assert look(mosaic(1), *log).facts()["match"] == "source"
    assert look(edited, *log).facts()["match"] == "painted"


def test_a_log_is_read_as_it_was_written_and_half_a_line_costs_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder" / "log.jsonl"
    append(path, [entry(mosaic(1), is_painted=False), entry(mosaic(2, 5, 9))])
    with path.open("a") as file:
        file.write('\n{"kind": "painted", "day": "2026')  # the power was cut here
    append(path, [entry(mosaic(3))])

    entries = read(path)

    assert [one.is_painted for one in entries] == [False, True, True]
    assert [one.bits.shape for one in entries] == [(8, 8), (5, 9), (8, 8)]
    assert np.array_equal(entries[2].bits, BITS[encode(mosaic(3))])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("line", ["[]", "{}", "1", '{"rows": 1, "columns": 9, "cells": "0", "day": "", "kind": ""}',
                                  '{"rows": 1, "columns": 1, "cells": "x", "day": "", "kind": ""}',
                                  '{"rows": 1e99, "columns": 1, "cells": "0", "day": "", "kind": ""}'])  # fmt: skip
def test_lines_that_are_none_are_left_out(tmp_path: Path, line: str) -> None:
    (tmp_path / "log").write_text(line)

    assert read(tmp_path / "log") == []


@pytest.fixture
def picturebook(embedded: edgevlo.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> edgevlo.Model:
    """Return the embedded model, whose log is empty."""
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))
    return embedded


def test_picturebook_s_pictures_are_found_after_jpeg_and_other_sizes(picturebook: edgevlo.Model) -> None:
    painted = [picturebook.paint(words, seed=7) for words in ("three cats and a red bus", "two dogs at night, a tree")]
    log = PaintedHere(picturebook)
    for picture in painted:
        log.note(picture)
    copy = io.BytesIO()
    painted[0].resize((96, 96)).save(copy, "JPEG", quality=75)

    assert log.find(copy).facts()["match"] == "painted"
    assert log.find(photograph()).facts()["match"] is None


@pytest.mark.usefixtures("embedded_is_open")
def test_the_command_line_notes_pictures_and_finds_them(edgevlo_run: Run, tmp_path: Path) -> None:
    words = "three cats and a red bus at night"
    assert edgevlo_run("paint", words, "-m", "picturebook", "--fingerprint", "--seed", "3", "-o", "a.png").code == 0
    with Image.open("a.png") as image:
        image.convert("RGB").save("bare.png")  # no mark is left

    told = edgevlo_run("inspect", "bare.png", "--fingerprint", "-m", "picturebook")

    assert "does not say that an AI made it" in told.out
    assert "fingerprint          one that was painted here on 20" in told.out
    facts = json.loads(edgevlo_run("inspect", "bare.png", "--fingerprint", "--json", "-m", "picturebook").out)
    assert facts["fingerprint"]["match"] == "painted"
    assert json.loads(edgevlo_run("inspect", "bare.png", "--json").out)["fingerprint"] is None


def test_an_edited_photograph_is_told_from_its_edit(picturebook: edgevlo.Model) -> None:
    log, source = PaintedHere(picturebook), picturebook.paint("a dog, a red car and a house with a tree", seed=1)
    source = Image.fromarray(np.asarray(source))  # somebody's own: no mark says otherwise
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        log.note(picturebook.edit(source, "make it night"), [source])

    assert log.find(source).facts()["match"] == "source"


def test_a_model_without_an_image_tokenizer_says_so(model: edgevlo.Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(model.manifest.graphs, "image_tokenizer")

    with pytest.raises(AbilityError, match="no image tokenizer"):
        PaintedHere(model)


def test_a_log_that_cannot_be_written_is_an_error_before_anything_is_painted(
    edgevlo_run: Run, toy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("file").write_text("")
    monkeypatch.setenv("EDGEVLO_HOME", "file")

    fails(edgevlo_run("paint", "a red car", "-m", str(toy), "--fingerprint", "-o", "a.png"), "cannot be written")
    assert not Path("a.png").exists()
