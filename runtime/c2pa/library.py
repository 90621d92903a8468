"""The C2PA library, an optional extra, told to stay offline and to embed no thumbnails."""

import importlib
from importlib.util import find_spec
from typing import Any, Final

from ..errors import EdgevloError
from ..extras import install_command

EXTRA: Final = "c2pa"
_SETTINGS: Final = {
    "version": 1,
    "verify": {"remote_manifest_fetch": False, "ocsp_fetch": False},
    "builder": {"thumbnail": {"enabled": False}},
}


def is_installed() -> bool:
    """Whether the library is there; it is not loaded for that."""
    return find_spec("c2pa") is not None


def library() -> Any:
    """Return the library; raise `EdgevloError` with the command that installs it."""
    try:
        return importlib.import_module("c2pa")
    except ImportError as error:
        raise EdgevloError(
            f"Content Credentials need edgevlo's extra '{EXTRA}', which is not installed: {install_command(EXTRA)}."
        ) from error


def context(anchors: str = "") -> Any:
    """Return the library's settings; `anchors` are certificates in PEM whose signatures count as trusted."""
    trust = {"trust": {"trust_anchors": anchors}} if anchors else {}
    return library().Context.from_dict(_SETTINGS | trust)


def media_type(name: str) -> str:
    """Return the media type of one of Pillow's formats; of none, that of any bytes."""
    return f"image/{name.lower()}" if name else "application/octet-stream"
