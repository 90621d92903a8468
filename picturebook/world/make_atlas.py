"""Draws the atlas: `python -m edgevlo.picturebook.world.make_atlas` writes atlas.png, atlas.json and the basis.

This is the tool that made the committed files; the world itself only looks tiles up. The drawn tiles are approximated
by few dimensions, and what the approximation gives, rounded, is the atlas: so the tokenizer is lossless by
construction.
"""

from __future__ import annotations

import argparse
from functools import cache

import click
import numpy as np
from numpy.typing import NDArray

from edgevlo.runtime.arrays import Doubles

from . import drawings
from .atlas import CELL, FRAME, PARTS, TILES, Name, save
from .basis import Basis, fitted
from .palette import (
    BOX_GROUND,
    COLOURS,
    GROUND,
    INK,
    RGB,
    SCENERY,
    SEGMENT_COLOURS,
    SKIES,
    TINT,
    object_colours,
    retro,
    rgb,
)
from .sketch import Sketch

LINE = 1.2  # px, width of drawn lines
UNDRAWN = ("shadow", "outline")  # labels that count as ground in line drawings
UNDRAWN_FAR = ("floor", "foam", "window", "cap", "trunk")  # the same for horizons
IMPORTANCE = {
    "ground": 25.0,
    "edge-blank": 40.0,
    "box-blank": 40.0,
    "seg-ground": 30.0,
    "seg-sky": 20.0,
    "seg-backdrop": 20.0,
    "seg-sign": 10.0,
    "sky": 1.6,
    "horizon": 1.2,
    "seg-object": 1.3,
    "seg-hat": 2.0,
    "box": 1.3,
    "hat": 1.5,
}


@cache
def object_sketch(kind: str) -> Sketch:
    """An object with its outline."""
    sketch = Sketch(32, 32)
    drawings.OBJECTS[kind](sketch)
    sketch.outlined(1.1)
    return sketch


@cache
def hat_sketch() -> Sketch:
    """A hat with its outline."""
    sketch = Sketch(32, 16)
    drawings.hat(sketch)
    sketch.outlined(1.1)
    return sketch


def object_picture(sketch: Sketch, colour: str, ground: str) -> Doubles:
    """An object (or hat) in a colour on a ground, (height, width, 3)."""
    if ground == "line":
        paper, main = rgb(GROUND["line"]), rgb(COLOURS[colour])
        share = sketch.lines(LINE, UNDRAWN)[..., None]
        depth = {"body": 1.0, "shade": 0.74, "light": 0.5}
        solid = sum(value * depth[name] for name, value in sketch.shares().items() if name in depth)
        return np.asarray(paper - share * (paper - main * 0.86) + 0.16 * np.asarray(solid)[..., None] * (main - paper))
    if ground == "retro":
        muted = retro(object_colours(colour, np.zeros(3)))
        return sketch.coloured(muted | {"ground": rgb(GROUND["retro"]), "shadow": rgb(GROUND["retro"]) * 0.86})
    return sketch.coloured(object_colours(colour, rgb(GROUND[ground])))


def sky(style: str, time: str, row: int) -> Doubles:
    """Background of one of the two sky rows, (16, 1, 3): a gradient that goes on from the first to the second."""
    top, bottom = (rgb(colour) for colour in SKIES[time])
    if style == "line":
        paper = rgb(GROUND["line"])
        shade = {"day": (-14, -4, 3), "sunset": (0, -14, -26), "night": (-44, -38, -18)}[time]
        return np.broadcast_to(paper + np.asarray(shade), (CELL, 1, 3)).copy()
    depth = (np.arange(CELL) + 0.5 + CELL * row) / (2 * CELL)
    gradient = (top + (bottom - top) * depth[:, None])[:, None, :]
    return retro({"sky": gradient})["sky"] if style == "retro" else gradient


def sky_colours(style: str, time: str) -> dict[str, Doubles]:
    """Colours of what stands in the sky, except the sky itself."""
    tint = np.asarray(TINT[time])
    behind = sky("flat", time, 0)
    colours = {
        "cloud": rgb((255, 255, 255)) * (tint * 0.86 + 0.14),
        "belly": rgb((214, 226, 240)) * (tint * 0.86 + 0.14),
        "drop": rgb((60, 112, 196)) if time != "night" else rgb((150, 186, 240)),
        "flake": rgb((255, 255, 255)),
        "star": rgb((255, 246, 190)),
        "sun": rgb((255, 214, 64)) if time == "day" else rgb((255, 116, 62)),
        "moon": rgb((250, 242, 200)),
        "crater": rgb((224, 212, 164)),
        "glow": behind * 0.55 + 0.45 * (rgb((255, 240, 170)) if time != "night" else rgb((120, 128, 180))),
    }
    return retro(colours) if style == "retro" else colours


