"""Pictures as files in memory, with the marks of AI-made pictures in every format."""

import io
from typing import Any, Final

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from edgevlo.runtime.pictures.marks import PARAMETERS

from ..engine.messages import Output

_XMP: Final = "XML:com.adobe.xmp"


def encode(picture: Image.Image, output: Output) -> bytes:
    """Return a picture as a file that keeps its marks, and its prompt only if that was asked for."""
    xmp = picture.info.get(_XMP)
    buffer = io.BytesIO()
    if output.format == "png":
        chunks = PngInfo()
        if isinstance(parameters := picture.info.get(PARAMETERS), str):
            chunks.add_itxt(PARAMETERS, parameters if output.embed_prompt else parameters.rpartition("\n")[2])
        if isinstance(xmp, str):
            chunks.add_itxt(_XMP, xmp)
        picture.save(buffer, format="PNG", pnginfo=chunks)
        return buffer.getvalue()
    options: dict[str, Any] = {"quality": output.quality}
    if isinstance(xmp, str):
        options["xmp"] = xmp.encode()
    if output.format == "jpeg":
        # At full quality colours keep their resolution: 4:2:0 would blur what the model painted sharply.
        options["subsampling"] = "4:4:4" if output.quality >= 90 else "4:2:0"
    picture.save(buffer, format=output.format.upper(), **options)
    return buffer.getvalue()


def encode_strip(picture: Image.Image) -> bytes:
    """Return a row's small picture as PNG, lightly compressed: exact, and made faster than WebP of the same row."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=1)
    return buffer.getvalue()
