"""PNG: the chunks that hold pixels, without text, profiles, times and the frames of an animation."""

import zlib
from typing import Final

from . import exif
from .contents import ANIMATED, MAX_XMP, Contents, UnreadableError, check_parts, number

_KEPT: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
_SIGNATURE: Final = 8
_XMP: Final = b"XML:com.adobe.xmp\0"


def inspect(content: bytes) -> Contents:
    """Return size and pixels of a PNG."""
    if content[12:16] != b"IHDR":
        raise UnreadableError("its first chunk is not IHDR")
    kept, orientation, frames, parts, at = [content[:_SIGNATURE]], 1, 1, 0, _SIGNATURE
    xmp, manifest = "", b""
    while at + 8 <= len(content):
        parts += 1
        length, kind = number(content, at, 4, "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        if kind in _KEPT:
            kept.append(content[at:end])
        elif kind == b"eXIf":
            orientation = exif.orientation(content[at + 8 : end - 4])
        elif kind == b"acTL":
            frames = number(content, at + 8, 4, "big")
        elif kind == b"iTXt" and not xmp and content.startswith(_XMP, at + 8):
            xmp = _text(content[at + 8 + len(_XMP) : end - 4])
        elif kind == b"caBX":
            manifest = content[at + 8 : end - 4]
        if kind == b"IEND":
            break
        at = end
    check_parts(parts)
    return Contents(
        format="PNG",
        size=(number(content, 16, 4, "big"), number(content, 20, 4, "big")),
        pixels=b"".join(kept),
        orientation=orientation,
        change=ANIMATED if frames > 1 else None,
        xmp=xmp,
        manifest=manifest,
    )


def text_of(content: bytes, keyword: str) -> str | None:
    """Return the first text under a keyword in a PNG, at most `MAX_XMP` bytes of it; None where there is none."""
    named, at = keyword.encode("latin-1") + b"\0", _SIGNATURE
    while at + 8 <= len(content):
        kind, end = content[at + 4 : at + 8], at + 12 + number(content, at, 4, "big")
        if kind in (b"tEXt", b"iTXt") and content.startswith(named, at + 8):
            body = content[at + 8 + len(named) : end - 4]
            return body[:MAX_XMP].decode("latin-1") if kind == b"tEXt" else _text(body)
        at = end
    return None


def _text(body: bytes) -> str:
    """Return the text of an iTXt chunk from its compression flag on; damaged text is none."""
    _, _, after_language = body[2:].partition(b"\0")
    _, _, text = after_language.partition(b"\0")
    try:
        raw = zlib.decompressobj().decompress(text, MAX_XMP) if body[:1] == b"\1" else text[:MAX_XMP]
    except zlib.error:
        return ""
    return raw.decode("utf-8", errors="replace")
