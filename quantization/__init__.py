"""Portable bundle -> target bundle: graph passes and weight-only quantisation. Needs the `export` extra."""

from .quantizer import Progress, quantize
from .recipes import RECIPES

__all__ = ["RECIPES", "Progress", "quantize"]
