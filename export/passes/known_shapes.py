"""Values get the shapes that follow from where they come from, where the exporter left them out.

GroupNorm becomes Reshape, InstanceNormalization, Reshape back, Mul and Add, and nothing in between has a shape. ONNX
Runtime writes a result over its input only where it knows that both are of one shape: with shapes, Janus-Pro's decoder
at 384x384 pixels holds one or two values of 75 MB less.
"""

import onnx_ir as ir


class KnownShapesPass(ir.passes.InPlacePass):
    """Apply two rules in the order of the graph.

    1. `Reshape(x, Shape(y))` has the shape of y.
    2. Mul or Add of a value and a constant whose sizes are 1 or the value's, counted from the right, has the value's.
    """

    def call(self, model: ir.Model) -> ir.passes.PassResult:
        """Give shapes to values that lack them."""
        modified = False
        for node in model.graph:
            if len(node.outputs) == 1 and not _known(node.outputs[0]) and (shape := _shape(node)) is not None:
                node.outputs[0].shape = ir.Shape(shape)
                modified = True
        return ir.passes.PassResult(model, modified)


def _known(value: ir.Value | None) -> bool:
    """Return whether every size is a number or named."""
    if value is None or value.shape is None:
        return False
    return all(isinstance(size, int) or size.value is not None for size in value.shape)


def _is_whole_shape(node: ir.Node) -> bool:
    """Return whether a node gives all sizes of its input; torch writes that it starts at the first."""
    return node.op_type == "Shape" and "end" not in node.attributes and node.attributes.get_int("start", 0) == 0


def _shape(node: ir.Node) -> ir.Shape | None:
    """Return the shape of a node's result by the rules; None where they say nothing."""
    if len(node.inputs) != 2:
        return None
    first, second = node.inputs
    if node.op_type == "Reshape" and second is not None:
        asked = second.producer()
        if asked is not None and _is_whole_shape(asked) and _known(asked.inputs[0]):
            assert asked.inputs[0] is not None
            return asked.inputs[0].shape
    if node.op_type in ("Mul", "Add"):
        for value, other in ((first, second), (second, first)):
            if value is not None and other is not None and other.const_value is not None and _known(value):
                assert value.shape is not None
                sizes = tuple(other.const_value.shape)
                if len(sizes) <= len(value.shape) and all(
                    size in (1, ours) for size, ours in zip(reversed(sizes), reversed(tuple(value.shape)), strict=False)
                ):
                    return value.shape
    return None
