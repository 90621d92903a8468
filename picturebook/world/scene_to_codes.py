"""From a scene to grids of codes: the picture, its segmentation, its edges, its drawn boxes.

All four are tile for tile: a cell of a map depends on the same cell of the scene.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .atlas import CODE, HORIZON_PERIOD, PARTS, Name
from .scene import Scene, Thing, cell_of

Grid = NDArray[np.int32]  # codes, (rows, columns)
GROUND_OF_PLACE = {
    "meadow": "meadow", "city": "city", "beach": "beach", "snow": "snow",
    "forest": "meadow", "mountains": "meadow", "park": "meadow", "desert": "beach",
}  # fmt: skip
LIGHT_COLUMN = 2  # sun or moon, in every weather


def sky_piece(weather: str, column: int) -> str:
    """Which sky tile stands in a column of the top row: clouds two wide, then a gap of two."""
    if column == LIGHT_COLUMN:
        return "light"
    if weather == "clear":
        return "plain"
    kind = {"cloudy": "cloud", "rain": "rain", "snowfall": "snow"}[weather]
    if column % 4 < 2:
        return f"{kind}-{'lr'[column % 4]}"
    return "plain" if weather == "cloudy" else f"{kind}-gap"


def ground_of(style: str, place: str) -> str:
    """The ground under the objects: the place's in flat pictures, one of its own in the other styles."""
    return GROUND_OF_PLACE[place] if style == "flat" else style


def sign_columns(scene: Scene) -> dict[int, str]:
    """Column -> character of the sign's banner, from the second column of the second row on."""
    return dict(enumerate(scene.sign or "", 1))


def box_of(scene: Scene, thing: Thing) -> tuple[int, int, int, int]:
    """x0, y0, x1, y1 in cells (the last two exclusive), with the hat if one is worn."""
    row, column = cell_of(scene, thing)
    return column, row - (1 if thing.hat else 0), column + 2, row + 2


def _fill(scene: Scene, sky: list[Name], horizon: list[Name], ground: Name) -> Grid:
    grid = np.full(scene.grid, CODE[ground], np.int32)
    grid[0] = [CODE[name] for name in sky]
    grid[1] = [CODE[name] for name in horizon]
    return grid


def paint(scene: Scene) -> Grid:
    """The picture itself."""
    ground, letters, columns = ground_of(scene.style, scene.place), sign_columns(scene), range(scene.columns)
    sky: list[Name] = [("sky", scene.style, scene.time, sky_piece(scene.weather, column)) for column in columns]
    horizon: list[Name] = [
        ("letter", letters[column])
        if column in letters
        else ("horizon", scene.style, scene.place, scene.time, str(column % HORIZON_PERIOD))
        for column in columns
    ]
    grid = _fill(scene, sky, horizon, ("ground", ground))
    for thing in scene.things:
        row, column = cell_of(scene, thing)
        for index, part in enumerate(PARTS):
            grid[row + index // 2, column + index % 2] = CODE["object", ground, thing.kind, thing.colour, part]
        if thing.hat:
            grid[row - 1, column : column + 2] = [CODE["hat", ground, thing.hat, side] for side in "lr"]
    return grid


def segmentation(scene: Scene) -> Grid:
    """Silhouettes in class colours; ground, sky, backdrop, sign and hats have a label each."""
    letters, columns = sign_columns(scene), range(scene.columns)
    horizon: list[Name] = [("seg-sign",) if column in letters else ("seg-backdrop",) for column in columns]
    grid = _fill(scene, [("seg-sky",)] * scene.columns, horizon, ("seg-ground",))
    return _maps(scene, grid, "seg")


def edges(scene: Scene) -> Grid:
    """White outlines on black, whatever the colours are."""
    letters, columns = sign_columns(scene), range(scene.columns)
    sky: list[Name] = []
    for column in columns:
        piece = sky_piece(scene.weather, column)
        sky.append({"light": ("edge-light", scene.time), "plain": ("edge-blank",)}.get(piece, ("edge-sky", piece)))
    horizon: list[Name] = [
        ("edge-letter", letters[column])
        if column in letters
        else ("edge-horizon", scene.place, str(column % HORIZON_PERIOD))
        for column in columns
    ]
    return _maps(scene, _fill(scene, sky, horizon, ("edge-blank",)), "edge")


def _maps(scene: Scene, grid: Grid, layer: str) -> Grid:
    for thing in scene.things:
        row, column = cell_of(scene, thing)
        for index, part in enumerate(PARTS):
            grid[row + index // 2, column + index % 2] = CODE[f"{layer}-object", thing.kind, part]
        if thing.hat:
            grid[row - 1, column : column + 2] = [CODE[f"{layer}-hat", side] for side in "lr"]
    return grid


def boxes(scene: Scene) -> Grid:
    """A frame in the class's colour around each object, on a dark ground."""
    grid = np.full(scene.grid, CODE[("box-blank",)], np.int32)
    for thing in scene.things:
        x0, y0, _, y1 = box_of(scene, thing)
        for row in range(y0, y1):
            ends = ("tl", "tr") if row == y0 else ("bl", "br") if row == y1 - 1 else ("l", "r")
            grid[row, x0 : x0 + 2] = [CODE["box", thing.kind, piece] for piece in ends]
    return grid