@cache
def sky_sketch(piece: str, time: str) -> Sketch:
    """One, or for clouds two, tiles of the first row."""
    kind, side = piece.split("-") if "-" in piece else (piece, "")
    sketch = Sketch(32 if side in ("l", "r") else 16, 16)
    if time == "night" and kind == "plain":
        drawings.stars(sketch)
    if kind == "light":
        drawings.light(sketch, time)
    elif side in ("l", "r"):
        drawings.cloud(sketch, kind)
    elif side == "gap":
        drawings.falling(sketch, kind, 16)
    return sketch


def lined(sketch: Sketch, paper: Doubles, ink: Doubles, ignore: tuple[str, ...] = ()) -> Doubles:
    """A line drawing of a sketch on a background."""
    share = sketch.lines(LINE, ignore)[..., None]
    return np.asarray(np.broadcast_to(paper, (*share.shape[:2], 3)) * (1 - share) + ink * share)


def sky_picture(style: str, time: str, piece: str) -> Doubles:
    """A piece of the first row, (16, 16 or 32, 3)."""
    sketch, behind = sky_sketch(piece, time), sky(style, time, 0)
    if style == "line":
        ink = {"day": rgb((214, 150, 40)), "sunset": rgb((226, 96, 50)), "night": rgb((84, 92, 150))}[time]
        return lined(sketch, behind, ink if piece == "light" else rgb(INK), ("glow", "belly"))
    return sketch.coloured(sky_colours(style, time) | {"ground": behind})


@cache
def horizon_sketch(place: str) -> Sketch:
    """The 64x16 horizon of a place."""
    sketch = Sketch(64, 16)
    drawings.horizon(sketch, place)
    return sketch


def horizon_picture(style: str, place: str, time: str) -> Doubles:
    """The second row, (16, 64, 3)."""
    sketch, behind = horizon_sketch(place), sky(style, time, 1)
    if style == "line":
        return lined(sketch, behind, rgb(INK), UNDRAWN_FAR)
    tint = np.asarray(TINT[time])
    colours = {name: rgb(value) * tint for name, value in SCENERY.items()}
    if place == "snow":
        colours |= {"far": rgb((222, 232, 244)) * (tint * 0.8 + 0.2), "cap": rgb((250, 252, 255)) * (tint * 0.6 + 0.4)}
    if place == "city":
        lit = {"day": (226, 240, 250), "sunset": (255, 224, 140), "night": (255, 226, 120)}[time]
        colours["window"] = rgb(lit)
    if style == "retro":
        colours = retro(colours)
    ground = GROUND["retro"] if style == "retro" else GROUND[place]
    return sketch.coloured(colours | {"ground": behind, "floor": rgb(ground)})


def ground_picture(ground: str) -> Doubles:
    """Plain ground with a little texture, (16, 16, 3)."""
    sketch = Sketch(CELL, CELL)
    if ground == "meadow":
        for x, y in ((4, 5), (11.5, 12)):
            sketch.line("mark", 0.9, (x - 1.4, y - 1.6), (x, y + 1), (x + 1.4, y - 1.9))
    elif ground == "city":
        sketch.line("mark", 0.8, (0, 15.6), (16, 15.6))
        sketch.line("mark", 0.8, (15.6, 0), (15.6, 16))
    elif ground != "line":
        for x, y in ((4, 4), (11, 7), (6.5, 12)):
            sketch.ellipse("mark", x, y, 0.9, 0.7)
    base = rgb(GROUND[ground])
    return sketch.coloured({"ground": base, "mark": base * (0.86 if ground == "meadow" else 0.93)})


def letter_sketch(character: str) -> Sketch:
    """A piece of the sign's board with its character."""
    sketch = Sketch(CELL, CELL)
    sketch.box("board", 0, 1.4, 16, 14.6)
    sketch.box("rim", 0, 1.4, 16, 2.6)
    sketch.box("rim", 0, 13.4, 16, 14.6)
    sketch.letter("text", character.upper(), 8, 8.2, 12)
    return sketch


def _cell(picture: Doubles, row: int, column: int) -> Doubles:
    return picture[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]


