"""The bandwidth of a GPU's memory, through ONNX Runtime; onnx is not needed where this runs."""

import tempfile
import time
from pathlib import Path

import numpy as np


def bandwidth() -> float:
    """Return the measured bandwidth of the GPU's memory in bytes a second, counted once for what is read.

    By a graph that negates a gigabyte: it reads and writes as much.
    """
    import onnxruntime as ort

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "negation.onnx"
        path.write_bytes(negation())
        session = ort.InferenceSession(path, providers=["CUDAExecutionProvider"])
    size = 1 << 28
    x, y = (ort.OrtValue.ortvalue_from_shape_and_type((size,), np.float32, "cuda", 0) for _ in range(2))
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", x)
    binding.bind_ortvalue_output("y", y)
    session.run_with_iobinding(binding)
    seconds = []
    for _ in range(20):
        began = time.perf_counter()
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()
        seconds.append(time.perf_counter() - began)
    return 2 * 4 * size / min(seconds)


def negation() -> bytes:
    """Return an ONNX file of `y = -x`, written by hand as protobuf."""

    def field(number: int, content: bytes | int) -> bytes:
        if isinstance(content, int):
            return bytes([number << 3]) + varint(content)
        return bytes([number << 3 | 2]) + varint(len(content)) + content

    def varint(value: int) -> bytes:
        out = bytearray()
        while value >= 128:
            out.append(value & 127 | 128)
            value >>= 7
        return bytes([*out, value])

    def tensor(name: bytes) -> bytes:
        shape = field(2, field(1, field(2, b"n")))
        return field(1, name) + field(2, field(1, field(1, 1) + shape))

    node = field(1, b"x") + field(2, b"y") + field(4, b"Neg")
    graph = field(1, node) + field(2, b"negated") + field(11, tensor(b"x")) + field(12, tensor(b"y"))
    return field(1, 8) + field(7, graph) + field(8, field(1, b"") + field(2, 13))
