"""Portable bundle -> bundle for one kind of device, written, judged and published. Needs the `quantize` extra."""

from .precision_recipes import CPU, GPU, METHODS
from .quantize import Quantized, quantize, run
from .request import QuantizeRequest
from .requested_precisions import Override, override
from .static_quantization import Static
from .targets.emulation import open_emulated

__all__ = [
    "CPU",
    "GPU",
    "METHODS",
    "Override",
    "QuantizeRequest",
    "Quantized",
    "Static",
    "open_emulated",
    "override",
    "quantize",
    "run",
]
