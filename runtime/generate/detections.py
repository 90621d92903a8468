"""Detections read out of a text answer. Knows no models and no pictures."""

import re
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from .text import AnswerWarning

# name x0 y0 x1 y1, the last two exclusive
_DETECTION: Final = re.compile(r"^(?P<label>\D*[^\d\s-])\s*(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})$")
_SEPARATOR: Final = re.compile("[;；]")
_NOTHING: Final = {"none", "nothing", "无", "没有"}

Box: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Detection:
    """A found object: its name and its box (left, top, right, bottom) in pixels of the given picture."""

    label: str
    box: Box


def read_detections(text: str, scale: tuple[float, float]) -> list[Detection]:
    """Read `name x0 y0 x1 y1; ...`, multiplying by `scale` (across, down); warn of parts without a box."""
    found = []
    for part in filter(None, (part.strip() for part in _SEPARATOR.split(text))):
        match = _DETECTION.match(part)
        left, top, right, bottom = (int(match[i]) for i in range(2, 6)) if match else (0, 0, 0, 0)
        if match and left < right and top < bottom:
            found.append(Detection(match["label"].strip(), _scaled((left, top, right, bottom), scale)))
        elif part.lower() not in _NOTHING:
            warnings.warn(f"ignored {part[:80]!r} in the model's answer: it names no box", AnswerWarning, stacklevel=2)
    return found


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    left, top, right, bottom = box
    return round(left * scale[0]), round(top * scale[1]), round(right * scale[0]), round(bottom * scale[1])


def only_asked(found: Sequence[Detection], objects: Collection[str]) -> list[Detection]:
    """Return what bears one of the names that were asked for; warn of the rest, which a model adds by itself.

    "red car" is a car, and "cars" are; so is every longer or shorter name that holds the other in whole words.
    """
    if not objects:
        return list(found)
    asked = [_words(name) for name in objects]
    kept = [one for one in found if any(_is_same(_words(one.label), name) for name in asked)]
    if left := sorted({one.label for one in found if one not in kept}):
        warnings.warn(
            f"the model also named {', '.join(left)[:80]}, which was not asked for; it is left out",
            AnswerWarning,
            stacklevel=2,
        )
    return kept


def _words(name: str) -> str:
    """Return a name in small letters, words without the s of a plural; Chinese ones stay as they are."""
    return " ".join(word[:-1] if len(word) > 3 and word.endswith("s") else word for word in name.casefold().split())


def _is_same(label: str, asked: str) -> bool:
    if not label.isascii() or not asked.isascii():
        return label in asked or asked in label
    return f" {label} " in f" {asked} " or f" {asked} " in f" {label} "
