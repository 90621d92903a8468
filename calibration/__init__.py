"""Calibration ranges and second moments of a bundle's tensors, and evaluation. Needs the `quantize` extra."""

from .calibrate import calibrate
from .carry_out import CalibrationWarning
from .ranges import METHODS
from .summary import summary

__all__ = ["METHODS", "CalibrationWarning", "calibrate", "summary"]
