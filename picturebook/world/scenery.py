"""The sketches of what stands behind the objects: lights and clouds (a tile or two), horizons (64x16)."""

from __future__ import annotations

from collections.abc import Callable

from .sketch import Sketch


def light(s: Sketch, time: str) -> None:
    """Sun, low sun or moon in one tile."""
    if time == "night":
        s.ellipse("glow", 8, 8, 7.2)
        s.ellipse("moon", 8, 8, 5.6)
        s.ellipse("crater", 6.2, 6.6, 1.3)
        s.ellipse("crater", 9.8, 9.6, 1.6)
        return
    radius = 5.4 if time == "day" else 6.2
    y = 8.0 if time == "day" else 9.2
    s.ellipse("glow", 8, y, radius + 1.7)
    s.ellipse("sun", 8, y, radius)


def cloud(s: Sketch, piece: str) -> None:
    """A cloud two tiles wide, with rain or snow under it; `piece` is cloud, rain or snow."""
    up = 0.0 if piece == "cloud" else -1.6
    for x, y, rx, ry in ((9, 10.4, 6.4, 3.6), (16, 7.6, 6.6, 5), (23, 10, 6.4, 3.8), (16, 11, 11, 3)):
        s.ellipse("cloud", x, y + up, rx, ry)
    s.ellipse("belly", 16, 12.9 + up, 8.6, 1.1)
    falling(s, piece, 32, 14.0 if piece == "rain" else 14.2)


