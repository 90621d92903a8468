"""The colours of the drawn world: of objects and scenery, and how the retro style mutes them. Draws nothing."""

from __future__ import annotations

import numpy as np

from edgevlo.runtime.arrays import Doubles

from .scene import CLIPART

RGB = tuple[float, float, float]

COLOURS: dict[str, RGB] = {
    "red": (226, 62, 58), "orange": (244, 140, 44), "yellow": (250, 208, 62),
    "green": (72, 172, 84), "blue": (66, 124, 222), "purple": (150, 88, 200),
    "pink": (250, 146, 190), "brown": (136, 86, 54),
}  # fmt: skip
GROUND: dict[str, RGB] = {
    "meadow": (156, 208, 112), "city": (190, 192, 200), "beach": (244, 220, 160), "snow": (238, 244, 250),
    "line": (252, 250, 244), "retro": (232, 214, 180),
    "oil": (132, 122, 62), "watercolour": (226, 232, 204), "pixel": (144, 200, 96),
}  # fmt: skip
OUTLINE: RGB = (52, 44, 60)
INK: RGB = (92, 88, 108)  # lines of line art that have no colour of their own
FIXED: dict[str, RGB] = {
    "glass": (206, 234, 248),
    "lamp": (255, 232, 140),
    "dark": (50, 46, 60),
    "steel": (214, 216, 224),
    "wood": (142, 96, 66),
    "leaf": (86, 160, 78),
    "denim": (82, 96, 140),
    "skin": (250, 212, 178),
    "wave": (150, 204, 236),
    "foam": (244, 250, 255),
    "white": (255, 255, 255),
}
SKIES: dict[str, tuple[RGB, RGB]] = {  # at the top of the first row, at the bottom of the second
    "day": ((124, 192, 244), (214, 238, 252)),
    "sunset": ((154, 110, 178), (255, 204, 138)),
    "night": ((26, 32, 72), (70, 80, 134)),
}
TINT: dict[str, RGB] = {"day": (1, 1, 1), "sunset": (0.96, 0.76, 0.72), "night": (0.38, 0.42, 0.62)}
SCENERY: dict[str, RGB] = {
    "far": (132, 190, 128),
    "near": (108, 176, 98),
    "trunk": (126, 92, 70),
    "bush": (78, 148, 80),
    "tower": (142, 152, 178),
    "block": (176, 168, 172),
    "window": (226, 240, 250),
    "sea": (82, 160, 214),
    "foam": (232, 246, 252),
    "sail": (255, 255, 255),
    "hull": (190, 96, 76),
    "fir": (74, 128, 104),
    "cap": (250, 252, 255),
    "deep": (44, 92, 66),
    "pine": (66, 132, 78),
    "oak": (104, 166, 76),
    "blossom": (255, 190, 206),
    "cliff": (132, 140, 170),
    "rock": (108, 116, 150),
    "slate": (88, 96, 130),
    "paling": (246, 240, 226),
    "iron": (66, 70, 90),
    "lamp": (255, 240, 196),
    "plank": (166, 104, 62),
    "path": (228, 208, 166),
    "dune": (240, 206, 138),
    "slope": (222, 178, 108),
    "pyramid": (236, 196, 120),
    "cactus": (70, 138, 84),
}
_SEGMENT_COLOURS: dict[str, RGB] = {
    "car": (230, 25, 75),
    "house": (245, 130, 48),
    "tree": (60, 180, 75),
    "flower": (240, 50, 230),
    "dog": (145, 30, 180),
    "cat": (70, 240, 240),
    "person": (255, 225, 25),
    "boat": (0, 90, 230),
    "bus": (128, 0, 0),
    "bird": (0, 128, 128),
    "balloon": (255, 150, 180),
    "mushroom": (160, 235, 30),
    "hat": (170, 110, 40),
    "sign": (255, 250, 200),
    "sky": (170, 200, 255),
    "backdrop": (128, 128, 128),
    "ground": (50, 60, 40),
}
BOX_GROUND: RGB = (30, 32, 44)


def _with_more(colours: dict[str, RGB], kinds: tuple[str, ...], steps: int = 7) -> dict[str, RGB]:
    """The colours and one for each kind: of a face-centred lattice always the point farthest from all before it."""
    lattice = np.indices((steps + 1,) * 3).reshape(3, -1).T
    lattice = np.rint(lattice[lattice.sum(axis=1) % 2 == 0] * (255 / steps))
    nearest = np.min([((lattice - taken) ** 2).sum(axis=1) for taken in (BOX_GROUND, *colours.values())], axis=0)
    found = dict(colours)
    for kind in kinds:
        red, green, blue = lattice[nearest.argmax()].astype(int).tolist()
        found[kind] = (red, green, blue)
        nearest = np.minimum(nearest, ((lattice - found[kind]) ** 2).sum(axis=1))
    return found


SEGMENT_COLOURS = _with_more(_SEGMENT_COLOURS, CLIPART)
RETRO_GREY, RETRO_KEEP = np.array([1.05, 0.93, 0.74]), 0.42  # sepia, and how much colour stays


def rgb(colour: RGB) -> Doubles:
    """A colour as an array."""
    return np.asarray(colour, float)


def retro(colour: Doubles) -> Doubles:
    """The muted palette: a linear map of the flat one."""
    grey = (colour @ np.array([0.3, 0.59, 0.11]))[..., None]
    return np.asarray((1 - RETRO_KEEP) * grey * RETRO_GREY * 0.86 + RETRO_KEEP * colour + np.array([22.0, 14.0, 4.0]))


def object_colours(colour: str) -> dict[str, Doubles]:
    """Flat colours of every label an object or hat may have, except the ground's."""
    main = rgb(COLOURS[colour])
    light = main * 0.5 + 127.0
    return {
        "outline": rgb(OUTLINE),
        "body": main,
        "shade": main * 0.74,
        "light": light,
        **{name: rgb(value) for name, value in FIXED.items()},
    }
