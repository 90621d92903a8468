"""Work refused because it does not fit into the memory that is available: said before it begins, in one line."""

import os
from typing import Final

from ..bundle import Bundle
from ..errors import MemoryShortError
from .available import available_bytes
from .predict import on_cpu, tokenizer_bytes, weights_bytes

IGNORE: Final = "EDGEVLO_IGNORE_MEMORY"
FOR_REQUEST: Final = "for this request"


def check_opening(bundle: Bundle) -> None:
    """Raise `MemoryShortError` when not even the backbone's weights fit into what is available.

    The KV cache and the other graphs depend on the request, which is checked when it comes.
    """
    manifest = bundle.manifest
    least = tokenizer_bytes(manifest) + weights_bytes(bundle.folder, manifest, ("backbone",))
    check_available(bundle, least, "to be opened")


def check_available(bundle: Bundle, needed: int, purpose: str) -> None:
    """Raise `MemoryShortError`, saying what to do, unless so many bytes are available; unknown counts as available."""
    available = available_bytes()
    if not on_cpu(bundle.manifest) or os.environ.get(IGNORE) == "1" or available is None or needed <= available:
        return
    smaller = ", a smaller size or a shorter prompt" if purpose == FOR_REQUEST else ""
    raise MemoryShortError(
        f"{bundle.manifest.name} needs {_in_words(needed)} of memory {purpose}, and {_in_words(available)} are "
        f"available. Use a smaller bundle (edgevlo quantize --weights int8 or int4){smaller}, or set {IGNORE}=1 to try."
    )


def _in_words(size: int) -> str:
    return f"{size / 1e9:.2f} GB" if size >= 1e9 else f"{size / 1e6:.1f} MB"
