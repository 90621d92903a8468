"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `export` extra."""

from .calibrated import Static
from .modules import layers, named_products
from .quantizer import Progress, choice_of, quantize
from .recipes import CPU, GPU, METHODS, Override

__all__ = [
    "CPU",
    "GPU",
    "METHODS",
    "Override",
    "Progress",
    "Static",
    "choice_of",
    "layers",
    "named_products",
    "quantize",
]
