"""Weights on a grid become whole numbers of 16 bits, and no output changes by it."""

from pathlib import Path

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from graph_runs import FLOAT

from edgevlo.export.graphs.graph_builder import Network, write_graph
from edgevlo.quantization.passes.int16_storage import Int16StoragePass, grid_steps
from edgevlo.runtime.arrays import Array, Floats
from edgevlo.runtime.memory.onnx_shapes import read_weights

STEP = 2.0**-13


def on_grid(*shape: int) -> Floats:
    steps = np.random.default_rng(3).integers(-32768, 32768, shape)
    steps.flat[:3] = -32768, 32767, 0
    return (steps * STEP).astype(np.float32)


@pytest.mark.parametrize(
    ("numbers", "exponent"),
    [
        ([-32768.0, 32767.0], 0),
        ([1.0, 32768.0], None),  # 2^15 is not an int16, and no coarser grid has both
        ([65536.0, -131072.0], 16),
        ([0.0, 0.0], 0),
        ([3 * 2.0**-126], -126),
        ([3 * 2.0**-127], None),  # a step that is subnormal may be flushed to zero
        ([1.0, 2.0**-15], None),
        ([1.0, 2.0**-14], -14),
        ([1.0, float("nan")], None),
        ([1.0, float("-inf")], None),
    ],
)
def test_the_grid_of_numbers_is_found(numbers: list[float], exponent: int | None) -> None:
    steps = grid_steps(np.array(numbers, np.float32))
    assert steps == (None if exponent is None else 2.0**exponent)


def lookup_and_product(table: Floats, matrix: Floats) -> ir.Model:
    """Rows of a table and a product: how an image decoder and an image tokenizer read a codebook."""
    net = Network("graph", 20)
    codes = net.input("codes", ir.DataType.INT64, ("N",))
    entering = net.input("x", FLOAT, ("M", len(matrix)))
    held = net.weight("table", table.shape, lambda: table)
    weights = net.weight("matrix", matrix.shape, lambda: matrix)
    net.output(net.op("Relu", net.op("Gather", held, codes)), "rows", FLOAT, ("N", table.shape[1]))
    net.output(net.op("MatMul", entering, weights), "products", FLOAT, ("M", matrix.shape[1]))
    return net.model()


def outputs(path: Path, table: Floats, matrix: Floats) -> list[Array]:
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    x = np.random.default_rng(5).standard_normal((7, len(matrix))).astype(np.float32)
    feeds = {"codes": np.array([0, len(table) - 1, 3, 3]), "x": x}
    return list(ort.InferenceSession(path, options).run(None, feeds))


def scaled(numbers: Floats, axis: int) -> Floats:
    """Give each index along an axis a grid of its own, and one of them only zeros."""
    powers = np.ldexp(np.float32(1), np.arange(numbers.shape[axis]) % 40 - 20)
    powers[1] = 0
    made: Floats = numbers * np.expand_dims(powers, tuple({0, 1} - {axis})).astype(np.float32)
    return made + np.float32(0)  # a zero loses its sign


@pytest.mark.parametrize("scale", [False, True])
def test_tables_and_matrices_take_half_the_bytes_and_give_the_same_bits(tmp_path: Path, scale: bool) -> None:
    table, matrix = on_grid(500, 33), on_grid(64, 300)
    if scale:  # a codebook whose columns are weighted, and its transpose
        table, matrix = scaled(table, 1), scaled(matrix, 0)
    model = lookup_and_product(table, matrix)
    write_graph(model, tmp_path / "exact.onnx")
    assert Int16StoragePass()(model).modified
    write_graph(model, tmp_path / "small.onnx")

    exact, small = (outputs(tmp_path / name, table, matrix) for name in ("exact.onnx", "small.onnx"))

    for one, other in zip(exact, small, strict=True):
        assert one.tobytes() == other.tobytes()
    sizes = [(tmp_path / f"{name}.onnx.data").stat().st_size for name in ("exact", "small")]
    assert sizes[1] <= sizes[0] / 2 + 4096  # a matrix begins on a page


def test_a_table_is_widened_after_its_rows_are_read(tmp_path: Path) -> None:
    model = lookup_and_product(on_grid(500, 33), on_grid(64, 300))
    Int16StoragePass()(model)
    (gather,) = [node for node in model.graph if node.op_type == "Gather"]
    assert gather.inputs[0] is not None
    assert gather.inputs[0].dtype == ir.DataType.INT16


def test_what_is_not_on_a_grid_or_small_stays_as_it_is() -> None:
    table, matrix = on_grid(500, 33), on_grid(20, 30)
    table[7, 7] = np.float32(0.1)
    model = lookup_and_product(table, matrix)
    assert not Int16StoragePass()(model).modified
    assert set(model.graph.initializers) == {"table", "matrix"}


def test_a_looked_up_table_that_is_an_output_too_is_widened_whole(tmp_path: Path) -> None:
    table = on_grid(500, 33)
    net = Network("graph", 20)
    codes = net.input("codes", ir.DataType.INT64, ("N",))
    net.output(net.op("Gather", net.weight("table", table.shape, lambda: table), codes), "rows", FLOAT, ("N", 33))
    model = net.model()
    assert Int16StoragePass()(model).modified
    write_graph(model, tmp_path / "graph.onnx")
    (rows,) = ort.InferenceSession(tmp_path / "graph.onnx").run(["rows"], {"codes": np.array([499, 0])})
    assert rows.tobytes() == table[[499, 0]].tobytes()


def test_memory_counts_matrices_that_are_widened_and_not_tables_that_stay_in_their_file(tmp_path: Path) -> None:
    table, matrix = on_grid(500, 33), on_grid(64, 300)
    model = lookup_and_product(table, matrix)
    Int16StoragePass()(model)
    write_graph(model, tmp_path / "graph.onnx")
    assert read_weights(tmp_path / "graph.onnx").half == matrix.size * 2
