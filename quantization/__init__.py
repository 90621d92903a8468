"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `quantize` extra."""

from edgevlo.runtime.arrays import Progress

from .modules import layers, named_products
from .recipes import CPU, GPU, METHODS, Override, override
from .static import Static
from .targets.emulation import open_emulated
from .write_bundle import check_request, choice_of, quantize

__all__ = [
    "CPU",
    "GPU",
    "METHODS",
    "Override",
    "Progress",
    "Static",
    "check_request",
    "choice_of",
    "layers",
    "named_products",
    "open_emulated",
    "override",
    "quantize",
]
