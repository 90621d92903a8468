"""What is read of a graph's shapes and weights without onnx is what onnx reads, and what opening them takes."""

import subprocess
import sys
from pathlib import Path

import msgspec
import numpy as np
import onnx
import pytest

import edgevlo
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.schema import File, read_manifest
from edgevlo.runtime.memory.onnx_shapes import largest, read_values, read_weights
from edgevlo.runtime.memory.predict import weights_bytes

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
    matrices = [node.input[1:3] for node in graph.node if node.op_type == "MatMulNBits"]

    values, found = read_values(path), read_weights(path)

    assert sorted(map(str, (value.shape for value in values))) == sorted(str(shape) for shape in expected if shape)
    assert found.half == half
    assert found.blocks == sum(int(np.prod(weights[blocks].dims)) for blocks, _ in matrices)
    assert found.scales == sum(4 * int(np.prod(weights[scales].dims)) for _, scales in matrices)
    assert bool(matrices) == (folder == "picturebook" and role != "image_decoder")


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

    told = read_values(path)

    assert largest(told, {"h": 2, "w": 3}) == 4 * 3 * (8 * 2) * (4 * 3)
    assert largest(told, {"h": 500, "w": 1}) == 2 * 500 * 500 * 7
    assert largest(told, {}) == 0


@pytest.mark.parametrize("content", [b"", b"\x3a\xff\xff\xff\x7f", b"\x3a", b"\x3b\x00", b"\xff" * 30])
def test_a_file_that_is_no_onnx_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "graph.onnx"
    path.write_bytes(content)

    with pytest.raises(BundleError, match=r"graph\.onnx is not an ONNX file"):
        read_values(path)
    with pytest.raises(BundleError, match=r"graph\.onnx is not an ONNX file"):
        read_weights(path)
    with pytest.raises(BundleError, match="cannot be read"):
        read_weights(tmp_path / "none.onnx")


OPENED = """
import re, sys
from pathlib import Path
import onnxruntime as ort

def kept():
    return int(re.search(r"RssAnon:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

before = kept()
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
print(kept() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the memory of a process is read from /proc")
@pytest.mark.parametrize(("bits", "block"), [(4, 32), (4, 128), (8, 64)])
def test_blocks_take_what_is_predicted_and_no_more(bits: int, block: int, toy: Path, tmp_path: Path) -> None:
    columns, rows = 2048, 32768
    shape = (columns, rows // block, block * bits // 8)
    constants = {"blocks": np.ones(shape, np.uint8), "scales": np.ones(shape[:2], np.float32)}
    sides = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, size])
        for name, size in (("x", rows), ("y", columns))
    ]
    node = onnx.helper.make_node(
        "MatMulNBits", ["x", *constants], ["y"],
        domain="com.microsoft", K=rows, N=columns, bits=bits, block_size=block, accuracy_level=4,
    )  # fmt: skip
    weights = [onnx.numpy_helper.from_array(array, name) for name, array in constants.items()]
    graph = onnx.helper.make_graph([node], "g", sides[:1], sides[1:], weights)
    opsets = [onnx.helper.make_opsetid("", 21), onnx.helper.make_opsetid("com.microsoft", 1)]
    path = tmp_path / "backbone.onnx"
    model = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=10)
    onnx.save(model, path, save_as_external_data=True, location="backbone.onnx.data")
    manifest = read_manifest(toy)
    files = {
        name: File(sha256="0" * 64, bytes=(tmp_path / name).stat().st_size) for name in (path.name, f"{path.name}.data")
    }
    backbone = msgspec.structs.replace(manifest.graphs["backbone"], file=path.name, precision=f"int{bits}")
    manifest = msgspec.structs.replace(manifest, files=files, graphs={"backbone": backbone})

    predicted = weights_bytes(tmp_path, manifest, ["backbone"])
    ran = subprocess.run([sys.executable, "-c", OPENED, str(path)], capture_output=True, text=True, check=True)

    # beside the weights a session and its threads take some megabytes
    assert 0.97 * predicted < int(ran.stdout) < predicted + 12 * 2**20
