"""Reads a picture back into a scene and says what of a request came true.

It knows pixels and the world's geometry, not the tokenizer: a cell is the atlas tile nearest to its pixels.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .atlas import CELL, PARTS, TILES, Name, tiles
from .card import SEGMENT_COLOURS
from .language import Said
from .layout import LIGHT_COLUMN
from .scene import Scene, Thing, cell_of, column_name, depth_name, in_order, slots


@dataclass(frozen=True)
class Reading:
    """What a picture shows, and how many of its cells belong to nothing that was recognised."""

    scene: Scene
    strays: int


def cells(pixels: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The nearest tile of every cell, (rows, columns)."""
    rows, columns = pixels.shape[0] // CELL, pixels.shape[1] // CELL
    patches = pixels.reshape(rows, CELL, columns, CELL, 3).swapaxes(1, 2).reshape(rows * columns, -1).astype(np.float32)
    table = tiles().reshape(len(TILES), -1).astype(np.float32)
    distance = (table**2).sum(axis=1) - 2 * patches @ table.T
    return np.asarray(distance.argmin(axis=1).reshape(rows, columns), np.int32)


def _most(values: list[str], default: str) -> str:
    return Counter(values).most_common(1)[0][0] if values else default


def _weather(names: list[Name]) -> str:
    kinds = [name[-1].split("-")[0] for column, name in enumerate(names) if column != LIGHT_COLUMN and name[0] == "sky"]
    found = _most([kind for kind in kinds if kind in ("cloud", "rain", "snow")], "plain")
    return {"plain": "clear", "cloud": "cloudy", "rain": "rain", "snow": "snowfall"}[found]


def _sign(names: list[Name]) -> str | None:
    return "".join(name[1] for name in names if name[0] == "letter") or None


def read(pixels: NDArray[np.uint8]) -> Reading:
    """The scene a picture shows."""
    return read_cells(cells(pixels))


def read_cells(codes: NDArray[np.integer]) -> Reading:
    """The scene a grid of tiles shows; an object counts only when all four of its parts agree."""
    names = [[TILES[code] if code < len(TILES) else ("none",) for code in row] for row in codes]
    rows, columns = codes.shape
    top = [name for name in names[0] if name[0] == "sky"]
    horizon = [name for name in names[1] if name[0] == "horizon"]
    style = _most([name[1] for name in [*top, *horizon]], "flat")
    place = _most([name[2] for name in horizon], "meadow")
    time = _most([name[2] for name in top] + [name[3] for name in horizon], "day")
    ground = place if style == "flat" else style
    used = np.zeros(codes.shape, bool)
    used[:2] = True
    used |= np.array([[name == ("ground", ground) for name in row] for row in names])
    things = []
    empty = Scene(rows=rows, columns=columns)
    for depth, column in slots(rows, columns):
        row, first = cell_of(empty, Thing("car", "red", column, depth))
        block = [names[row + index // 2][first + index % 2] for index in range(4)]
        kind, colour = block[0][2:4] if block[0][0] == "object" else ("", "")
        if block != [("object", ground, kind, colour, part) for part in PARTS]:
            continue
        above = names[row - 1][first : first + 2]
        worn = above[0][2] if above[0][0] == "hat" else None
        hat = worn if above == [("hat", ground, worn, "l"), ("hat", ground, worn, "r")] else None
        things.append(Thing(kind, colour, column, depth, hat))
        used[row - (1 if hat else 0) : row + 2, first : first + 2] = True
    scene = Scene(in_order(things), place, time, _weather(names[0]), style, _sign(names[1]), rows, columns)
    return Reading(scene, int((~used).sum()))


def _spot(scene: Scene, thing: Thing, said: Said) -> tuple[str | None, str | None]:
    return (column_name(scene, thing) if said.column else None, depth_name(scene, thing) if said.depth else None)


def _profile(
    scene: Scene, said: Said, *, kind: bool = True, colour: bool = True, hat: bool = True, spot: bool = True
) -> list[str]:
    """The things as sorted words, as far as they are compared."""
    return sorted(
        str((thing.kind if kind else "", thing.colour if colour and said.colour else "", thing.hat if hat else "",
             _spot(scene, thing, said) if spot else ""))
        for thing in scene.things
    )  # fmt: skip


def judge_scene(wanted: Scene, reading: Reading, said: Said | None = None) -> dict[str, bool]:
    """Which attributes of the wanted scene the picture has; `all` is the headline."""
    said = said or Said()
    got = reading.scene
    alone = {"kind": False, "colour": False, "hat": False, "spot": False}
    verdict = {
        "number": len(got.things) == len(wanted.things) and reading.strays == 0,
        **{
            field: _profile(wanted, said, **{**alone, field: True}) == _profile(got, said, **{**alone, field: True})
            for field in alone
        },
        "bound": _profile(wanted, said) == _profile(got, said),
        "place": got.place == wanted.place or not said.place,
        "time": got.time == wanted.time,
        "weather": got.weather == wanted.weather,
        "style": got.style == wanted.style,
        "sign": got.sign == wanted.sign,
    }
    return verdict | {"all": all(verdict.values())}


def segment_scores(wanted: NDArray[np.integer], got: NDArray[np.integer]) -> float:
    """Mean intersection over union of the labels of two segmentation maps, by pixel."""
    want, have = (_labels(grid) for grid in (wanted, got))
    scores = [
        float((want[label] & have[label]).sum() / (want[label] | have[label]).sum())
        for label in want.keys() & have.keys()
    ]
    return sum(scores) / max(1, len(want.keys() | have.keys()))


def nearest_segment(pixels: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Number of the nearest label in `card.SEGMENT_COLOURS` of each pixel, (height, width)."""
    palette = np.asarray(list(SEGMENT_COLOURS.values()))
    return np.asarray(((pixels[..., None, :] - palette) ** 2).sum(axis=-1).argmin(axis=-1))


def _labels(grid: NDArray[np.integer]) -> dict[int, NDArray[np.bool_]]:
    numbers = nearest_segment(tiles()[grid])
    return {int(number): numbers == number for number in np.unique(numbers)}


def edge_f1(wanted: NDArray[np.integer], got: NDArray[np.integer]) -> float:
    """F1 of white pixels of two edge maps."""
    want, have = (tiles()[grid].mean(axis=-1) > 127 for grid in (wanted, got))
    both = float((want & have).sum())
    return 1.0 if not want.any() and not have.any() else 2 * both / max(1.0, float(want.sum() + have.sum()))
