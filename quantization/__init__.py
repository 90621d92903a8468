"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `export` extra."""

from .calibrated import Static
from .quantizer import Progress, quantize
from .recipes import RECIPES

__all__ = ["RECIPES", "Progress", "Static", "quantize"]
