"""`edgevlo paint` and `decode`: what is written, what is printed, and which options reach the model."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command_line import Run, fails, files
from PIL import Image

from edgevlo.runtime.model import Model


def test_paint_writes_a_picture_and_says_where(edgevlo_run: Run, model: Model) -> None:
    ran = edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "3")

    assert ran.code == 0
    assert re.fullmatch(r"out\.png  20x16  \d+\.\d\d s\n", ran.out)
    assert ran.err == ""
    assert files() == ["out.png"]
    with Image.open("out.png") as image:
        assert image.tobytes() == model.paint("a red car", seed=3).tobytes()
        assert "Seed: 3, " in str(image.info["parameters"])


def test_every_option_reaches_the_model(edgevlo_run: Run, model: Model) -> None:
    ran = edgevlo_run(
        "paint", "a red car", "-m", "toy", "-o", "a.png", "--size", "16x24", "--seed", "5", "--guidance-scale", "3",
        "--temperature", "0.5", "--top-k", "9", "--top-p", "0.8", "--negative-prompt", "big",
    )  # fmt: skip

    assert ran.code == 0
    with Image.open("a.png") as image:
        assert image.info["parameters"] == (
            "a red car\nNegative prompt: big\nSteps: 24, Sampler: raster, CFG scale: 3.0, Temperature: 0.5, Top-k: 9, "
            f"Top-p: 0.8, Seed: 5, Size: 16x24, Model hash: {model.bundle.digest[:10]}, Model: toy"
        )
        expected = model.paint("a red car", size=(16, 24), seed=5, guidance_scale=3, temperature=0.5, top_k=9,
                               top_p=0.8, negative_prompt="big")  # fmt: skip
        assert image.tobytes() == expected.tobytes()


def test_an_existing_picture_is_overwritten(edgevlo_run: Run) -> None:
    Path("out.png").write_text("old")

    assert edgevlo_run("paint", "a car", "-m", "toy").code == 0
    with Image.open("out.png") as image:
        assert image.size == (20, 16)


def test_several_pictures_are_numbered_and_their_seeds_counted_up(edgevlo_run: Run, model: Model) -> None:
    ran = edgevlo_run("paint", "a red car", "-m", "toy", "-n", "3", "--seed", "7", "-o", "car.png", "--codes", "c.npy")

    assert ran.code == 0
    assert files() == ["c-1.npy", "c-2.npy", "c-3.npy", "car-1.png", "car-2.png", "car-3.png"]
    assert [line.split()[0] for line in ran.out.splitlines()] == ["car-1.png", "car-2.png", "car-3.png"]
    for number in (1, 2, 3):
        with Image.open(f"car-{number}.png") as image:
            assert image.tobytes() == model.paint("a red car", seed=6 + number).tobytes()


def test_codes_are_written_and_decode_to_the_same_picture(edgevlo_run: Run) -> None:
    assert edgevlo_run("paint", "a red car", "-m", "toy", "--codes", "c.npy").code == 0
    codes = np.load("c.npy")
    assert codes.dtype == np.int32
    assert codes.shape == (4, 5)

    ran = edgevlo_run("decode", "c.npy", "-m", "toy", "-o", "again.png")

    assert (ran.code, ran.out, ran.err) == (0, "again.png\n", "")
    with Image.open("again.png") as again, Image.open("out.png") as first:
        assert again.tobytes() == first.tobytes()


def test_json_is_one_object_a_picture(edgevlo_run: Run) -> None:
    ran = edgevlo_run("paint", "一辆红车", "-m", "toy", "-n", "2", "--seed", "1", "--json")

    facts = [json.loads(line) for line in ran.out.splitlines()]
    assert [fact["file"] for fact in facts] == ["out-1.png", "out-2.png"]
    assert all(fact["size"] == [20, 16] and fact["seconds"] >= 0 for fact in facts)
    assert facts[1]["parameters"].startswith("一辆红车\n")
    assert "Seed: 2" in facts[1]["parameters"]


def test_watch_paints_every_row_once(edgevlo_run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "10")
    monkeypatch.setattr("click.utils.should_strip_ansi", lambda *_: False)

    ran = edgevlo_run("paint", "a red car", "-m", "toy", "--seed", "3", "--watch")

    *rows, last = ran.out.splitlines()
    assert last.startswith("out.png  20x16")
    assert len(rows) == 4
    with Image.open("out.png") as image:  # a character is two pixels wide and four high, half a cell wide
        colours = [";".join(map(str, image.getpixel((x, 0)))) for x in range(0, 20, 2)]  # type: ignore[arg-type]
    assert rows[0] == "".join(f"\x1b[38;2;{one}m\x1b[48;2;{one}m▀" for one in colours) + "\x1b[0m"
    assert all(row.count("▀") == 10 and row.endswith("\x1b[0m") for row in rows)


def test_watch_and_json_exclude_each_other(edgevlo_run: Run) -> None:
    ran = edgevlo_run("paint", "a car", "-m", "toy", "--watch", "--json")

    assert ran.code == 2
    assert "--watch" in ran.err
    assert files() == []


def test_a_file_cannot_hold_picture_and_codes(edgevlo_run: Run) -> None:
    ran = edgevlo_run("paint", "a car", "-m", "toy", "--codes", "./out.png")

    assert ran.code == 2
    assert "out.png cannot hold both the picture and its codes" in ran.err
    assert files() == []


@pytest.mark.parametrize(
    ("write", "pattern"),
    [
        (lambda path: None, "No such file"),
        (lambda path: path.write_bytes(b""), "is not a plain NumPy array"),
        (lambda path: path.write_bytes(b"words"), "is not a plain NumPy array"),
        (lambda path: np.save(path, np.array([{}], dtype=object), allow_pickle=True), "is not a plain NumPy array"),
        (lambda path: np.save(path, np.zeros((2, 2))), "is not a grid of whole numbers"),
        (lambda path: np.save(path, np.zeros(4, dtype=int)), r"codes are a grid .*\[4\]"),
        (lambda path: np.save(path, np.full((2, 2), 27)), "codes run from 0 to 26"),
        (lambda path: np.save(path, np.full((2, 2), 2**63, dtype=np.uint64)), "codes run from 0 to 26"),
        (lambda path: path.mkdir(), "Is a directory"),
        (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(40)), "is not a plain NumPy array"),
        (lambda path: path.write_bytes(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<i8', 'fortran_order': False, 'shape': "
                                       b"(99999999, 99999999), }" + b" " * 46 + b"\n"), "is not a plain NumPy array"),
    ],
)  # fmt: skip
def test_codes_that_are_none_are_one_line(edgevlo_run: Run, write: Callable[[Path], Any], pattern: str) -> None:
    write(Path("c.npy"))

    fails(edgevlo_run("decode", "c.npy", "-m", "toy"), pattern)
    assert "out.png" not in files()


def test_an_archive_of_arrays_is_no_code_grid(edgevlo_run: Run) -> None:
    np.savez("c.npz", a=np.zeros((2, 2), dtype=int))

    fails(edgevlo_run("decode", "c.npz", "-m", "toy"), "is not a plain NumPy array")
