"""Large blocks of memory go back to the system when they are freed. Knows only the C library."""

import ctypes
from typing import Final

_M_MMAP_THRESHOLD: Final = -3  # man 3 mallopt
_OWN_PAGES: Final = 1_000_000  # bytes from which on a block gets pages of its own


def give_back_large_blocks() -> None:
    """Let large blocks of this process have pages of their own, which are given back when the block is freed.

    glibc raises that size to 32 MB as such blocks are freed, and keeps the smaller ones: after Janus-Pro's vision
    encoder was read tensor by tensor, of 4 to 16 MB each, 0.9 GB of nothing stayed resident; beside what its image
    decoder holds in its last layers, 0.2 GB of its earlier ones. Other C libraries are left alone.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError, TypeError):  # no glibc
        return
    mallopt(_M_MMAP_THRESHOLD, _OWN_PAGES)
