"""How a picture was made, written into its PNG. Knows text chunks and XMP, not models.

- `parameters`: the text chunk that image tools read for prompt, seed and settings (A1111's convention).
- XMP: the machine-readable mark of AI-made pictures, as IPTC's digital source type and as GB 45438's `AIGC` label.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from xml.sax.saxutils import escape

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from ..errors import RequestError
from ..files import check_writable, write_whole

PRODUCER: Final = "EdgeVLo"
PARAMETERS: Final = "parameters"
_XMP: Final = "XML:com.adobe.xmp"
_XMP_TEMPLATE: Final = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">
<Iptc4xmpExt:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</Iptc4xmpExt:DigitalSourceType>
<TC260:AIGC>{label}</TC260:AIGC>
</rdf:Description></rdf:RDF></x:xmpmeta>
<?xpacket end="r"?>"""


def provenance(
    prompt: str, negative_prompt: str, settings: Mapping[str, object], producer: str, digest: str
) -> dict[str, str]:
    """Return the text chunks of a painted picture; `digest` names the model that painted it."""
    lines = [" ".join(prompt.split())]
    if negative_prompt:
        lines.append(f"Negative prompt: {' '.join(negative_prompt.split())}")
    lines.append(", ".join(f"{name}: {value}" for name, value in settings.items()))
    return {PARAMETERS: "\n".join(lines), **ai_mark(producer, f"{digest[:16]}-{settings.get('Seed', '')}")}


def ai_mark(producer: str, produce_id: str) -> dict[str, str]:
    """Return the text chunk that marks a picture as made by AI."""
    label = json.dumps({"Label": "1", "ContentProducer": producer, "ProduceID": produce_id}, ensure_ascii=False)
    return {_XMP: _XMP_TEMPLATE.format(label=escape(label))}


def check_png(path: Path) -> None:
    """Raise `RequestError` for another ending than `.png` and `OutputError` if the file cannot be written."""
    check_writable(path)
    if path.suffix.lower() != ".png":
        raise RequestError(f"{path} does not end in .png; pictures are written as PNG, which keeps them exact.")


def save_png(picture: Image.Image, path: str | Path) -> None:
    """Write a PNG with the picture's provenance; an existing file is replaced only by a whole new one.

    Raises what `check_png` raises, and `OutputError` when the disk is full.
    """
    path = Path(path)
    check_png(path)
    chunks = PngInfo()
    for key in (PARAMETERS, _XMP):
        if isinstance(text := picture.info.get(key), str):
            chunks.add_itxt(key, text)
    write_whole(path, lambda file: picture.save(file, format="PNG", pnginfo=chunks))
