"""What a picture file says of how it was made: every mark that this package writes, and those of others it knows.

Reads the file's metadata and no pixel. That nothing is found proves nothing: whoever re-encodes a picture removes it.
"""

import io
import json
import re
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.sax.saxutils import unescape

from PIL import Image

from ..errors import PictureError, remedy
from .decode import read_file
from .marks import PARAMETERS

_SOURCE_TYPE: Final = re.compile(r"digitalsourcetype/(\w+)", re.IGNORECASE)
_LABEL: Final = re.compile(r"AIGC(?:>|\s*=\s*[\"'])(\{.*?\})", re.DOTALL)
_XMP: Final = ("XML:com.adobe.xmp", "xmp")
_C2PA: Final = b"c2pa"
_FORMATS: Final[tuple[str, ...]] = ("PNG", "JPEG", "WEBP", "AVIF")
_NO_PICTURE: Final = "{} is not a PNG, JPEG, WebP or AVIF file that can be read. Choose another."


@dataclass(frozen=True, slots=True, kw_only=True)
class Marks:
    """The marks of one file; None and empty where it has none."""

    format: str
    size: tuple[int, int]
    source_type: str | None  # IPTC's digital source type, such as trainedAlgorithmicMedia
    label: dict[str, str] | None  # AIGC of GB 45438
    parameters: str | None  # A1111's text chunk
    c2pa: bool  # a signed manifest is there; it was not verified

    @property
    def by_ai(self) -> bool:
        """Whether the file says that an AI made the picture or a part of it."""
        made = self.source_type is not None and "algorithmicmedia" in self.source_type.lower()
        return made or (self.label is not None and self.label.get("Label") in ("1", "2", "3"))


def read_marks(path: Path) -> Marks:
    """Return the marks of a PNG, JPEG, WebP or AVIF; raise `PictureError` for another file."""
    try:
        content = read_file(path)
    except OSError as error:
        raise PictureError(f"{path} cannot be read ({error.strerror}). {remedy(error, 'Choose another')}") from error
    return marks_of(content, str(path))


def marks_of(content: bytes, name: str) -> Marks:
    """Return the marks of a file in memory; `name` is what an error calls it."""
    try:
        Image.init()  # AVIF came to Pillow with 11.3
        known = tuple(one for one in _FORMATS if one in Image.OPEN)
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=known) as image:
            warnings.simplefilter("ignore")
            info, kind, size = dict(image.info), str(image.format), image.size
    except Exception as error:  # on damaged files Pillow raises errors of every kind
        raise PictureError(_NO_PICTURE.format(name)) from error
    xmp = next((_text(info[key]) for key in _XMP if key in info), "")
    source = _SOURCE_TYPE.search(xmp)
    parameters = info.get(PARAMETERS)
    return Marks(
        format=kind,
        size=size,
        source_type=source[1] if source else None,
        label=_label(xmp),
        parameters=parameters if isinstance(parameters, str) else None,
        c2pa=_C2PA in content,
    )


def _text(value: object) -> str:
    return value.decode("utf-8", errors="replace") if isinstance(value, bytes) else str(value)


def _label(xmp: str) -> dict[str, str] | None:
    found = _LABEL.search(unescape(xmp, {"&quot;": '"'}))
    try:
        label = json.loads(found[1]) if found else None
    except ValueError:
        return None
    return {str(name): str(value) for name, value in label.items()} if isinstance(label, dict) else None