def _part(picture: Doubles, part: str) -> Doubles:
    index = PARTS.index(part)
    return _cell(picture, index // 2, index % 2)


def _flat(colour: RGB) -> Doubles:
    return np.broadcast_to(rgb(colour), (CELL, CELL, 3))


def _mask(silhouette: NDArray[np.bool_], inside: RGB, outside: RGB) -> Doubles:
    return np.where(silhouette[..., None], rgb(inside), rgb(outside))


def _white_lines(sketch: Sketch, ignore: tuple[str, ...] = ("glow",)) -> Doubles:
    return np.asarray(sketch.lines(LINE, ignore)[..., None] * np.full(3, 255.0))


def _frame(kind: str, piece: str) -> Doubles:
    picture = _flat(BOX_GROUND).copy()
    colour = rgb(SEGMENT_COLOURS[kind])
    if "t" in piece:
        picture[1:3] = colour
    if "b" in piece:
        picture[-3:-1] = colour
    if piece.endswith("l"):
        picture[:, 1:3] = colour
        picture[:, 0] = BOX_GROUND
    else:
        picture[:, -3:-1] = colour
        picture[:, -1] = BOX_GROUND
    if "t" in piece:
        picture[0] = BOX_GROUND
    if "b" in piece:
        picture[-1] = BOX_GROUND
    return picture


def draw(name: Name) -> Doubles:
    """The tile of a name as drawn, (16, 16, 3), 0..255."""
    match name:
        case ("ground", ground):
            return ground_picture(ground)
        case ("object", ground, kind, colour, part):
            return _part(object_picture(object_sketch(kind), colour, ground), part)
        case ("hat", ground, colour, side):
            return _cell(object_picture(hat_sketch(), colour, ground), 0, "lr".index(side))
        case ("sky", style, time, piece):
            return _cell(sky_picture(style, time, piece), 0, 1 if piece.endswith("-r") else 0)
        case ("horizon", style, place, time, step):
            return _cell(horizon_picture(style, place, time), 0, int(step))
        case ("letter", character):
            plank = {"ground": (255, 246, 224), "board": (255, 246, 224), "rim": (150, 104, 72), "text": (66, 50, 58)}
            return letter_sketch(character).coloured({label: rgb(value) for label, value in plank.items()})
        case ("seg-object", kind, part):
            silhouette = object_sketch(kind).silhouette()
            return _part(_mask(silhouette, SEGMENT_COLOURS[kind], SEGMENT_COLOURS["ground"]), part)
        case ("seg-hat", side):
            silhouette = hat_sketch().silhouette()
            return _cell(_mask(silhouette, SEGMENT_COLOURS["hat"], SEGMENT_COLOURS["ground"]), 0, "lr".index(side))
        case ("edge-blank",):
            return _flat((0, 0, 0))
        case ("edge-object", kind, part):
            return _part(_white_lines(object_sketch(kind), UNDRAWN), part)
        case ("edge-hat", side):
            return _cell(_white_lines(hat_sketch(), UNDRAWN), 0, "lr".index(side))
        case ("edge-light", time):
            return _white_lines(sky_sketch("light", time))
        case ("edge-sky", piece):
            return _cell(_white_lines(sky_sketch(piece, "day"), ("glow", "belly")), 0, 1 if piece.endswith("-r") else 0)
        case ("edge-horizon", place, step):
            return _cell(_white_lines(horizon_sketch(place), UNDRAWN_FAR), 0, int(step))
        case ("edge-letter", character):
            shares = letter_sketch(character).shares()
            return np.asarray((shares["text"] + shares["rim"])[..., None] * np.full(3, 255.0))
        case ("box-blank",):
            return _flat(BOX_GROUND)
        case ("box", kind, piece) if piece in FRAME:
            return _frame(kind, piece)
        case (layer,) if layer.startswith("seg-"):
            return _flat(SEGMENT_COLOURS[layer.removeprefix("seg-")])
    raise ValueError(f"no drawing for {name}")


def drawn() -> Doubles:
    """All tiles as drawn, (tiles, 16, 16, 3)."""
    return np.clip(np.stack([draw(name) for name in TILES]), 0, 255)


def main() -> None:
    """Draw everything, fit the basis, write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimensions", type=int, default=224)
    arguments = parser.parse_args()
    wanted = drawn()
    weights = np.array([IMPORTANCE.get(name[0], 1.0) for name in TILES])
    basis: Basis = fitted(wanted, weights, arguments.dimensions)
    made = basis.tiles()
    error = np.abs(made.astype(float) - wanted)
    save(made)
    basis.save()
    click.echo(
        f"margin {basis.margin():.3f} levels, distinct tiles {len(np.unique(made.reshape(len(made), -1), axis=0))}"
    )
    click.echo(
        f"{len(made)} tiles, {arguments.dimensions} dimensions, mean error {error.mean():.2f}, "
        f"worst tile {error.mean(axis=(1, 2, 3)).max():.2f}, PSNR {10 * np.log10(255**2 / (error**2).mean()):.1f} dB"
    )


if __name__ == "__main__":
    main()
