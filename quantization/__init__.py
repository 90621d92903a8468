"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `export` extra."""

from .calibrated import Static
from .quantizer import Progress, quantize
from .recipes import CPU, GPU

__all__ = ["CPU", "GPU", "Progress", "Static", "quantize"]
