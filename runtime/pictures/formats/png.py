"""PNG: the chunks that hold pixels, without text, profiles, times and the frames of an animation."""

import zlib
from typing import Final

from . import exif
from .contents import ANIMATED, MAX_XMP, Contents, UnreadableError, check_parts, number

_GREY, _RGB, _PALETTE = 0, 2, 3  # kinds of colour, those without an alpha channel
_KEPT: Final = frozenset((b"IHDR", b"IDAT"))
_END: Final = b"\0\0\0\0IEND\xaeB`\x82"
_SIGNATURE: Final = 8
_XMP: Final = b"XML:com.adobe.xmp\0"
_RAW_EXIF: Final = b"Raw profile type exif\0"  # ImageMagick's: a text of hexadecimal digits after three lines
_MAX_RAW_EXIF: Final = 2**17  # characters
_OPAQUE: Final = "has a damaged note of what is transparent, which is left out"


def inspect(content: bytes) -> Contents:
    """Return size and pixels of a PNG; one that is cut off after its pixels is whole."""
    if content[12:16] != b"IHDR":
        raise UnreadableError("its first chunk is not IHDR")
    depth, colours = content[24], content[25]
    kept, frames, parts, at = [content[:_SIGNATURE]], 1, 0, _SIGNATURE
    orientation, in_text, change = None, None, None
    xmp, manifest = "", b""
    while at + 8 <= len(content):
        parts += 1
        length, kind = number(content, at, 4, "big"), content[at + 4 : at + 8]
        end = at + 12 + length
        if kind in _KEPT or (kind == b"PLTE" and colours == _PALETTE):
            kept.append(content[at:end] if end <= len(content) else _chunk(kind, content[at + 8 : end - 4]))
        elif kind == b"tRNS" and colours in (_GREY, _RGB, _PALETTE):
            chunk = _transparency(content[at:end], depth, colours)
            kept.append(chunk)
            change = change if chunk else _OPAQUE
        elif kind == b"eXIf":
            orientation = orientation or exif.orientation(content[at + 8 : end - 4])
        elif kind == b"acTL":
            frames = number(content, at + 8, 4, "big")
        elif kind == b"iTXt" and not xmp and content.startswith(_XMP, at + 8):
            xmp = _text(content[at + 8 + len(_XMP) : end - 4])
        elif kind in (b"tEXt", b"zTXt") and content.startswith(_RAW_EXIF, at + 8):
            in_text = in_text or exif.orientation(_raw_exif(kind, content[at + 8 + len(_RAW_EXIF) : end - 4]))
        elif kind == b"caBX":
            manifest = content[at + 8 : end - 4]
        elif kind == b"IEND":
            break
        at = end
    check_parts(parts)
    return Contents(
        format="PNG",
        size=(number(content, 16, 4, "big"), number(content, 20, 4, "big")),
        pixels=b"".join([*kept, _END]),
        orientation=orientation or in_text or exif.orientation_in_xmp(xmp) or 1,
        change=ANIMATED if frames > 1 else change,
        xmp=xmp,
        manifest=manifest,
    )


def _transparency(chunk: bytes, depth: int, colours: int) -> bytes:
    """Return a tRNS chunk as Pillow takes it, whose pixels have 8 bits by then; empty for a damaged one.

    Of grey of 16 bits it has all bits; those of colours are gone, so that the upper 8 must do.
    """
    data = chunk[8:-4]
    is_whole = len(data) <= 256 if colours == _PALETTE else len(data) == (2 if colours == _GREY else 6)
    if not is_whole or zlib.crc32(chunk[4:-4]) != number(chunk, len(chunk) - 4, 4, "big"):
        return b""
    if colours == _GREY and depth in (2, 4):
        grey = number(data, 0, 2, "big") % 2**depth * 255 // (2**depth - 1)
        data = grey.to_bytes(2, "big")
    elif colours == _RGB and depth == 16:
        data = b"".join(bytes((0, high)) for high in data[::2])
    return _chunk(b"tRNS", data)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")


def _raw_exif(kind: bytes, body: bytes) -> bytes:
    """Return the beginning of the EXIF in ImageMagick's text; nothing of a damaged one."""
    try:
        text = zlib.decompressobj().decompress(body[1:], _MAX_RAW_EXIF) if kind == b"zTXt" else body[:_MAX_RAW_EXIF]
        digits = b"".join(text.split(b"\n")[3:])
        return bytes.fromhex(digits[: len(digits) // 2 * 2].decode("ascii"))
    except (zlib.error, ValueError):
        return b""


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
