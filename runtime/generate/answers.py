"""Text answers: their tokens one by one, and detections read out of them. Knows no pictures."""

import re
import warnings
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from .raster import Step

# name x0 y0 x1 y1, the last two exclusive
_DETECTION: Final = re.compile(r"^(?P<label>\D*[^\d\s-])\s*(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})$")
_SEPARATOR: Final = re.compile("[;；]")

Box: TypeAlias = tuple[int, int, int, int]
NextToken: TypeAlias = Callable[[], int]


class AnswerWarning(UserWarning):
    """A part of the model's answer could not be read."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A found object: its name and its box (left, top, right, bottom) in pixels of the picture that was asked about."""

    label: str
    box: Box


def answer(next_token: NextToken, step: Step, stop: Collection[int], max_tokens: int) -> Iterator[int]:
    """Yield the tokens of an answer until one of `stop`; the prompt has been read."""
    for _ in range(max_tokens):
        token = next_token()
        if token in stop:
            return
        yield token
        step((token,))


def read_detections(text: str, scale: tuple[float, float]) -> list[Detection]:
    """Read `name x0 y0 x1 y1; ...`, multiplying by `scale` (across, down); warn of parts that are no such thing."""
    found = []
    for part in filter(None, (part.strip() for part in _SEPARATOR.split(text))):
        match = _DETECTION.match(part)
        left, top, right, bottom = (int(match[i]) for i in range(2, 6)) if match else (0, 0, 0, 0)
        if match and left < right and top < bottom:
            found.append(Detection(match["label"].strip(), _scaled((left, top, right, bottom), scale)))
        elif part.lower() not in _NOTHING:
            warnings.warn(f"the model's answer {part[:80]!r} names no box; it is left out", AnswerWarning, stacklevel=2)
    return found


_NOTHING: Final = {"none", "nothing", "无", "没有"}


def _scaled(box: Box, scale: tuple[float, float]) -> Box:
    left, top, right, bottom = box
    return round(left * scale[0]), round(top * scale[1]), round(right * scale[0]), round(bottom * scale[1])
