"""Calibration ranges and second moments of a bundle's tensors, and evaluation. Needs the `quantize` extra."""

from .calibrate import calibrate
from .run_requests import CalibrationWarning
from .summary import summary
from .thresholds import METHODS

__all__ = ["METHODS", "CalibrationWarning", "calibrate", "summary"]
