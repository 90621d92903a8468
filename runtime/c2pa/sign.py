"""A painted picture's file with a signed C2PA manifest in it; every other byte of its marks stays."""

import datetime
import io
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from ..arguments import wrong_type
from ..errors import EdgevloError, RequestError, first_line
from ..pictures.read_marks import marks_of, origin_of_file
from .device import identity
from .library import context, library, media_type
from .manifest import How, definition, ingredient


def prepare() -> None:
    """Raise now what signing would raise for lack of the library or of a place for the key, which is made."""
    library()
    identity()


def sign(content: bytes, sources: Sequence[bytes] = (), how: How | None = None) -> bytes:
    """Return a PNG, JPEG, WebP or AVIF with a manifest signed by this device's own key, made now where there is none.

    `sources` are the files that the picture was made of: what they say of themselves, their own manifests included, is
    kept as that of ingredients. `how` is "painted", "edited" or "perceived"; with sources it is edited if not given.

    The manifest says what the picture's IPTC mark says. Raises `RequestError` for a picture without one: only what AI
    painted is signed; `EdgevloError` where the extra `c2pa` is missing.
    """
    if not isinstance(content, bytes):
        raise wrong_type("content", content, "the bytes of a picture file")
    marks = marks_of(content, "the picture")
    if marks.source_type is None or not marks.by_ai:
        raise RequestError("the picture is not marked as made by AI; only pictures that a model painted are signed.")
    how = how or ("edited" if sources else "painted")
    if (how == "painted") == bool(sources):
        which = "no sources; leave them out" if sources else "sources; give their files"
        raise RequestError(f"a picture that was {how} has {which}.")
    c2pa, device, signed = library(), identity(), io.BytesIO()
    said = definition(how, marks.source_type, len(sources), _version(), datetime.datetime.now(datetime.UTC))
    try:
        info = c2pa.C2paSignerInfo(
            alg=c2pa.C2paSigningAlg.ES256, sign_cert=device.chain.encode(), private_key=device.key, ta_url=None
        )
        with c2pa.Builder(said, context()) as builder, c2pa.Signer.from_info(info) as signer:
            for number, source in enumerate(sources):
                _add(builder, number, how, source)
            builder.sign(signer, media_type(marks.format), io.BytesIO(content), signed)
    except c2pa.C2paError as error:
        raise EdgevloError(f"the picture cannot be signed ({first_line(error)}).") from error
    return signed.getvalue()


def _add(builder: Any, number: int, how: How, source: bytes) -> None:
    """Add a source; one whose own manifest is too damaged to be copied is added as any bytes are, which says so."""
    origin, kind = origin_of_file(source)
    said = ingredient(number, how, origin)
    try:
        builder.add_ingredient(said, media_type(kind), io.BytesIO(source))
    except library().C2paError:
        damaged = "its manifest cannot be read"
        said["description"] = f"{said['description']}; {damaged}" if "description" in said else damaged
        builder.add_ingredient(said, media_type(""), io.BytesIO(source))


def _version() -> str:
    try:
        return version("edgevlo")
    except PackageNotFoundError:  # a source tree that was never installed
        return "unknown"
