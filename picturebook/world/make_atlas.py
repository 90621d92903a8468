"""Draws the atlas: `python -m edgevlo.picturebook.world.make_atlas` writes atlas.png, atlas.json and the basis.

This is the tool that made the committed files; the world itself only looks tiles up. The drawn tiles are approximated
by few dimensions, and what the approximation gives, rounded, is the atlas: so the tokenizer is lossless by
construction.
"""

from __future__ import annotations

import argparse
from functools import cache, lru_cache

import click
import numpy as np

from edgevlo.runtime.arrays import Doubles

from . import clipart, drawings, scenery
from .atlas import CELL, FRAME, PARTS, TILES, Name, save
from .basis import Basis, fitted
from .palette import (
    BOX_GROUND,
    COLOURS,
    GROUND,
    INK,
    OUTLINE,
    RGB,
    SCENERY,
    SEGMENT_COLOURS,
    SKIES,
    TINT,
    object_colours,
    rgb,
)
from .scene import CLIPART, OWN
from .scene_to_codes import ground_of
from .sketch import Sketch
from .styles import STYLE, painted

LINE = 1.2  # px, width of drawn lines
HAT = "hat"
SEGMENT_ERROR = 22.0  # levels; the colours of two segments are 47 apart
OUTLINE_WIDTH, OUTLINES = 1.1, {"watercolour": 0.0}  # px
MARKS = {"meadow": 0.86, "pixel": 0.86}  # how dark the marks on the ground are
UNDRAWN = ("shadow", "outline")  # labels that count as ground in line drawings
UNDRAWN_FAR = ("floor", "foam", "window", "cap", "trunk", "slope", "blossom", "slate")  # the same for horizons
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
    "seg-object": 2.0,
    "seg-hat": 2.0,
    "hat": 1.5,
}
OBJECT_IMPORTANCE = {"retro": 0.75, "oil": 0.9, "watercolour": 0.65, "line": 0.9}  # the softer, the easier to hold


@cache
def object_sketch(kind: str, outline: float = OUTLINE_WIDTH) -> Sketch:
    """An object (or a hat) with its outline."""
    sketch = Sketch(32, 16 if kind == HAT else 32)
    if kind in CLIPART:
        clipart.draw(sketch, kind)
    else:
        (drawings.hat if kind == HAT else drawings.OBJECTS[kind])(sketch)
    if outline:
        sketch.outlined(outline)
    return sketch


@lru_cache(4)
def object_picture(kind: str, colour: str, ground: str) -> Doubles:
    """An object (or hat) in a colour on a ground, (height, width, 3)."""
    sketch = object_sketch(kind, OUTLINES.get(ground, OUTLINE_WIDTH))
    base = rgb(GROUND[ground])
    if ground == "line":
        if colour == OWN:
            return _lined_clipart(sketch)
        paper, main = base, rgb(COLOURS[colour])
        share = sketch.lines(LINE, UNDRAWN)[..., None]
        depth = {"body": 1.0, "shade": 0.74, "light": 0.5}
        solid = sum(value * depth[name] for name, value in sketch.shares().items() if name in depth)
        return np.asarray(paper - share * (paper - main * 0.86) + 0.16 * np.asarray(solid)[..., None] * (main - paper))
    colours = clipart.label_colours(sketch) if colour == OWN else object_colours(colour)
    colours["outline"] = rgb(OUTLINE)
    style = ground if ground in STYLE else "flat"
    return painted(style, sketch, colours, {"ground": base, "shadow": base * (0.84 if style == "flat" else 0.86)})


def _lined_clipart(sketch: Sketch) -> Doubles:
    """Lines in the colours that they part, darkened, over a faint wash."""
    paper = rgb(GROUND["line"])
    colours = clipart.label_colours(sketch) | dict.fromkeys((*UNDRAWN, "ground"), paper)
    wash = sketch.coloured(colours)
    own = sketch.coloured(colours | dict.fromkeys(("outline", "ground"), rgb(INK)))
    share = sketch.lines(0.9, UNDRAWN)[..., None]
    faint = paper + 0.3 * (wash - paper)
    return np.asarray(faint * (1 - share) + share * (0.55 * own + 0.3 * rgb(INK)))


def sky(style: str, time: str, row: int) -> Doubles:
    """Background of one of the two sky rows, (16, 1, 3): a gradient that goes on from the first to the second."""
    top, bottom = (rgb(colour) for colour in SKIES[time])
    if style == "line":
        paper = rgb(GROUND["line"])
        shade = {"day": (-14, -4, 3), "sunset": (0, -14, -26), "night": (-44, -38, -18)}[time]
        return np.broadcast_to(paper + np.asarray(shade), (CELL, 1, 3)).copy()
    depth = (np.arange(CELL) + 0.5 + CELL * row) / (2 * CELL)
    gradient = (top + (bottom - top) * depth[:, None])[:, None, :]
    return STYLE[style][0](gradient)


