"""Portable bundle -> bundle for one kind of device, written, judged and published. Needs the `quantize` extra."""

from .overrides import Override, override
from .precisions import CPU, GPU, METHODS
from .quantize import Quantized, quantize, run
from .request import QuantizeRequest
from .static import Static
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
