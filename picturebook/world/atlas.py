"""The tile atlas: every 16x16 patch that can occur, by name and number.

A tile's name is a tuple of words; its place in `TILES` is its code. The order is final: a trained checkpoint depends
on it. Pixels come from `atlas.png`, which `make_atlas.py` drew.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .scene import CLIPART, COLOURABLE, COLOURS, OWN, PLACES, SIGN_CHARACTERS, STYLES, TIMES

Name = tuple[str, ...]
CELL = 16  # px
CODES = 14080  # size of the codebook; rows after len(TILES) are never used
GROUNDS = ("meadow", "city", "beach", "snow", *STYLES[1:])
PARTS = ("tl", "tr", "bl", "br")
SKY = ("plain", "light", "cloud-l", "cloud-r", "rain-l", "rain-r", "rain-gap", "snow-l", "snow-r", "snow-gap")
HORIZON_PERIOD = 4
STEPS = tuple(str(step) for step in range(HORIZON_PERIOD))
FRAME = ("tl", "tr", "bl", "br", "l", "r")
FOLDER = Path(__file__).resolve().parent


def _names() -> list[Name]:
    """The first edition's tiles, then those of everything that came to the world later."""
    grounds, places, styles = GROUNDS[:6], PLACES[:4], STYLES[:3]
    names = _grounds(grounds, COLOURABLE)
    names += _skies(styles)
    names += _horizons(product(styles, places))
    names += [("letter", character) for character in SIGN_CHARACTERS]
    names += [("seg-ground",), ("seg-sky",), ("seg-backdrop",), ("seg-sign",), ("seg-hat", "l"), ("seg-hat", "r")]
    names += [("seg-object", kind, part) for kind in COLOURABLE for part in PARTS]
    names += [("edge-blank",), ("edge-hat", "l"), ("edge-hat", "r")]
    names += [("edge-object", kind, part) for kind in COLOURABLE for part in PARTS]
    names += [("edge-light", time) for time in TIMES]
    names += [("edge-sky", piece) for piece in SKY[2:]]
    names += [("edge-horizon", place, k) for place in places for k in STEPS]
    names += [("edge-letter", character) for character in SIGN_CHARACTERS]
    names += [("box-blank",)]
    names += [("box", kind, piece) for kind in COLOURABLE for piece in FRAME]

    names += _grounds(GROUNDS[6:], COLOURABLE)
    names += _skies(STYLES[3:])
    names += _horizons(pair for pair in product(STYLES, PLACES) if pair[0] not in styles or pair[1] not in places)
    names += [("edge-horizon", place, k) for place in PLACES[4:] for k in STEPS]
    for kind in CLIPART:
        names += [("object", ground, kind, OWN, part) for ground in GROUNDS for part in PARTS]
        names += [(layer, kind, part) for layer in ("seg-object", "edge-object") for part in PARTS]
        names += [("box", kind, piece) for piece in FRAME]
    return names


def _grounds(grounds: tuple[str, ...], kinds: tuple[str, ...]) -> list[Name]:
    names: list[Name] = [("ground", ground) for ground in grounds]
    names += [
        ("object", g, kind, colour, part) for g in grounds for kind in kinds for colour in COLOURS for part in PARTS
    ]
    return names + [("hat", ground, colour, side) for ground in grounds for colour in COLOURS for side in "lr"]


def _skies(styles: tuple[str, ...]) -> list[Name]:
    return [("sky", style, time, piece) for style in styles for time in TIMES for piece in SKY]


def _horizons(pairs: Iterable[tuple[str, str]]) -> list[Name]:
    return [("horizon", style, place, time, k) for style, place in pairs for time in TIMES for k in STEPS]


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


def save(patches: NDArray[np.uint8], columns: int = 96) -> None:
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
