"""What is read of a graph's shapes without onnx is what onnx reads."""

from pathlib import Path

import numpy as np
import onnx
import pytest

import edgevlo
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.memory.onnx_shapes import largest, read_shapes

PICTUREBOOK = Path(edgevlo.__file__).parent / "bundles" / "picturebook"


@pytest.mark.parametrize("role", ["backbone", "image_decoder", "image_head"])
@pytest.mark.parametrize("folder", ["toy", "picturebook"])
def test_shapes_are_those_that_onnx_reads(folder: str, role: str, toy: Path) -> None:
    path = (toy if folder == "toy" else PICTUREBOOK) / f"{role}.onnx"
    graph = onnx.load(path, load_external_data=False).graph
    weights = {tensor.name: tensor for tensor in graph.initializer}
    expected = [
        tuple(size.dim_param or size.dim_value for size in value.type.tensor_type.shape.dim)
        for value in (*graph.output, *graph.value_info)
        if value.name not in weights
    ]
    half = sum(2 * int(np.prod(one.dims)) for one in weights.values() if one.data_type == onnx.TensorProto.FLOAT16)

    told = read_shapes(path)

    assert sorted(map(str, (value.shape for value in told.values))) == sorted(str(shape) for shape in expected if shape)
    assert told.half_bytes == half


def test_the_largest_value_counts_products_of_known_sizes(tmp_path: Path) -> None:
    def info(name: str, kind: int, *shape: int | str) -> onnx.ValueInfoProto:
        return onnx.helper.make_tensor_value_info(name, kind, shape)

    values = [
        info("a", onnx.TensorProto.FLOAT, 1, 3, "8*h", "4 * w"),
        info("b", onnx.TensorProto.FLOAT16, "h", "w*h", 7),
        info("c", onnx.TensorProto.FLOAT, "h + 9999", 99999),  # not understood
        info("d", onnx.TensorProto.FLOAT, 10**9),  # a weight
    ]
    weight = onnx.TensorProto(name="d", data_type=onnx.TensorProto.FLOAT, dims=[10**9])
    graph = onnx.helper.make_graph([], "g", [], [info("e", onnx.TensorProto.INT64, "h")], [weight], value_info=values)
    path = tmp_path / "graph.onnx"
    path.write_bytes(onnx.helper.make_model(graph).SerializeToString())

    told = read_shapes(path).values

    assert largest(told, {"h": 2, "w": 3}) == 4 * 3 * (8 * 2) * (4 * 3)
    assert largest(told, {"h": 500, "w": 1}) == 2 * 500 * 500 * 7
    assert largest(told, {}) == 0


@pytest.mark.parametrize("content", [b"", b"\x3a\xff\xff\xff\x7f", b"\x3a", b"\x3b\x00", b"\xff" * 30])
def test_a_file_that_is_no_onnx_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)

    with pytest.raises(BundleError, match=r"graph\.onnx is not an ONNX file"):
        read_shapes(path)
    with pytest.raises(BundleError, match="cannot be read"):
        read_shapes(tmp_path / "none.onnx")
