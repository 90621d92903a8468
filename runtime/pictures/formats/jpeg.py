"""JPEG: frame, tables and scans, without comments, profiles, previews and further pictures (MPO)."""

import re
from dataclasses import dataclass, field
from typing import Final

from . import exif
from .contents import SEVERAL, Contents, UnreadableError, check_parts, number

_MARKER: Final = re.compile(rb"\xff+([^\x00\xff])")
_NOT_DATA: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")  # a marker that ends a scan
_FRAMES: Final = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}
_PROGRESSIVE: Final = {0xC2, 0xC6, 0xCA, 0xCE}
_ARITHMETIC: Final = 8  # times the work of Huffman codes
_TABLES: Final = {0xC4, 0xCC, 0xDB, 0xDD}
_SCAN, _END, _APP0, _APP1, _MPF, _JUMBF, _ADOBE = 0xDA, 0xD9, 0xE0, 0xE1, 0xE2, 0xEB, 0xEE
_XMP: Final = b"http://ns.adobe.com/xap/1.0/\0"
_JUMBF_HEAD: Final = 8  # "JP", the box's number and the segment's
_MAX_SCANS: Final = 1000
_BITS: Final = 8  # of a colour, all that libjpeg decodes as it is built for Pillow


@dataclass(slots=True)
class _Found:
    kept: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: bytes = b""  # from its marker on
    scans: int = 0
    orientation: int | None = None
    several: bool = False
    xmp: str = ""
    manifest: list[bytes] = field(default_factory=list)


def inspect(content: bytes) -> Contents:
    """Return size and pixels of a JPEG; each scan passes over the whole picture."""
    found = _walk(content)
    frame = found.frame
    if not frame:
        raise UnreadableError("it has no frame")
    if found.scans > _MAX_SCANS:
        raise UnreadableError(f"it has more than {_MAX_SCANS} scans")
    if frame[4] != _BITS:
        raise UnreadableError(f"its colours have {frame[4]} bits; save it as PNG")
    width, height = number(frame, 7, 2, "big"), number(frame, 5, 2, "big")
    return Contents(
        format="JPEG",
        size=(width, height),
        pixels=b"".join(found.kept),
        orientation=found.orientation or exif.orientation_in_xmp(found.xmp) or 1,
        change=SEVERAL if found.several else None,
        extra=_coefficients(frame, width * height) if frame[1] in _PROGRESSIVE or found.scans > 1 else 0,
        work=width * height * max(1, found.scans) * (_ARITHMETIC if frame[1] > 0xC8 else 1),
        scales=frame[1] != 0xC3,  # a lossless one has no halves
        xmp=found.xmp,
        manifest=b"".join(found.manifest),
    )


def _walk(content: bytes) -> _Found:
    found, at, parts = _Found(), 2, 0
    while (match := _MARKER.search(content, at)) is not None:
        marker, start = match[1][0], match.end() - 2
        if marker == _END:
            break
        parts += 1
        if 0xD0 <= marker <= 0xD8 or marker == 1:  # markers without a length
            at = match.end()
            continue
        end = start + 2 + number(content, start + 2, 2, "big")
        if marker == _SCAN:
            found.scans += 1
            after = _NOT_DATA.search(content, end)
            end = len(content) if after is None else after.start()
        _take(found, marker, content[start:end])
        at = end
    check_parts(parts)
    found.kept.append(content[at:] if match is None else b"\xff\xd9")
    return found


def _take(found: _Found, marker: int, segment: bytes) -> None:
    """Keep a segment that decoding needs, and what is told of the picture in another."""
    body = segment[4:]
    if marker in _FRAMES:
        found.frame = found.frame or segment
    keeps = marker in _FRAMES | _TABLES or marker == _SCAN
    if keeps or (marker == _APP0 and body.startswith(b"JFIF")) or (marker == _ADOBE and body.startswith(b"Adobe")):
        found.kept.append(segment)
    elif marker == _APP1 and body.startswith(b"Exif\0"):
        found.orientation = found.orientation or exif.orientation(body)  # the first block that names one
    elif marker == _APP1 and body.startswith(_XMP):
        found.xmp = found.xmp or body[len(_XMP) :].decode("utf-8", errors="replace")
    elif marker == _JUMBF and body.startswith(b"JP") and (found.manifest or b"c2pa" in body):
        found.manifest.append(body[_JUMBF_HEAD:])
    elif marker == _MPF and body.startswith(b"MPF\0"):
        found.several = True


def _coefficients(frame: bytes, pixels: int) -> int:
    """Return the bytes in which libjpeg keeps the coefficients of all components until the last scan, two for each."""
    factors = [frame[11 + 3 * i] for i in range(frame[9])]
    across, down = max(factor >> 4 for factor in factors), max(factor & 15 for factor in factors)
    if not across or not down:
        raise UnreadableError("a sampling factor is 0")
    return sum(2 * pixels * (factor >> 4) * (factor & 15) // (across * down) for factor in factors)
