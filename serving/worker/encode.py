"""Pictures as files in memory, with the marks of AI-made pictures in every format."""

import io
from typing import Any, Final

from PIL import Image

from edgevlo.runtime.c2pa.manifest import How
from edgevlo.runtime.c2pa.sign import sign
from edgevlo.runtime.pictures.write_marks import marked, without_prompt

from ..engine.messages import Output, Task

_LIGHT: Final = 1


def encode(picture: Image.Image, output: Output, *, in_haste: bool = False) -> bytes:
    """Return a picture as a file that keeps its marks, and its prompt only if that was asked for.

    `in_haste`, while it is painted, PNGs are compressed lightly.
    """
    picture = marked(picture if output.embed_prompt else without_prompt(picture), {})
    options: dict[str, Any] = {"quality": output.quality}
    if output.format == "png":
        options = {"compress_level": _LIGHT} if in_haste else {}
    if output.format == "jpeg":
        # At full quality colours keep their resolution: 4:2:0 would blur what the model painted sharply.
        options["subsampling"] = "4:4:4" if output.quality >= 90 else "4:2:0"
    buffer = io.BytesIO()
    picture.save(buffer, format=output.format.upper(), **options)
    return buffer.getvalue()


def signed(content: bytes, task: Task) -> bytes:
    """Return a finished picture's file, signed by this device where that was asked for."""
    if not task.output.c2pa:
        return content
    how: How = "painted" if task.ability == "paint" else "edited" if task.ability == "edit" else "perceived"
    return sign(content, task.pictures, how)


def encode_fast(picture: Image.Image) -> bytes:
    """Return a small picture of rows as PNG, lightly compressed: exact, and made faster than WebP of the same rows."""
    buffer = io.BytesIO()
    picture.save(buffer, format="PNG", compress_level=_LIGHT)
    return buffer.getvalue()
