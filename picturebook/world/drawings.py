"""The sketches of what takes any colour: objects (32x32) and hats (32x16)."""

from __future__ import annotations

import math
from collections.abc import Callable

from .sketch import Sketch


def _shadow(s: Sketch, width: float = 12.0, y: float = 29.4) -> None:
    s.ellipse("shadow", 16, y, width, 1.9)


def car(s: Sketch) -> None:
    """Facing right."""
    _shadow(s, 14)
    s.polygon("body", (7, 16), (10.4, 7.4), (21.2, 7.4), (25.6, 16))
    s.box("body", 9.2, 6.6, 22.4, 12, 2.6)
    s.box("body", 1.8, 14, 30.2, 25, 4)
    s.box("shade", 2.2, 20.6, 29.8, 25, 2.2)
    s.polygon("glass", (9.6, 14.6), (11.8, 9.2), (15.4, 9.2), (15.4, 14.6))
    s.polygon("glass", (17, 14.6), (17, 9.2), (20.4, 9.2), (23, 14.6))
    s.line("light", 1.0, (4.5, 16.2), (14.5, 16.2))
    s.ellipse("lamp", 28.4, 17.6, 1.5, 1.7)
    for x in (8.8, 23.2):
        s.ellipse("dark", x, 25, 4.3)
        s.ellipse("steel", x, 25, 1.9)


def house(s: Sketch) -> None:
    """Front view with door and chimney."""
    _shadow(s, 13)
    s.box("shade", 21.4, 3.6, 25, 11)
    s.box("body", 5.4, 13, 26.6, 29.4)
    s.polygon("shade", (1.6, 15.4), (16, 2.4), (30.4, 15.4))
    s.line("light", 0.9, (4.6, 14), (16, 3.9))
    s.box("wood", 13.2, 20, 18.8, 29.4, 0.8)
    s.ellipse("lamp", 17.5, 25, 0.7)
    s.box("lamp", 7.6, 18, 11.6, 22, 0.5)
    s.box("lamp", 20.4, 18, 24.4, 22, 0.5)
    s.ellipse("lamp", 16, 10.8, 1.9)


def tree(s: Sketch) -> None:
    """A round crown."""
    _shadow(s, 9)
    s.polygon("wood", (14.2, 18), (17.8, 18), (18.8, 29.6), (13.2, 29.6))
    for x, y, r in ((10.0, 15.6, 6.8), (22.0, 15.6, 6.8), (16.0, 17.0, 6.4), (16.0, 9.4, 7.4)):
        s.ellipse("shade", x, y, r)
    for x, y, r in ((9.6, 14.6, 5.8), (21.6, 14.6, 5.8), (15.6, 14.6, 5), (15.8, 8.6, 6.5)):
        s.ellipse("body", x, y, r)
    for x, y in ((13.4, 6.2), (7.6, 12.6), (19.8, 12.8)):
        s.ellipse("light", x, y, 1.7, 1.3)


def flower(s: Sketch) -> None:
    """Six petals."""
    _shadow(s, 6)
    s.line("leaf", 1.9, (16, 14), (16.2, 29.4))
    s.ellipse("leaf", 11.8, 24, 4, 1.9)
    s.ellipse("leaf", 20.4, 22.4, 4, 1.9)
    for step in range(6):
        angle = math.pi * (step / 3 + 1 / 6)
        s.ellipse("body", 16 + 5.6 * math.cos(angle), 10.8 + 5.4 * math.sin(angle), 3.9)
    for step in range(6):
        angle = math.pi * (step / 3 + 1 / 6)
        s.ellipse("light", 16 + 6.4 * math.cos(angle), 10.4 + 6.2 * math.sin(angle), 1.3)
    s.ellipse("wood", 16, 10.8, 3.5)
    s.ellipse("lamp", 15.4, 10.2, 1.6)


def dog(s: Sketch) -> None:
    """Sitting, from the front."""
    _shadow(s, 10)
    s.line("shade", 2.6, (22, 26), (26.4, 23.4), (27.2, 19.6))
    s.box("body", 9.4, 16, 22.6, 29.6, 5)
    s.ellipse("light", 16, 23.6, 3.4, 4.4)
    s.ellipse("body", 11.6, 28, 3, 2)
    s.ellipse("body", 20.4, 28, 3, 2)
    s.ellipse("body", 16, 10.4, 8.2, 8)
    s.ellipse("shade", 7.6, 11, 2.9, 5.8)
    s.ellipse("shade", 24.4, 11, 2.9, 5.8)
    s.ellipse("light", 16, 13.8, 4.2, 3.2)
    s.ellipse("dark", 16, 12.2, 1.8, 1.3)
    s.ellipse("dark", 12.4, 8.8, 1.2, 1.5)
    s.ellipse("dark", 19.6, 8.8, 1.2, 1.5)
    s.line("dark", 0.7, (16, 13), (16, 15.2))


