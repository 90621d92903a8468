"""How a picture was made, written into its file. Knows text chunks and XMP, not models.

- `parameters`: the text chunk that image tools read for prompt, seed and settings (A1111's convention).
- XMP: the machine-readable mark of AI-made pictures, as IPTC's digital source type and as GB 45438's `AIGC` label.

Signed manifests (C2PA) are written by `runtime/c2pa/`.
"""

import functools
import html
import io
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, Final, TypeAlias

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..arguments import wrong_type
from ..errors import ArgumentError, RequestError
from ..files import check_writable, write_whole
from .origin import XMP, Composition, Origin

Target: TypeAlias = str | bytes | os.PathLike[str] | os.PathLike[bytes] | IO[bytes]

PRODUCER: Final = "EdgeVLo"
PARAMETERS: Final = "parameters"
PAINTED: Final = "trainedAlgorithmicMedia"
COMPOSITE: Final = "compositeWithTrainedAlgorithmicMedia"
UNKNOWN: Final = "unknown"  # in a picture's `info` alone: what of the prompt the model does not know, one a line
READ_AS: Final = "Read as"  # the name of what a model made of the prompt before it painted; its value is JSON's
_READ_AS: Final = re.compile(rf', {READ_AS}: "(?:[^"\\]|\\.)*"')
_ENDINGS: Final = {
    ".png": "PNG", ".apng": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".jpe": "JPEG", ".jfif": "JPEG", ".webp": "WEBP",
    ".avif": "AVIF",
}  # fmt: skip
_MODES: Final = {"1", "L", "LA", "I", "I;16", "I;16B", "P", "RGB", "RGBA"}  # that PNG can hold
_MOST_OF_A_LABEL: Final = 1024  # bytes that an ingredient's label may have: a JPEG has room for 64 KB of XMP
SOURCE_TYPES: Final = "http://cv.iptc.org/newscodes/digitalsourcetype"
_XMP_TEMPLATE: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/" xmlns:xmpMM="http://ns.adobe.com/xap/1.0/mm/">
{own}
{ingredients}</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""
_PAINTED: Final = Composition()


def provenance(
    prompt: str,
    negative_prompt: str,
    settings: Mapping[str, object],
    producer: str,
    digest: str,
    composition: Composition = _PAINTED,
) -> dict[str, str]:
    """Return the text chunks of a painted picture; `digest` names the model that painted it."""
    lines = [" ".join(prompt.split())]
    if negative_prompt:
        lines.append(f"Negative prompt: {' '.join(negative_prompt.split())}")
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items()))
    mark = ai_mark(producer, f"{digest[:16]}-{settings.get('Seed', '')}", composition)
    return {PARAMETERS: "\n".join(lines), **mark}


def ai_mark(producer: str, produce_id: str, composition: Composition = _PAINTED) -> dict[str, str]:
    """Return the text chunk that marks a picture as made by AI, of other people's pictures or of none.

    Marks of the sources stand in it as those of ingredients.
    """
    own = Origin(
        source_type=COMPOSITE if composition.is_composite else PAINTED,
        label={"Label": "1", "ContentProducer": producer, "ProduceID": produce_id},
    )
    sources = [f'<rdf:li rdf:parseType="Resource">{_properties(one)}</rdf:li>' for one in composition.ingredients]
    bag = f"<xmpMM:Ingredients><rdf:Bag>{''.join(sources)}</rdf:Bag></xmpMM:Ingredients>\n" if sources else ""
    return {XMP: _XMP_TEMPLATE.format(own=_properties(own), ingredients=bag)}


def _properties(origin: Origin) -> str:
    """Return the XMP of an origin; a label too long to be one is left out."""
    kind, label = origin.source_type, json.dumps(origin.label, ensure_ascii=False) if origin.label else ""
    tag = "Iptc4xmpExt:DigitalSourceType"
    lines = [] if kind is None else [f"<{tag}>{SOURCE_TYPES}/{kind}</{tag}>"]
    if label and len(label.encode()) <= _MOST_OF_A_LABEL:
        lines.append(f"<TC260:AIGC>{html.escape(label, quote=False)}</TC260:AIGC>")
    return "\n".join(lines)


def without_prompt(picture: Image.Image) -> Image.Image:
    """Return the picture with a record of its making that names no words: size, seed and sampling stay."""
    if isinstance(parameters := picture.info.get(PARAMETERS), str):
        picture.info[PARAMETERS] = _READ_AS.sub("", parameters.rpartition("\n")[2])
    return picture


