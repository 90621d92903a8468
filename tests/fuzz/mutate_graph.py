"""Damage of ONNX graphs that are still graphs: what only native code can judge."""

import random
from collections.abc import Callable
from typing import Final

import onnx

NUMBERS: Final = (0, -1, 1, 2, 3, 16, 255, 4096, 2**31 - 1, 2**31, 2**40, 2**62, -(2**31), -(2**63))
_TYPES: Final = tuple(onnx.TensorProto.DataType.values())


def damaged_graph(content: bytes, rng: random.Random) -> bytes:
    """Return a graph after one to three changes of nodes, attributes, tensors, shapes or versions."""
    model = onnx.load_from_string(content)
    for _ in range(rng.choice((1, 1, 2, 3))):
        rng.choice(_CHANGES)(model, rng)
    return bytes(model.SerializeToString())


def _attribute(model: onnx.ModelProto, rng: random.Random) -> None:
    nodes = [node for node in model.graph.node if node.attribute]
    attribute = rng.choice(rng.choice(nodes).attribute) if nodes else None
    if attribute is None or rng.randrange(6) == 0:
        rng.choice(model.graph.node).attribute.append(onnx.helper.make_attribute("axis", rng.choice(NUMBERS)))
    elif attribute.ints:
        attribute.ints[rng.randrange(len(attribute.ints))] = rng.choice(NUMBERS)
    elif attribute.type == onnx.AttributeProto.FLOAT:
        attribute.f = rng.choice((0.0, -1.0, float("nan"), float("inf"), 1e30))
    elif attribute.type == onnx.AttributeProto.STRING:
        attribute.s = rng.choice((b"", b"x", b"bilinear", b"SAME_UPPER", b"\xff" * 9, b"a" * 5000))
    else:
        attribute.i = rng.choice(NUMBERS)


def _operator(model: onnx.ModelProto, rng: random.Random) -> None:
    node, other = rng.choice(model.graph.node), rng.choice(model.graph.node)
    node.op_type = rng.choice(
        (other.op_type, "Div", "Mod", "Tile", "Expand", "Range", "ConstantOfShape", "Loop", "NoOp")
    )


def _input(model: onnx.ModelProto, rng: random.Random) -> None:
    nodes = [node for node in model.graph.node if node.input]
    names = [tensor.name for tensor in model.graph.initializer]
    names += [name for node in nodes for name in (*node.input, *node.output)] + ["", "absent"]
    node = rng.choice(nodes)
    change = rng.randrange(3)
    if change == 0:
        node.input.append(rng.choice(names))
    elif change == 1:
        node.input.pop()
    else:
        node.input[rng.randrange(len(node.input))] = rng.choice(names)


def _node(model: onnx.ModelProto, rng: random.Random) -> None:
    index = rng.randrange(len(model.graph.node))
    if rng.randrange(2):
        model.graph.node.append(model.graph.node[index])
    elif len(model.graph.node) > 1:
        del model.graph.node[index]


def _tensor(model: onnx.ModelProto, rng: random.Random) -> None:
    if not model.graph.initializer:
        return
    tensor = rng.choice(model.graph.initializer)
    change = rng.randrange(4)
    if change == 0 and tensor.dims:
        tensor.dims[rng.randrange(len(tensor.dims))] = rng.choice(NUMBERS)
    elif change == 1:
        tensor.data_type = rng.choice(_TYPES)
    elif change == 2 and tensor.external_data:
        rng.choice(tensor.external_data).value = rng.choice(("-1", "0", "64", str(2**40), "x", "../backbone.onnx.data"))
    elif tensor.raw_data:
        size, wide = len(tensor.raw_data), 8 if tensor.data_type == onnx.TensorProto.INT64 else 4
        value = rng.choice(NUMBERS).to_bytes(8, "little", signed=True)[:wide]
        at = rng.randrange(max(1, size // wide)) * wide
        tensor.raw_data = (tensor.raw_data[:at] + value + tensor.raw_data[at + wide :])[:size]


def _shape(model: onnx.ModelProto, rng: random.Random) -> None:
    value = rng.choice((*model.graph.input, *model.graph.output))
    kind = value.type.tensor_type
    if kind.shape.dim and rng.randrange(2):
        rng.choice(kind.shape.dim).dim_value = rng.choice(NUMBERS)
    else:
        kind.elem_type = rng.choice(_TYPES)


def _version(model: onnx.ModelProto, rng: random.Random) -> None:
    rng.choice(model.opset_import).version = rng.choice((0, 1, 7, 13, 22, 99, 2**40))


_CHANGES: Final[tuple[Callable[[onnx.ModelProto, random.Random], None], ...]] = (
    _attribute, _attribute, _operator, _input, _node, _tensor, _tensor, _tensor, _shape, _version,
)  # fmt: skip