def cat(s: Sketch) -> None:
    """Sitting, from the front, tail up."""
    _shadow(s, 9)
    s.line("shade", 2.6, (21, 27.6), (26.6, 26.6), (27.6, 21), (25.6, 18.6))
    s.box("body", 10.2, 15, 21.8, 29.6, 5)
    s.ellipse("body", 12.6, 28.2, 2.7, 1.8)
    s.ellipse("body", 19.4, 28.2, 2.7, 1.8)
    s.polygon("body", (7.4, 11), (7.2, 1.8), (14, 5.4))
    s.polygon("body", (24.6, 11), (24.8, 1.8), (18, 5.4))
    s.polygon("shade", (8.8, 7.6), (8.6, 4.2), (11.4, 5.6))
    s.polygon("shade", (23.2, 7.6), (23.4, 4.2), (20.6, 5.6))
    s.ellipse("body", 16, 10.8, 8.8, 7.2)
    s.ellipse("lamp", 12.2, 10, 1.8, 2)
    s.ellipse("lamp", 19.8, 10, 1.8, 2)
    s.ellipse("dark", 12.2, 10, 0.75, 1.8)
    s.ellipse("dark", 19.8, 10, 0.75, 1.8)
    s.polygon("dark", (15, 12.6), (17, 12.6), (16, 13.8))
    for side in (-1, 1):
        s.line("dark", 0.45, (16 + side * 4.4, 13.4), (16 + side * 9.6, 12.6))
        s.line("dark", 0.45, (16 + side * 4.4, 14.4), (16 + side * 9.2, 15.4))


def person(s: Sketch) -> None:
    """Standing, from the front; the colour is the shirt's."""
    _shadow(s, 8)
    s.box("denim", 11.6, 21, 15.4, 29.4, 1)
    s.box("denim", 16.6, 21, 20.4, 29.4, 1)
    s.box("dark", 10.6, 28, 15.4, 30, 0.9)
    s.box("dark", 16.6, 28, 21.4, 30, 0.9)
    s.line("shade", 3, (10.8, 15.4), (7, 21.4))
    s.line("shade", 3, (21.2, 15.4), (25, 21.4))
    s.ellipse("skin", 6.9, 22.2, 1.7)
    s.ellipse("skin", 25.1, 22.2, 1.7)
    s.box("body", 9.8, 13, 22.2, 23.4, 3.4)
    s.ellipse("wood", 16, 7, 6.4, 5.8)
    s.ellipse("skin", 16, 8.4, 5.4, 5)
    s.ellipse("wood", 16, 3.8, 5, 2)
    s.ellipse("dark", 13.8, 8.4, 0.8, 1)
    s.ellipse("dark", 18.2, 8.4, 0.8, 1)
    s.line("dark", 0.6, (14.4, 11), (16, 11.6), (17.6, 11))


def boat(s: Sketch) -> None:
    """A sailing boat."""
    s.ellipse("wave", 16, 28.2, 14.4, 2)
    s.box("wood", 15.3, 2.4, 16.9, 21)
    s.polygon("white", (18, 3.6), (28, 18.4), (18, 18.4))
    s.polygon("body", (18, 11.6), (23.4, 11.6), (25.3, 14.4), (18, 14.4))
    s.polygon("light", (14, 6), (14, 18.4), (5.4, 18.4))
    s.polygon("body", (2, 20), (30, 20), (25.4, 28.4), (6.6, 28.4))
    s.polygon("shade", (3.9, 23.4), (28.1, 23.4), (25.4, 28.4), (6.6, 28.4))
    for x in (10, 16, 22):
        s.ellipse("white", x, 22, 0.9)
    s.line("foam", 0.9, (4, 28.8), (9, 28), (14, 28.8), (19, 28), (24, 28.8), (28, 28.2))


