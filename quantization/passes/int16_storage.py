"""Weights that lie on a grid, stored as whole numbers of 16 bits and widened exactly: half the bytes on disk.

    W float32 ─► Conv               becomes    K int16 ─► Cast(float32) ─► Mul(2^n) ─► Conv
    W float32 ─► Gather ─► ...      becomes    K int16 ─► Gather ─► Cast(float32) ─► Mul(2^n) ─► ...

ONNX Runtime folds the first when it opens the graph. Of a table only the rows that are read are widened, so that the
table itself stays in its file.
"""

import math
from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Array, Floats

from ._graph import constant, lazy_constant, read_constant
from .half_storage import SMALLEST

_MANTISSA_BITS: Final = 24
_LOWEST_EXPONENT: Final = -126  # of a float32 that is not subnormal
_INT16: Final = np.iinfo(np.int16)


class Int16StoragePass(ir.passes.InPlacePass):
    """Store every large float32 initializer that is a whole number of 16 bits times a power of two as that number."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above to initializers that are not outputs."""
        found = [(value, step) for value in model.graph.initializers.values() if (step := _step_of(value)) is not None]
        for value, step in found:
            _store(model.graph, value, step)
        return ir.passes.PassResult(model, modified=bool(found))


def grid_exponent(numbers: Floats) -> int | None:
    """Return the largest n of which every number is an int16 times 2^n; None if there is none."""
    if not np.isfinite(numbers).all():
        return None
    mantissas, exponents = np.frexp(numbers[numbers != 0])
    if not mantissas.size:
        return 0
    whole = np.ldexp(mantissas, _MANTISSA_BITS).astype(np.int32)
    zeros = np.frexp((whole & -whole).astype(np.float32))[1] - 1  # how many zeros the mantissa ends with
    exponent = int((exponents + zeros).min()) - _MANTISSA_BITS
    if exponent < _LOWEST_EXPONENT:
        return None
    least, most = (math.ldexp(float(end), -exponent) for end in (numbers.min(), numbers.max()))
    return exponent if least >= _INT16.min and most <= _INT16.max else None


def _step_of(value: ir.Value) -> int | None:
    """Return the exponent of a large initializer's grid; None for one that is to stay as it is."""
    tensor = value.const_value
    if tensor is None or tensor.dtype != ir.DataType.FLOAT or tensor.size < SMALLEST or value.is_graph_output():
        return None
    return grid_exponent(read_constant(tensor)) if value.uses() else None


def _store(graph: ir.Graph, value: ir.Value, exponent: int) -> None:
    assert value.const_value is not None
    exact, name = value.const_value, f"{value.name}.int16"
    steps = lazy_constant(
        graph, name, ir.DataType.INT16, exact.shape.numpy(), lambda: _in_steps(read_constant(exact), exponent)
    )
    step = constant(graph, f"{value.name}.step", np.ldexp(np.float32(1), exponent))
    for node in [use.node for use in value.uses() if _is_lookup(use.node, use.idx)]:
        _widen_rows(graph, node, steps, step)
    others = list(value.uses())
    if others:
        cast, widened = _widened(steps, step, f"{value.name}.widened")
        widened.outputs[0].shape, widened.outputs[0].type = value.shape, value.type
        for use in others:
            use.node.replace_input_with(use.idx, widened.outputs[0])
        graph.insert_before(graph[0], [cast, widened])
    del graph.initializers[str(value.name)]


def _in_steps(numbers: Array, exponent: int) -> Array:
    return np.ldexp(numbers.astype(np.float64), -exponent).astype(np.int16)


def _is_lookup(node: ir.Node, index: int) -> bool:
    return node.op_type == "Gather" and index == 0 and not node.outputs[0].is_graph_output()


def _widen_rows(graph: ir.Graph, gather: ir.Node, steps: ir.Value, step: ir.Value) -> None:
    """Let a Gather read whole numbers, and widen what it has read."""
    rows = gather.outputs[0]
    readers = list(rows.uses())
    cast, widened = _widened(rows, step, f"{gather.name}.widened")
    widened.outputs[0].shape, widened.outputs[0].type = rows.shape, rows.type
    for use in readers:
        use.node.replace_input_with(use.idx, widened.outputs[0])
    gather.replace_input_with(0, steps)
    rows.type = ir.TensorType(ir.DataType.INT16)
    graph.insert_after(gather, [cast, widened])


def _widened(value: ir.Value, step: ir.Value, name: str) -> tuple[ir.Node, ir.Node]:
    cast = ir.node("Cast", [value], attributes={"to": ir.DataType.FLOAT}, name=f"{name}.cast")
    cast.outputs[0].shape, cast.outputs[0].type = value.shape, ir.TensorType(ir.DataType.FLOAT)
    return cast, ir.node("Mul", [cast.outputs[0], step], name=name)
