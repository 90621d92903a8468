"""Detections read out of a text answer. Knows no models and no pictures."""

import re
import unicodedata
import warnings
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from .text import AnswerWarning

# name x0 y0 x1 y1, the last two exclusive
_DETECTION: Final = re.compile(r"^(?P<label>\D*[^\d\s-])\s*(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})\s+(\d{1,5})$")
_SEPARATOR: Final = re.compile("[;；]")
_FAR: Final = 99_999  # the largest number of a box
_NOTHING: Final = {"none", "nothing", "无", "没有"}

# Of English plurals, what comes at the end of the word and of its singular.
_PLURALS: Final = (("s", ""), ("es", ""), ("ies", "y"), ("ves", "f"), ("ves", "fe"))
_IRREGULAR: Final = {
    "people": "person", "men": "man", "women": "woman", "children": "child", "mice": "mouse", "geese": "goose",
    "feet": "foot", "teeth": "tooth",
}  # fmt: skip
_SHORT: Final = 3  # letters; "gas" and "bus" are no plurals
_MARKS: Final = re.compile(r"[^\w\s]|_")
_UNSPACED: Final = re.compile("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")  # scripts that write no spaces between words

Box: TypeAlias = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Detection:
    """A found object: its name and its box (left, top, right, bottom) in pixels of the given picture."""

    label: str
    box: Box


def read_detections(text: str, scale: tuple[float, float], size: tuple[int, int] = (_FAR, _FAR)) -> list[Detection]:
    """Read `name x0 y0 x1 y1; ...`, multiplying by `scale` (across, down); warn of parts without a box.

    Boxes are cut at `size`, the picture's width and height before they are scaled; one beyond it is none.
    """
    found = []
    for part in filter(None, (part.strip() for part in _SEPARATOR.split(text))):
        match = _DETECTION.match(part)
        left, top, *ends = (int(match[i]) for i in range(2, 6)) if match else (0, 0, 0, 0)
        right, bottom = map(min, ends, size)
        if match and left < right and top < bottom:
            found.append(Detection(match["label"].strip(), _scaled((left, top, right, bottom), scale)))
        elif part.lower().rstrip(".。!") not in _NOTHING:
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
    kept = [one for one in found if any(_is_same(one.label, name) for name in objects)]
    if left := sorted({one.label for one in found if one not in kept}):
        warnings.warn(
            f"the model also named {', '.join(left)[:80]}, which was not asked for; it is left out",
            AnswerWarning,
            stacklevel=2,
        )
    return kept


def _is_same(label: str, asked: str) -> bool:
    one, other = _plain(label), _plain(asked)
    if _UNSPACED.search(one) and _UNSPACED.search(other):
        return one in other or other in one
    short, long = sorted((list(map(_singulars, one.split())), list(map(_singulars, other.split()))), key=len)
    starts = range(len(long) - len(short) + 1) if short else ()
    return any(all(a & b for a, b in zip(short, long[start:], strict=False)) for start in starts)


def _plain(name: str) -> str:
    """Return a name in small letters, of one width, without marks between and after its words."""
    return " ".join(_MARKS.sub(" ", unicodedata.normalize("NFKC", name).casefold()).split())


def _singulars(word: str) -> frozenset[str]:
    """Return what the singular of an English word may be, itself among them."""
    found = {word, _IRREGULAR.get(word, word)}
    if len(word) > _SHORT:
        found |= {word[: -len(end)] + single for end, single in _PLURALS if word.endswith(end)}
    return frozenset(found)