def bus(s: Sketch) -> None:
    """Facing right, long and tall, with a row of windows."""
    _shadow(s, 14.6)
    s.box("body", 1.6, 3.4, 30.4, 25.6, 3.4)
    s.box("shade", 1.6, 20.8, 30.4, 25.6, 2.2)
    s.line("light", 1.0, (5, 5.2), (24, 5.2))
    s.box("glass", 3.4, 7.6, 19, 14.6, 0.9)
    s.box("glass", 21, 7.6, 30.4, 14.6, 0.9)
    s.box("glass", 21, 7.6, 25.2, 22.6, 0.9)
    for x, y in ((8.6, 14.6), (13.8, 14.6), (25.6, 14.6)):
        s.line("dark", 0.8, (x, 7.6), (x, y))
    s.box("white", 1.6, 16.8, 19, 18.6)
    s.ellipse("lamp", 28.8, 19, 1.3, 1.6)
    for x in (8.4, 24.8):
        s.ellipse("dark", x, 25.4, 4.0)
        s.ellipse("steel", x, 25.4, 1.8)


def bird(s: Sketch) -> None:
    """A plump songbird, facing right."""
    _shadow(s, 8)
    for x in (13, 17.6):
        s.line("dark", 1.2, (x, 23), (x, 29), (x + 2.6, 29))
    s.polygon("shade", (9, 13.4), (1.6, 9.4), (2.8, 13.4), (1.6, 17), (9.4, 20.6))
    s.ellipse("body", 14.8, 17, 9.6, 7.8)
    s.ellipse("body", 20, 9.4, 7, 6.6)
    s.ellipse("light", 18.6, 19.6, 5.4, 4.4)
    s.polygon("lamp", (25.8, 7), (30.4, 9.8), (26, 12.2))
    s.ellipse("shade", 11.8, 15.8, 5.8, 4.2)
    s.polygon("shade", (6.4, 17), (4.8, 21.6), (14, 19.4))
    s.ellipse("dark", 22, 8.2, 1.3, 1.5)


def balloon(s: Sketch) -> None:
    """A hot-air balloon that stands on its basket."""
    _shadow(s, 8)
    for x in (-1, 1):
        s.line("dark", 0.8, (16 + x * 4.6, 19), (16 + x * 3.2, 26))
    for label, half, foot in (("shade", 11.6, 4.2), ("body", 8.0, 2.9), ("light", 3.6, 1.3)):
        s.ellipse(label, 16, 11.4, half, 10)
        s.polygon(label, (16 - half * 0.86, 16.6), (16 + half * 0.86, 16.6), (16 + foot, 22), (16 - foot, 22))
    s.box("wood", 11.8, 24.4, 20.2, 29.8, 1.2)
    s.box("lamp", 11.8, 25.6, 20.2, 26.8)


def mushroom(s: Sketch) -> None:
    """A round cap with white dots, on a thick stem."""
    s.ellipse("body", 16, 15.2, 14.2, 12.8)
    s.ellipse("light", 8.6, 8.2, 1.9, 1.3)
    for x, y, r in ((15.4, 7.6, 2.8), (6.8, 13, 2.1), (23.8, 10.6, 2.5), (13.8, 14.2, 1.7)):
        s.ellipse("white", x, y, r)
    s.box("ground", 0, 17.2, 32, 32)
    _shadow(s, 9)
    s.ellipse("shade", 16, 17.2, 13.6, 2.6)
    s.box("foam", 11.2, 17, 20.8, 29.6, 3)
    s.box("steel", 17.6, 18.6, 20.8, 29.6, 2.4)
    s.polygon("leaf", (5.4, 29.8), (7, 23.6), (8.6, 27.4), (10.6, 24.8), (11.4, 29.8))
    s.polygon("leaf", (21, 29.8), (22.4, 26), (24, 28), (25.8, 24.6), (26.6, 29.8))


def hat(s: Sketch) -> None:
    """In a sketch of 32x16; its brim touches the head below."""
    s.box("body", 10.6, 2.6, 21.4, 14, 2)
    s.box("shade", 10.6, 9.2, 21.4, 12.4)
    s.line("light", 0.9, (13, 4.6), (13, 8.4))
    s.box("body", 6.6, 12.2, 25.4, 16, 1.6)


OBJECTS: dict[str, Callable[[Sketch], None]] = {
    "car": car, "house": house, "tree": tree, "flower": flower, "dog": dog, "cat": cat, "person": person, "boat": boat,
    "bus": bus, "bird": bird, "balloon": balloon, "mushroom": mushroom,
}  # fmt: skip
