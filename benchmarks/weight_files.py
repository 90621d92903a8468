"""Safetensors files of bf16 tensors whose weights are written one at a time."""

import json
import math
import struct
from typing import Any, BinaryIO, TypeAlias

Shapes: TypeAlias = dict[str, tuple[int, ...]]


def write_header(file: BinaryIO, shapes: Shapes) -> dict[str, int]:
    """Write the header of a file of these tensors; return where each begins in it and, under "", where it ends."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 2 * math.prod(shape)
        header[name] = {"dtype": "BF16", "shape": list(shape), "data_offsets": [start, end]}
    encoded = json.dumps(header).encode()
    encoded += b" " * (-len(encoded) % 8)
    file.write(struct.pack("<Q", len(encoded)) + encoded)
    first = file.tell()
    return {name: first + header[name]["data_offsets"][0] for name in shapes} | {"": first + end}
