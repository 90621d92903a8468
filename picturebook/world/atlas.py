"""The tile atlas: every 16x16 patch that can occur, by name and number.

A tile's name is a tuple of words; its place in `TILES` is its code. The order is final: a trained checkpoint depends
on it. Pixels come from `atlas.png`, which `make_atlas.py` drew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .scene import COLOURS, KINDS, PLACES, SIGN_CHARACTERS, STYLES, TIMES

Name = tuple[str, ...]
CELL = 16  # px
CODES = 2944  # size of the codebook; rows after len(TILES) are never used
GROUNDS = (*PLACES, "line", "retro")
PARTS = ("tl", "tr", "bl", "br")
SKY = ("plain", "light", "cloud-l", "cloud-r", "rain-l", "rain-r", "rain-gap", "snow-l", "snow-r", "snow-gap")
HORIZON_PERIOD = 4
FRAME = ("tl", "tr", "bl", "br", "l", "r")
FOLDER = Path(__file__).resolve().parent


def _names() -> list[Name]:
    steps = [str(step) for step in range(HORIZON_PERIOD)]
    names: list[Name] = [("ground", ground) for ground in GROUNDS]
    names += [
        ("object", g, kind, colour, part) for g in GROUNDS for kind in KINDS for colour in COLOURS for part in PARTS
    ]
    names += [("hat", ground, colour, side) for ground in GROUNDS for colour in COLOURS for side in "lr"]
    names += [("sky", style, time, piece) for style in STYLES for time in TIMES for piece in SKY]
    names += [("horizon", s, place, time, k) for s in STYLES for place in PLACES for time in TIMES for k in steps]
    names += [("letter", character) for character in SIGN_CHARACTERS]
    names += [("seg-ground",), ("seg-sky",), ("seg-backdrop",), ("seg-sign",), ("seg-hat", "l"), ("seg-hat", "r")]
    names += [("seg-object", kind, part) for kind in KINDS for part in PARTS]
    names += [("edge-blank",), ("edge-hat", "l"), ("edge-hat", "r")]
    names += [("edge-object", kind, part) for kind in KINDS for part in PARTS]
    names += [("edge-light", time) for time in TIMES]
    names += [("edge-sky", piece) for piece in SKY[2:]]
    names += [("edge-horizon", place, k) for place in PLACES for k in steps]
    names += [("edge-letter", character) for character in SIGN_CHARACTERS]
    names += [("box-blank",)]
    names += [("box", kind, piece) for kind in KINDS for piece in FRAME]
    return names


TILES: tuple[Name, ...] = tuple(_names())
CODE: dict[Name, int] = {name: code for code, name in enumerate(TILES)}


@cache
def tiles() -> NDArray[np.uint8]:
    """The pictures of all tiles, (tiles, 16, 16, 3)."""
    with Image.open(FOLDER / "atlas.png") as image:
        sheet = np.asarray(image.convert("RGB"))
    rows, columns = sheet.shape[0] // CELL, sheet.shape[1] // CELL
    patches = sheet.reshape(rows, CELL, columns, CELL, 3).swapaxes(1, 2).reshape(-1, CELL, CELL, 3)
    return np.ascontiguousarray(patches[: len(TILES)])


def save(patches: NDArray[np.uint8], columns: int = 48) -> None:
    """Write atlas.png and atlas.json from (tiles, 16, 16, 3)."""
    rows = -(-len(patches) // columns)
    padded = np.zeros((rows * columns, CELL, CELL, 3), np.uint8)
    padded[: len(patches)] = patches
    sheet = padded.reshape(rows, columns, CELL, CELL, 3).swapaxes(1, 2).reshape(rows * CELL, columns * CELL, 3)
    Image.fromarray(sheet).save(FOLDER / "atlas.png", optimize=True)
    index = ["/".join(name) for name in TILES]
    (FOLDER / "atlas.json").write_text(json.dumps({"cell": CELL, "tiles": index}, indent=0) + "\n")


def pixels(codes: NDArray[np.integer]) -> NDArray[np.uint8]:
    """Render a grid of codes, (rows, columns) -> (rows * 16, columns * 16, 3): a table lookup."""
    rows, columns = codes.shape
    return np.asarray(tiles()[codes].swapaxes(1, 2).reshape(rows * CELL, columns * CELL, 3))
