"""Graphs run as they are written on ONNX Runtime's CPU provider, and graphs of one product."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort

from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.runtime.arrays import Array

FLOAT = ir.DataType.FLOAT


def session(path: Path) -> ort.InferenceSession:
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.log_severity_level = 1, 3
    # As written: dequantised products would become MatMulNBits over int8 activations.
    options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
    return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def run(model: ir.Model, folder: Path, feeds: dict[str, Array], outputs: list[str] | None = None) -> list[Array]:
    write_graph(model, folder / "graph.onnx")
    return list(session(folder / "graph.onnx").run(outputs, feeds))


def error(found: Array, exact: Array) -> float:
    return float(np.linalg.norm(found.astype(np.float64) - exact) / np.linalg.norm(exact.astype(np.float64)))


def product(matrix: Array, opset: int = 20) -> ir.Model:
    net = Network("product", opset)
    x = net.input("x", FLOAT, ("N", matrix.shape[0]))
    y = net.op("MatMul", x, net.weight("matrix", matrix.shape, lambda: matrix), name="linear")
    net.output(y, "y", FLOAT, ("N", matrix.shape[1]))
    return net.model()
