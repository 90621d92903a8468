"""What a picture says of where it comes from: IPTC's digital source type, and the `AIGC` label of GB 45438."""

import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from PIL import Image

XMP: Final = "XML:com.adobe.xmp"  # Pillow's name of it in a PNG, and the PNG chunk's keyword
_XMP_NAMES: Final = (XMP, "xmp")
_SOURCE_TYPE: Final = re.compile(rb"digitalsourcetype/(\w+)", re.IGNORECASE)
_LABEL: Final = re.compile(r"AIGC(?:>|\s*=\s*[\"'])(\{[^{}]*\})")  # one object: nothing is read twice
_BY_AI: Final = "algorithmicmedia"


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The marks of a picture's origin; None where it has none. They are claims: nothing here verifies them."""

    source_type: str | None = None  # IPTC's digital source type, such as trainedAlgorithmicMedia
    label: dict[str, str] | None = None  # AIGC of GB 45438

    @property
    def by_ai(self) -> bool:
        """Whether the picture says that an AI made it or a part of it."""
        made = self.source_type is not None and _BY_AI in self.source_type.lower()
        return made or (self.label is not None and self.label.get("Label") in ("1", "2", "3"))


@dataclass(frozen=True, slots=True)
class Composition:
    """What a picture was made of: whether other people's pixels are in it, and the marks that the sources had."""

    is_composite: bool = False
    ingredients: tuple[Origin, ...] = ()

    @classmethod
    def of(cls, origins: tuple[Origin, ...], *, edited: bool) -> "Composition":
        """Return what became of pictures; an edit of one that no AI is said to have made is a composite."""
        marks = tuple(one for one in origins if one != Origin())
        return cls(edited and not all(one.by_ai for one in origins), marks)


def origin_of(xmp: str, manifest: bytes = b"") -> Origin:
    """Return what XMP says, and where that names no source type what a C2PA manifest does, as text and unverified.

    A manifest names the types of ingredients too; that of an AI comes before others.
    """
    named = [one.decode() for one in _SOURCE_TYPE.findall(xmp.encode(errors="replace"))[:1]]
    named = named or [one.decode() for one in _SOURCE_TYPE.findall(manifest)]
    named.sort(key=lambda name: _BY_AI not in name.lower())
    return Origin(source_type=named[0] if named else None, label=_label(xmp))


def xmp_of(info: Mapping[Any, Any]) -> str:
    """Return the XMP that Pillow found in a file; empty where there is none."""
    found = next((info[name] for name in _XMP_NAMES if name in info), "")
    return found.decode("utf-8", errors="replace") if isinstance(found, bytes) else str(found)


def origin_of_image(image: Image.Image) -> Origin:
    """Return the origin of a picture that Pillow opened, or that this package painted."""
    return origin_of(xmp_of(image.info))


def _label(xmp: str) -> dict[str, str] | None:
    found = _LABEL.search(html.unescape(xmp))
    try:
        label = json.loads(found[1]) if found else None
    except (ValueError, RecursionError):
        return None
    return {str(name): str(value) for name, value in label.items()} if isinstance(label, dict) else None
