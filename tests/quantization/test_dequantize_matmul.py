"""Quantised weights dequantised in front of their products, as TensorRT takes them."""

from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
from graph_runs import error, product, run

from edgevlo.export.graphs.graph_builder import write_graph
from edgevlo.quantization.passes.dequantize_matmul import DequantizeMatMulPass
from edgevlo.quantization.passes.half_precision import HalfPrecisionPass
from edgevlo.quantization.precision_recipes import INT4
from edgevlo.quantization.weight_only.int4_int8_matmul_nbits import MatMulNBitsPass
from edgevlo.runtime.errors import BundleError

FLOAT, HALF = ir.DataType.FLOAT, ir.DataType.FLOAT16


@pytest.mark.parametrize("bits", [4, 8])
@pytest.mark.parametrize(("inputs", "block"), [(64, 32), (256, 128), (100, 32)])  # 100: the last block is not whole
def test_dequantised_products_are_those_of_matmulnbits(tmp_path: Path, bits: int, inputs: int, block: int) -> None:
    random = np.random.default_rng(bits)
    matrix = random.standard_normal((inputs, 40)).astype(np.float32)
    matrix[:block, 3] = 0  # a block of zeros, whose scale is 0
    model = product(matrix)
    MatMulNBitsPass(replace(INT4, bits=bits, block_size=block))(model)
    for node in model.graph:
        node.attributes.pop("accuracy_level")  # products in float32, so that both sides are exact
    feeds = {"x": random.standard_normal((5, inputs)).astype(np.float32)}
    (exact,) = run(model, tmp_path, feeds)
    assert DequantizeMatMulPass()(model).modified
    kinds = Counter(node.op_type for node in model.graph)
    assert kinds == ({"DequantizeLinear": 1, "MatMul": 1} if inputs % block == 0 else {"MatMul": 1})
    (found,) = run(model, tmp_path, feeds)
    # int8: where ORT's scale is negative, 128 becomes 127, one step in one weight of a block.
    np.testing.assert_allclose(found, exact, atol=1e-4 if bits == 4 else 0.15, rtol=0)
    assert error(found, exact) < (1e-6 if bits == 4 else 5e-3)


@pytest.mark.parametrize("bits", [4, 8])
def test_scales_are_what_tensorrt_takes(tmp_path: Path, bits: int) -> None:
    matrix = np.random.default_rng(0).standard_normal((64, 40)).astype(np.float32)
    matrix[:32, 3], matrix[32:, 5] = 0, 1e-12
    model = product(matrix)
    MatMulNBitsPass(replace(INT4, bits=bits, block_size=32))(model)
    DequantizeMatMulPass()(model)
    HalfPrecisionPass("fp16")(model)
    write_graph(model, tmp_path / "graph.onnx")
    (node,) = [one for one in ir.load(tmp_path / "graph.onnx").graph if one.op_type == "DequantizeLinear"]
    weight, scale = (value.const_value for value in node.inputs[:2] if value is not None)
    assert weight is not None
    assert scale is not None
    assert (weight.dtype, scale.dtype) == ({4: ir.DataType.INT4, 8: ir.DataType.INT8}[bits], HALF)
    assert np.all(scale.numpy() != 0)
    assert bits == 4 or np.all(scale.numpy() > 0)
    assert len(node.inputs) == 2  # symmetric: no zero point


def nbits(**changes: Any) -> ir.Model:
    model = product(np.ones((32, 8), np.float32))
    MatMulNBitsPass(INT4)(model)
    (node,) = model.graph
    for name, value in changes.items():
        node.attributes[name] = ir.AttrInt64(name, value)
    return model


def test_zero_points_are_refused() -> None:
    model = nbits()
    (node,) = model.graph
    zero = ir.Value(name="zero", const_value=ir.tensor(np.zeros((8, 1), np.uint8), name="zero"))
    model.graph.register_initializer(zero)
    inputs, attributes = [*node.inputs, zero], dict(node.attributes)
    new = ir.node("MatMulNBits", inputs, attributes=attributes, domain=node.domain, name="linear")
    ir.convenience.replace_nodes_and_values(model.graph, node, [node], [new], node.outputs, new.outputs)
    with pytest.raises(BundleError, match="linear has zero points, and TensorRT quantises symmetrically"):
        DequantizeMatMulPass()(model)


def test_two_bits_are_refused() -> None:
    with pytest.raises(BundleError, match="linear has weights of 2 bits, which TensorRT does not support"):
        DequantizeMatMulPass()(nbits(bits=2))
