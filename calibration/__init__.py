"""Calibration data, activation ranges and quality: what a bundle's tensors hold. Needs the `quantize` extra."""

from .calibrate import CalibrationWarning, calibrate
from .ranges import METHODS
from .summary import summary

__all__ = ["METHODS", "CalibrationWarning", "calibrate", "summary"]
