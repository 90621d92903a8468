"""Clean-up passes: the rewritten graph gives the same numbers, with fewer or smaller operators."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest

from edgevlo.export.graphs.graph_builder import Network
from edgevlo.export.passes import KnownShapesPass, ZeroBranchesPass, ZeroTapsPass
from edgevlo.export.passes.zero_taps import trim_taps
from edgevlo.runtime.arrays import Array

FLOAT = ir.DataType.FLOAT
CHANNELS = 4


def build(body: Callable[[Network, ir.Value], ir.Value]) -> ir.Model:
    """Return a graph `x [1,4,H,W] -> y` whose values know their shapes, as torch's exporter writes them."""
    net = Network("test", 20)
    x = net.input("x", FLOAT, (1, CHANNELS, "H", "W"))
    y = net.op("Identity", body(net, x))
    for node in net.graph:
        node.outputs[0].shape = x.shape
    net.output(y, "y", FLOAT, (1, CHANNELS, "h", "w"))
    return net.model()


def run(model: ir.Model) -> Array:
    session = ort.InferenceSession(ir.to_proto(model).SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.random.default_rng(0).standard_normal((1, CHANNELS, 7, 6)).astype(np.float32)
    result: Array = session.run(None, {"x": x})[0]
    return result


def kinds(model: ir.Model) -> Counter[str]:
    return Counter(node.op_type for node in model.graph if node.op_type != "Identity")


def random(*shape: int) -> Array:
    return np.random.default_rng(1).standard_normal(shape).astype(np.float32)


def conv(net: Network, x: ir.Value, weight: Array, bias: Array | None = None, **attributes: Any) -> ir.Value:
    inputs = [x, net.constant(weight, np.float32)] + ([] if bias is None else [net.constant(bias, np.float32)])
    attributes = {"pads": [1, 1, 1, 1]} | attributes
    return net.op("Conv", *inputs, **attributes)


def test_a_residual_branch_that_ends_in_a_zero_convolution_vanishes() -> None:
    def body(net: Network, x: ir.Value) -> ir.Value:
        branch = net.op("Sigmoid", conv(net, x, random(4, 4, 3, 3)))
        return net.op("Add", x, conv(net, branch, np.zeros((4, 4, 3, 3), np.float32), np.zeros(4, np.float32)))

    model = build(body)
    before = run(model)

    assert ZeroBranchesPass()(model).modified
    assert kinds(model) == Counter()
    np.testing.assert_array_equal(run(model), before)


def test_an_attention_with_a_zero_output_projection_vanishes() -> None:
    def body(net: Network, x: ir.Value) -> ir.Value:
        rows = net.op("Transpose", x, perm=[0, 2, 3, 1])
        scores = net.op("Softmax", net.op("MatMul", rows, net.constant(random(4, 4), np.float32)), axis=-1)
        projected = net.op("MatMul", scores, net.constant(np.zeros((4, 4)), np.float32))
        biased = net.op("Add", net.constant(np.zeros(4), np.float32), projected)
        return net.op("Add", net.op("Transpose", biased, perm=[0, 3, 1, 2]), x)

    model = build(body)
    before = run(model)

    assert ZeroBranchesPass()(model).modified
    assert kinds(model) == Counter()
    np.testing.assert_array_equal(run(model), before)


def test_a_zero_scale_leaves_the_shift() -> None:
    def body(net: Network, x: ir.Value) -> ir.Value:
        scaled = net.op("Mul", net.op("Sigmoid", x), conv(net, x, np.zeros((4, 4, 3, 3), np.float32)))
        return net.op("Add", scaled, conv(net, x, random(4, 4, 3, 3)))

    model = build(body)
    before = run(model)

    assert ZeroBranchesPass()(model).modified
    assert kinds(model) == Counter({"Conv": 1})
    np.testing.assert_array_equal(run(model), before)


def test_convolutions_with_a_bias_and_broadcast_summands_stay() -> None:
    def biased(net: Network, x: ir.Value) -> ir.Value:
        return net.op("Add", x, conv(net, x, np.zeros((4, 4, 3, 3), np.float32), np.ones(4, np.float32)))

    def broadcast(net: Network, x: ir.Value) -> ir.Value:
        shift = net.constant(random(4, 1, 1), np.float32)  # alone it would not have the sum's shape
        return net.op("Add", shift, conv(net, x, np.zeros((4, 4, 3, 3), np.float32)))

    for body in (biased, broadcast):
        model = build(body)
        assert not ZeroBranchesPass()(model).modified
        assert kinds(model) == Counter({"Conv": 1, "Add": 1})


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("zero", ["border", "top", "left and bottom", "everything but a corner"])
def test_zero_taps_are_trimmed_with_the_padding_that_fed_them(zero: str, stride: int) -> None:
    weight = random(4, 4, 3, 3)
    kept = {
        "border": np.s_[:, :, 1:2, 1:2],
        "top": np.s_[:, :, 1:, :],
        "left and bottom": np.s_[:, :, :2, 1:],
        "everything but a corner": np.s_[:, :, :1, 2:],
    }[zero]
    mask = np.zeros_like(weight)
    mask[kept] = 1
    model = build(lambda net, x: conv(net, x, weight * mask, random(4), strides=[stride, stride]))
    before = run(model)

    assert ZeroTapsPass()(model).modified
    (node,) = [node for node in model.graph if node.op_type == "Conv"]
    assert node.inputs[1] is not None
    assert node.inputs[1].shape is not None
    if zero == "border":
        assert list(node.inputs[1].shape.numpy()) == [4, 4, 1, 1]
    np.testing.assert_allclose(run(model), before, atol=1e-6)


def test_taps_that_no_padding_feeds_stay() -> None:
    weight = np.zeros((4, 4, 3, 3), np.float32)
    weight[:, :, 1, 1] = 1
    kept, pads = trim_taps(weight, [0, 1, 0, 0])  # top, left, bottom, right
    assert kept.shape == (4, 4, 3, 2)
    assert pads == [0, 0, 0, 0]


def test_dilated_and_full_convolutions_stay() -> None:
    dilated = np.zeros((4, 4, 3, 3), np.float32)
    dilated[:, :, 1, 1] = 1
    models = [
        build(lambda net, x: conv(net, x, dilated, dilations=[2, 2], pads=[2, 2, 2, 2])),
        build(lambda net, x: conv(net, x, random(4, 4, 3, 3))),
    ]
    assert not any(ZeroTapsPass()(model).modified for model in models)


@pytest.mark.parametrize("whole", [{}, {"start": 0}])  # torch's exporter writes the latter
def test_what_a_group_norm_becomes_has_shapes(whole: dict[str, Any]) -> None:
    net = Network("test", 20)
    x = net.input("x", FLOAT, (1, CHANNELS, "H", "W"))
    groups = net.op("Reshape", x, net.constant(np.array([0, 2, -1]), np.int64))
    ones, zeros = net.constant(np.ones(2), np.float32), net.constant(np.zeros(2), np.float32)
    normed = net.op("InstanceNormalization", groups, ones, zeros)
    back = net.op("Reshape", normed, net.op("Shape", x, **whole))
    scaled = net.op("Mul", back, net.constant(random(CHANNELS, 1, 1), np.float32))
    shifted = net.op("Add", net.constant(random(CHANNELS, 1, 1), np.float32), scaled)
    net.output(shifted, "y", FLOAT, (1, CHANNELS, "H", "W"))
    model = net.model()
    back.shape, scaled.shape = ir.Shape([None, None, None, None]), None
    before = run(model)

    assert KnownShapesPass()(model).modified
    assert back.shape == scaled.shape == x.shape
    np.testing.assert_array_equal(run(model), before)
    assert not KnownShapesPass()(model).modified


def test_a_constant_that_widens_a_value_gives_no_shape() -> None:
    net = Network("test", 20)
    x = net.input("x", FLOAT, (1, 1, "H", "W"))
    wide = net.op("Mul", x, net.constant(random(CHANNELS, 1, 1), np.float32))
    deep = net.op("Mul", x, net.constant(random(1, 1, 1, 1, 1), np.float32))
    named = net.op("Add", x, net.constant(random(7, 6), np.float32))  # H and W may be anything
    net.output(net.op("Add", net.op("Add", wide, deep), named), "y", FLOAT, (1, 1, CHANNELS, "H", "W"))
    model = net.model()
    for value in (wide, deep, named):
        value.shape = None

    assert not KnownShapesPass()(model).modified
