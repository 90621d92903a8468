"""WebP: header, alpha and the first image, without profiles, EXIF, XMP and the frames after it."""

from typing import Final

from . import exif, vp8l
from .contents import ANIMATED, MAX_XMP, Contents, UnreadableError, check_parts, number

_ICC_EXIF_XMP: Final = 0x2C  # flags of VP8X for what is left out
_DECODING: Final = 17  # bytes a pixel in libwebp's animation decoder, measured, the picture's own four included
_KEPT: Final = frozenset((b"VP8X", b"ANIM", b"ALPH", b"VP8 ", b"VP8L"))
_FRAME: Final = 24  # bytes of an animation's frame before the chunks in it
_LOSSLESS: Final = 1  # compression of an ALPH chunk


def inspect(content: bytes) -> Contents:
    """Return size and pixels of a WebP's first frame."""
    if content[8:12] != b"WEBP":
        raise UnreadableError("it is another kind of RIFF file")
    kept: list[bytes] = []
    size, frames, parts, tables, at = (0, 0), 0, 0, 0, 12
    orientation, xmp, manifest = None, "", b""
    seen = set[bytes]()  # decoders take the first chunk of each kind
    while at + 8 <= len(content):
        parts += 1
        kind, length = content[at : at + 4], number(content, at + 4, 4, "little")
        end = at + 8 + length + length % 2
        chunk = content[at:end]
        if size == (0, 0) and kind in (b"VP8X", b"VP8 ", b"VP8L"):
            size = _size(kind, chunk)
        if kind == b"VP8X":
            chunk = chunk[:8] + bytes([chunk[8] & ~_ICC_EXIF_XMP]) + chunk[9:]
        if kind == b"EXIF":
            orientation = orientation or exif.orientation(chunk[8 : 8 + length])
        elif kind == b"XMP ":
            xmp = chunk[8 : 8 + min(length, MAX_XMP)].decode("utf-8", errors="replace")
        elif kind == b"C2PA":
            manifest = chunk[8 : 8 + length]
        frames += kind == b"ANMF"
        if kind == b"ANMF" and frames == 1:
            kept.append(chunk)
            tables = _frame_tables(chunk)
        elif kind in _KEPT and kind not in seen:
            kept.append(chunk)
            tables = max(tables, _tables(chunk, size))
        seen.add(kind)
        at = end
    check_parts(parts)
    body = b"WEBP" + b"".join(kept)
    return Contents(
        format="WEBP",
        size=size,
        pixels=b"RIFF" + len(body).to_bytes(4, "little") + body,
        orientation=orientation or exif.orientation_in_xmp(xmp) or 1,
        change=ANIMATED if frames > 1 else None,
        decoding=_DECODING,
        xmp=xmp,
        manifest=manifest,
        extra=tables,
    )


def _tables(chunk: bytes, size: tuple[int, int]) -> int:
    """Return the bytes that a decoder takes for the Huffman tables of a chunk in a picture of this size."""
    kind = chunk[:4]
    if kind == b"VP8L":
        return vp8l.table_bytes(chunk[13:], _size(kind, chunk))
    if kind == b"ALPH" and chunk[8:9] and chunk[8] & 3 == _LOSSLESS:
        return vp8l.table_bytes(chunk[9:], size)
    return 0


def _frame_tables(frame: bytes) -> int:
    """Return the same for a frame of an animation, of which decoders take the first chunk of each kind."""
    size = number(frame, 14, 3, "little") + 1, number(frame, 17, 3, "little") + 1
    most, parts, seen, at = 0, 0, set[bytes](), _FRAME
    while at + 8 <= len(frame):
        parts += 1
        end = at + 8 + number(frame, at + 4, 4, "little")
        if frame[at : at + 4] not in seen:
            seen.add(frame[at : at + 4])
            most = max(most, _tables(frame[at:end], size))
        at = end + end % 2
    check_parts(parts)
    return most


def _size(kind: bytes, chunk: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return number(chunk, 12, 3, "little") + 1, number(chunk, 15, 3, "little") + 1
    if kind == b"VP8L":
        bits = number(chunk, 9, 4, "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    return number(chunk, 14, 2, "little") & 0x3FFF, number(chunk, 16, 2, "little") & 0x3FFF
