"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `export` extra."""

from .calibrated import Static
from .emulation import open_emulated
from .modules import layers, named_products
from .quantizer import Progress, check_request, choice_of, quantize
from .recipes import CPU, GPU, METHODS, Override, override

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