class MarkedPicture(Image.Image):
    """A picture that keeps the record of its making when it is saved.

    Pillow writes nothing of `info` by itself. `save` adds the text chunks and XMP to a PNG and XMP to JPEG, WebP and
    AVIF; other formats keep nothing. Pictures derived from this one (resized, cropped) are plain and keep `info` only:
    `save_png` and `png_bytes` write it for them too.
    """

    def save(self, fp: Target, format: str | None = None, **params: Any) -> None:  # noqa: A002  (Pillow's name)
        """Save as `PIL.Image.Image.save` does, with the marks; `pnginfo` and `xmp` given by the caller win."""
        super().save(fp, format, **{**_marks(self.info, _format(fp, format)), **params})

    def copy(self) -> Image.Image:
        """Return a copy that keeps the record too."""
        return marked(super().copy(), {})

    __copy__ = copy

    def __eq__(self, other: object) -> bool:
        """Whether two pictures are the same, plain ones included."""
        return isinstance(other, Image.Image) and self._plain() == MarkedPicture._plain(other)

    __hash__ = None  # type: ignore[assignment]  # as Pillow's pictures

    def _plain(self: Image.Image) -> tuple[object, ...]:
        return self.mode, self.size, self.info, self.getpalette(), self.tobytes()


def marked(picture: Image.Image, chunks: Mapping[Any, Any]) -> Image.Image:
    """Return the picture, a plain one, with these text chunks, which it keeps when it is saved."""
    picture.__class__ = MarkedPicture
    picture.info.update(chunks)
    return picture


def _format(fp: Target, given: str | None) -> str:
    """Return the format that Pillow saves in: the given one, or that of the file's ending."""
    if given:
        return given.upper()
    name = fp if isinstance(fp, str | bytes | os.PathLike) else getattr(fp, "name", None)
    if not isinstance(name, str | bytes | os.PathLike):
        return ""  # an open file without a name: Pillow asks for the format
    return _ENDINGS.get(Path(os.fsdecode(name)).suffix.lower(), "")


def _marks(info: Mapping[Any, Any], kind: str) -> dict[str, Any]:
    """Return the arguments with which Pillow writes a picture's marks in a format; none where it cannot."""
    if kind == "PNG":
        chunks = PngInfo()
        for key in (PARAMETERS, XMP):
            if isinstance(text := info.get(key), str):
                chunks.add_itxt(key, text)
        return {"pnginfo": chunks}
    xmp = info.get(XMP)
    return {"xmp": xmp.encode()} if kind in ("JPEG", "WEBP", "AVIF") and isinstance(xmp, str) else {}


def check_png(path: Path) -> None:
    """Raise `RequestError` for another ending than `.png` and `OutputError` if the file cannot be written."""
    check_writable(path)
    if path.suffix.lower() != ".png":
        raise RequestError(f"{path} does not end in .png; pictures are written as PNG, which keeps every pixel.")


def save_png(picture: Image.Image, target: str | os.PathLike[str] | IO[bytes]) -> None:
    """Write a PNG with the picture's marks into a file or a binary file object.

    An existing file is replaced only by a whole new one. Raises what `check_png` raises, and `OutputError` when the
    disk is full.
    """
    _check_picture(picture)
    if isinstance(target, str | os.PathLike):
        path = Path(target)
        check_png(path)
        write_whole(path, functools.partial(_write_png, picture))
    elif hasattr(target, "write") and not isinstance(target, io.TextIOBase):
        _write_png(picture, target)
    else:
        raise wrong_type("target", target, "a path or a binary file")


def png_bytes(picture: Image.Image) -> bytes:
    """Return the picture as a PNG with its marks."""
    _check_picture(picture)
    buffer = io.BytesIO()
    _write_png(picture, buffer)
    return buffer.getvalue()


def _check_picture(picture: Image.Image) -> None:
    if not isinstance(picture, Image.Image):
        raise wrong_type("picture", picture, "a PIL image")
    if picture.mode not in _MODES or 0 in picture.size:
        size = "x".join(map(str, picture.size))
        raise ArgumentError(f"picture is {size} in {picture.mode}, which no PNG is; give picture.convert('RGB').")


def _write_png(picture: Image.Image, file: IO[bytes]) -> None:
    picture.save(file, format="PNG", **_marks(picture.info, "PNG"))
