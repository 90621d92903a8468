"""Weights that lie on a grid, stored as whole numbers of 16 bits and widened exactly: half the bytes on disk.

    W float32 ─► Conv               becomes    K int16 ─► Cast(float32) ─► Mul(2^n) ─► Conv
    W float32 ─► Gather ─► ...      becomes    K int16 ─► Gather ─► Cast(float32) ─► Mul(2^n) ─► ...

ONNX Runtime folds the first when it opens the graph. Of a table only the rows that are read are widened, so that the
table itself stays in its file. n is one for the whole tensor, or one for each index of its last or first axis.
"""

from typing import Final

import numpy as np
import onnx_ir as ir

from edgevlo.runtime.arrays import Floats

from ._graph import constant, lazy_constant, read_constant
from .half_storage import SMALLEST

_MANTISSA_BITS: Final = 24
_LOWEST_EXPONENT: Final = -126  # of a float32 that is not subnormal
_OF_ZERO: Final = 1000  # zero is a multiple of any power
_INT16: Final = np.iinfo(np.int16)


class Int16StoragePass(ir.passes.InPlacePass):
    """Store every large float32 initializer that is a whole number of 16 bits times a power of two as that number."""

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Apply the rule above to initializers that are not outputs."""
        values = model.graph.initializers.values()
        found = [(value, steps) for value in values if (steps := _steps_of(value)) is not None]
        for value, steps in found:
            _store(model.graph, value, steps)
        return ir.passes.PassResult(model, modified=bool(found))


def grid_steps(numbers: Floats, axis: int | None = None) -> Floats | None:
    """Return the largest powers of two of which every number is a multiple by an int16; None if there are none.

    One power for the whole tensor, or one for each index of an axis; they broadcast to the numbers.
    """
    if not np.isfinite(numbers).all():
        return None
    others = tuple(one for one in range(numbers.ndim) if axis is None or one != axis % numbers.ndim)
    mantissas, exponents = np.frexp(numbers)
    whole = np.ldexp(mantissas, _MANTISSA_BITS).astype(np.int32)
    zeros = np.frexp((whole & -whole).astype(np.float32))[1] - 1  # how many zeros the mantissa ends with
    lowest = np.where(numbers == 0, _OF_ZERO, exponents + zeros - _MANTISSA_BITS).min(axis=others, keepdims=True)
    if lowest.min() < _LOWEST_EXPONENT:
        return None
    steps: Floats = np.ldexp(np.float32(1), np.where(lowest == _OF_ZERO, 0, lowest)).astype(np.float32)
    with np.errstate(over="ignore"):
        multiples = numbers / steps
    if multiples.min() < _INT16.min or multiples.max() > _INT16.max:
        return None
    if axis is None:
        return steps.reshape(())
    return steps.reshape(-1) if axis == -1 else steps  # of the last axis for rows of any number of dimensions


def _steps_of(value: ir.Value) -> Floats | None:
    """Return the steps of a large initializer's grid; None for one that is to stay as it is."""
    tensor = value.const_value
    if tensor is None or tensor.dtype != ir.DataType.FLOAT or tensor.size < SMALLEST or value.is_graph_output():
        return None
    if len(tensor.shape) == 1:
        axes: tuple[int | None, ...] = (None,)
    elif any(_is_lookup(use.node, use.idx) for use in value.uses()):
        axes = (-1,)
    else:  # a matrix over the columns of such a table has their steps, so that both can share their numbers
        axes = (0, -1)
    numbers = read_constant(tensor)
    found = (grid_steps(numbers, axis) for axis in axes)
    return next((steps for steps in found if steps is not None), None) if value.uses() else None


def _store(graph: ir.Graph, value: ir.Value, steps: Floats) -> None:
    assert value.const_value is not None
    exact, name = value.const_value, f"{value.name}.int16"
    multiples = lazy_constant(
        graph, name, ir.DataType.INT16, exact.shape.numpy(), lambda: (read_constant(exact) / steps).astype(np.int16)
    )
    step = constant(graph, f"{value.name}.step", steps)
    for node in [use.node for use in value.uses() if _is_lookup(use.node, use.idx)]:
        _widen_rows(graph, node, multiples, step)
    others = list(value.uses())
    if others:
        cast, widened = _widened(multiples, step, f"{value.name}.widened")
        widened.outputs[0].shape, widened.outputs[0].type = value.shape, value.type
        for use in others:
            use.node.replace_input_with(use.idx, widened.outputs[0])
        graph.insert_before(graph[0], [cast, widened])
    del graph.initializers[str(value.name)]


def _is_lookup(node: ir.Node, index: int) -> bool:
    if node.op_type != "Gather" or index != 0 or node.outputs[0].is_graph_output():
        return False
    return "axis" not in node.attributes or node.attributes["axis"].as_int() == 0


def _widen_rows(graph: ir.Graph, gather: ir.Node, multiples: ir.Value, step: ir.Value) -> None:
    """Let a Gather read whole numbers, and widen what it has read."""
    rows = gather.outputs[0]
    readers = list(rows.uses())
    cast, widened = _widened(rows, step, f"{gather.name}.widened")
    widened.outputs[0].shape, widened.outputs[0].type = rows.shape, rows.type
    for use in readers:
        use.node.replace_input_with(use.idx, widened.outputs[0])
    gather.replace_input_with(0, multiples)
    rows.type = ir.TensorType(ir.DataType.INT16)
    graph.insert_after(gather, [cast, widened])


def _widened(value: ir.Value, step: ir.Value, name: str) -> tuple[ir.Node, ir.Node]:
    cast = ir.node("Cast", [value], attributes={"to": ir.DataType.FLOAT}, name=f"{name}.cast")
    cast.outputs[0].shape, cast.outputs[0].type = value.shape, ir.TensorType(ir.DataType.FLOAT)
    return cast, ir.node("Mul", [cast.outputs[0], step], name=name)