def sky_colours(time: str) -> dict[str, Doubles]:
    """Colours of what stands in the sky, except the sky itself."""
    tint = np.asarray(TINT[time])
    behind = sky("flat", time, 0)
    return {
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


@cache
def sky_sketch(piece: str, time: str) -> Sketch:
    """One, or for clouds two, tiles of the first row."""
    kind, side = piece.split("-") if "-" in piece else (piece, "")
    sketch = Sketch(32 if side in ("l", "r") else 16, 16)
    if time == "night" and kind == "plain":
        scenery.stars(sketch)
    if kind == "light":
        scenery.light(sketch, time)
    elif side in ("l", "r"):
        scenery.cloud(sketch, kind)
    elif side == "gap":
        scenery.falling(sketch, kind, 16)
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
    return painted(style, sketch, sky_colours(time), {"ground": behind})


@cache
def horizon_sketch(place: str) -> Sketch:
    """The 64x16 horizon of a place."""
    sketch = Sketch(64, 16)
    scenery.horizon(sketch, place)
    return sketch


def horizon_picture(style: str, place: str, time: str) -> Doubles:
    """The second row, (16, 64, 3)."""
    sketch, behind = horizon_sketch(place), sky(style, time, 1)
    if style == "line":
        return lined(sketch, behind, rgb(INK), UNDRAWN_FAR)
    tint = np.asarray(TINT[time])
    colours = {name: rgb(value) * tint for name, value in SCENERY.items()}
    colours["lamp"] = rgb({"day": (255, 240, 196), "sunset": (255, 224, 140), "night": (255, 226, 120)}[time])
    if place in ("snow", "mountains"):
        colours["cap"] = rgb((250, 252, 255)) * (tint * 0.6 + 0.4)
    if place == "snow":
        colours["far"] = rgb((222, 232, 244)) * (tint * 0.8 + 0.2)
    if place == "city":
        lit = {"day": (226, 240, 250), "sunset": (255, 224, 140), "night": (255, 226, 120)}[time]
        colours["window"] = rgb(lit)
    return painted(style, sketch, colours, {"ground": behind, "floor": rgb(GROUND[ground_of(style, place)])})


def ground_picture(ground: str) -> Doubles:
    """Plain ground with a little texture, (16, 16, 3)."""
    sketch = Sketch(CELL, CELL)
    if ground == "meadow":
        for x, y in ((4, 5), (11.5, 12)):
            sketch.line("mark", 0.9, (x - 1.4, y - 1.6), (x, y + 1), (x + 1.4, y - 1.9))
    elif ground == "city":
        sketch.line("mark", 0.8, (0, 15.6), (16, 15.6))
        sketch.line("mark", 0.8, (15.6, 0), (15.6, 16))
    elif ground == "pixel":
        for x, y in ((2, 4), (4, 6), (10, 10), (12, 8), (6, 14)):
            sketch.box("mark", x, y, x + 2, y + 2)
    elif ground not in ("line", "oil", "watercolour"):
        for x, y in ((4, 4), (11, 7), (6.5, 12)):
            sketch.ellipse("mark", x, y, 0.9, 0.7)
    base = rgb(GROUND[ground])
    marks = {"ground": base, "mark": base * MARKS.get(ground, 0.93)}
    return painted(ground, sketch, {}, marks) if ground in STYLE else sketch.coloured(marks)


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


def _mask(sketch: Sketch, inside: RGB, outside: RGB) -> Doubles:
    """The silhouette in blocks of 2x2 pixels: so coarse, few dimensions hold it without a pixel of a third colour."""
    covered = sketch.silhouette(2)
    return np.where(covered.repeat(2, axis=0).repeat(2, axis=1)[..., None], rgb(inside), rgb(outside))


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
            return _part(object_picture(kind, colour, ground), part)
        case ("hat", ground, colour, side):
            return _cell(object_picture(HAT, colour, ground), 0, "lr".index(side))
        case ("sky", style, time, piece):
            return _cell(sky_picture(style, time, piece), 0, 1 if piece.endswith("-r") else 0)
        case ("horizon", style, place, time, step):
            return _cell(horizon_picture(style, place, time), 0, int(step))
        case ("letter", character):
            plank = {"ground": (255, 246, 224), "board": (255, 246, 224), "rim": (150, 104, 72), "text": (66, 50, 58)}
            return letter_sketch(character).coloured({label: rgb(value) for label, value in plank.items()})
        case ("seg-object", kind, part):
            return _part(_mask(object_sketch(kind), SEGMENT_COLOURS[kind], SEGMENT_COLOURS["ground"]), part)
        case ("seg-hat", side):
            return _cell(
                _mask(object_sketch(HAT), SEGMENT_COLOURS["hat"], SEGMENT_COLOURS["ground"]), 0, "lr".index(side)
            )
        case ("edge-blank",):
            return _flat((0, 0, 0))
        case ("edge-object", kind, part):
            return _part(_white_lines(object_sketch(kind), UNDRAWN), part)
        case ("edge-hat", side):
            return _cell(_white_lines(object_sketch(HAT), UNDRAWN), 0, "lr".index(side))
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


def importance(name: Name) -> float:
    """How much a tile's error weighs: what fills a picture more than what is seen once."""
    return OBJECT_IMPORTANCE.get(name[1], 1.0) if name[0] == "object" else IMPORTANCE.get(name[0], 1.0)


def main() -> None:
    """Draw everything, fit the basis, write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--dimensions", type=int, default=384)
    arguments = parser.parse_args()
    wanted = drawn()
    weights = np.array([importance(name) for name in TILES])
    limits = np.array([SEGMENT_ERROR if name[0].startswith("seg-") else np.inf for name in TILES])
    basis: Basis = fitted(wanted, weights, limits, arguments.dimensions)
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
