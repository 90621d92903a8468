"""Detections read out of a text answer. Knows no models and no pictures."""

import re
import warnings
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
