"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `export` extra."""

from .quantizer import Progress, quantize
from .recipes import CPU, GPU

__all__ = ["CPU", "GPU", "Progress", "quantize"]