def falling(s: Sketch, piece: str, width: int, start: float = 0.0) -> None:
    """Drops or flakes, repeating every tile."""
    if piece == "rain":
        for x0 in range(0, width, 4):
            for y in (1.0, 6.2, 11.4):
                shift = 2.0 if (x0 // 4) % 2 else 0.0
                if y + shift >= start - 2.6:
                    s.line("drop", 0.8, (x0 + 2.6, y + shift), (x0 + 1.6, min(y + shift + 3, 15.9)))
    elif piece == "snow":
        for x0 in range(0, width, 8):
            for x, y in ((2.0, 3.0), (6.0, 6.4), (3.0, 10.4), (6.6, 13.6)):
                if y >= start - 0.8:
                    s.ellipse("flake", x0 + x, y, 1.0)


def stars(s: Sketch) -> None:
    """A few, for the night."""
    for x, y in ((3.0, 4.0), (11.0, 2.6), (13.4, 10.0), (6.0, 11.4)):
        s.ellipse("star", x, y, 0.7)


def _meadow(s: Sketch) -> None:
    """Hills, with bushes."""
    for x, ry in ((8.0, 7.4), (40.0, 9.0), (72.0, 7.4)):
        s.ellipse("far", x, 15, 17, ry)
    for x, ry in ((-8.0, 5.6), (24.0, 6.6), (56.0, 5.6)):
        s.ellipse("near", x, 16.4, 18, ry)
    for x, y in ((20.0, 8.8), (24.6, 8.4), (51.0, 9.8)):
        s.box("trunk", x - 0.5, y, x + 0.5, y + 2.4)
        s.ellipse("bush", x, y - 0.6, 2.1, 2.4)
    s.box("floor", 0, 14.6, 64, 16)


def _city(s: Sketch) -> None:
    """A skyline."""
    tops = (
        (0, 9, 6.0),
        (9, 16, 3.0),
        (16, 26, 7.4),
        (26, 33, 1.6),
        (33, 43, 5.2),
        (43, 49, 8.0),
        (49, 57, 2.6),
        (57, 64, 7.0),
    )
    for index, (x0, x1, top) in enumerate(tops):
        s.box("tower" if index % 2 else "block", x0, top, x1, 15)
        for x in range(int(x0) + 1, int(x1) - 1, 3):
            for y in range(int(top) + 2, 13, 3):
                s.box("window", x + 0.2, y, x + 1.7, y + 1.6)
    s.box("floor", 0, 14.4, 64, 16)


def _beach(s: Sketch) -> None:
    """The sea, with an island and a boat."""
    s.box("sea", 0, 5, 64, 14)
    for row, y in enumerate((7.0, 9.6, 12.2)):
        for x in range(-8 + 5 * row, 64, 16 + 3 * row):
            s.line("foam", 0.9, (x, y), (x + 3.0, y - 0.7), (x + 6.0, y))
    s.ellipse("foam", 8, 2.6, 1.6, 0.5)
    s.ellipse("foam", 54, 3.2, 2.0, 0.5)
    s.ellipse("near", 21, 5.4, 5.0, 2.2)
    s.box("sea", 14, 5, 30, 6.4)
    s.polygon("sail", (37, 1.6), (37, 6.4), (33.4, 6.4))
    s.polygon("sail", (38, 2.6), (38, 6.4), (41, 6.4))
    s.polygon("hull", (32.6, 6.8), (42, 6.8), (40.6, 8.8), (34, 8.8))
    s.box("foam", 0, 13.4, 64, 14.4)
    s.box("floor", 0, 14.4, 64, 16)


def _snow(s: Sketch) -> None:
    """Hills, with firs."""
    for x, ry in ((0.0, 7.0), (32.0, 9.4), (64.0, 7.0)):
        s.ellipse("far", x, 15.4, 20, ry)
    for x, top in ((5.0, 4.6), (11.0, 6.6), (24.0, 5.4), (43.0, 3.6), (49.0, 6.2), (58.0, 5.6)):
        s.box("trunk", x - 0.7, 12, x + 0.7, 15)
        for step in range(3):
            y, half = top + step * 2.8, 1.8 + step * 0.9
            s.polygon("fir", (x, y), (x - half, y + 4), (x + half, y + 4))
            s.polygon("cap", (x, y), (x - half * 0.5, y + 2), (x + half * 0.5, y + 2))
    s.box("floor", 0, 14.4, 64, 16)


def _forest(s: Sketch) -> None:
    """A dense wood, dark behind and light in front."""
    s.box("deep", 0, 8, 64, 15)
    for x, top in enumerate((3.4, 1.6, 3.0, 1.2, 3.2, 1.8, 3.4, 1.4, 2.8, 1.8)):
        s.polygon("deep", (x * 6.4 + 3.2, top), (x * 6.4 - 1, 12), (x * 6.4 + 7.4, 12))
    for x in (4, 16, 30, 44, 58):
        s.box("trunk", x - 0.8, 10, x + 0.8, 15)
        s.ellipse("oak", x, 8.6, 4.0, 3.6)
    for x in (10, 23, 37, 51):
        s.box("trunk", x - 0.6, 12, x + 0.6, 15)
        for step in range(2):
            y, half = 5.4 + step * 3.2, 2.4 + step * 0.9
            s.polygon("pine", (x, y), (x - half, y + 4.6), (x + half, y + 4.6))
    s.box("floor", 0, 14.4, 64, 16)


def _mountains(s: Sketch) -> None:
    """Peaks under snow, a wooded foot."""
    for x, top, half in ((-8, 4.0, 15), (56, 4.0, 15), (32, 3.4, 15), (15, 0.8, 15), (46, 1.4, 14)):
        high = top < 2
        s.polygon("cliff" if high else "rock", (x, top), (x - half, 15), (x + half, 15))
        s.polygon("rock" if high else "slate", (x, top), (x + half, 15), (x + half * 0.1, 15), (x - half * 0.12, 9))
        y, white = top + 0.36 * (15 - top), half * 0.36
        edge = ((white, y), (half * 0.14, y - 1.2), (-half * 0.04, y + 0.9), (-half * 0.2, y - 1), (-white, y))
        s.polygon("cap", (x, top), *((x + right, down) for right, down in edge))
    for x, ry in ((4, 3.2), (24, 2.6), (42, 3.4), (60, 2.8)):
        s.ellipse("bush", x, 15.4, 13, ry)
    s.box("floor", 0, 14.4, 64, 16)


def _park(s: Sketch) -> None:
    """Round trees behind a fence, a lamp, a bench and a path."""
    for x in (-4.0, 18.0, 38.0, 60.0):
        s.ellipse("far", x, 14.6, 15, 4.4)
    for x, y, r in ((6, 6.4, 5.0), (39, 5.6, 5.2), (55, 7.2, 4.2)):
        s.box("trunk", x - 0.9, y, x + 0.9, 15)
        s.ellipse("oak", x, y, r, r * 0.92)
        s.ellipse("blossom", x - 1.8, y - 1.2, 0.9)
        s.ellipse("blossom", x + 1.9, y + 1.0, 0.9)
        s.ellipse("blossom", x + 0.9, y - 2.4, 0.8)
    s.line("paling", 0.9, (0, 10.6), (16, 10.6))
    s.line("paling", 0.9, (46, 10.6), (64, 10.6))
    for x in (1.6, 5.2, 8.8, 12.4, 16, 46, 49.6, 53.2, 56.8, 60.4, 64):
        s.line("paling", 1.1, (x, 8.6), (x, 14.4))
    s.box("iron", 20.5, 4.0, 21.7, 14.6)
    s.box("lamp", 19.0, 1.0, 23.2, 4.6, 1.4)
    s.box("iron", 18.6, 0.4, 23.6, 1.4)
    s.box("plank", 25.4, 7.4, 34.6, 9.0)
    s.box("plank", 24.8, 10.4, 35.2, 12.0)
    for x in (26.4, 33.6):
        s.box("iron", x - 0.5, 9.0, x + 0.5, 14.6)
    s.box("floor", 0, 14.4, 64, 16)
    s.box("path", 0, 13.4, 64, 14.6)


def _desert(s: Sketch) -> None:
    """Dunes, a pyramid and cacti."""
    s.polygon("pyramid", (24, 2.4), (11, 14), (37, 14))
    s.polygon("slope", (24, 2.4), (28, 14), (37, 14))
    for x, y, rx, ry in ((2, 15, 14, 5.4), (66, 15, 14, 5.4), (45, 15.4, 18, 6.6), (24, 16.6, 18, 4.2)):
        s.ellipse("dune", x, y, rx, ry)
        s.ellipse("slope", x + rx * 0.34, y + 0.6, rx * 0.62, ry * 0.78)
    for at, top in ((6.0, 4.4), (42.0, 3.2), (55.0, 6.0)):
        s.line("cactus", 2.0, (at, top), (at, 15))
        s.ellipse("cactus", at, top, 1.0)
        for side, y in ((-1, top + 4.4), (1, top + 3.2)):
            s.line("cactus", 1.4, (at, y + 2), (at + side * 2.9, y + 2), (at + side * 2.9, y - 1))
    s.box("floor", 0, 14.4, 64, 16)


HORIZONS: dict[str, Callable[[Sketch], None]] = {
    "meadow": _meadow, "city": _city, "beach": _beach, "snow": _snow,
    "forest": _forest, "mountains": _mountains, "park": _park, "desert": _desert,
}  # fmt: skip


def horizon(s: Sketch, place: str) -> None:
    """64x16: what is seen far away; `floor` at the bottom is the place's ground."""
    HORIZONS[place](s)
