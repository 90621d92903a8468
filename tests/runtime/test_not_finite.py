"""Numbers of weights, tables and results that are none: named by `verify`, an error where they are computed."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest
from damaged_bundles import damaged
from onnx import TensorProto, helper, numpy_helper
from toy_bundle import TOY

from edgevlo.runtime.bundle import open_bundle, read_bundle, seal, verify_bundle
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.graphs.failures import one_line
from edgevlo.runtime.graphs.finite_weights import check_graph
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import read_manifest
from edgevlo.runtime.model import Model

ROLES: list[GraphRole] = ["backbone", "image_head", "text_head", "image_decoder"]


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEVLO_HOME", str(tmp_path / "home"))


def one(number: float) -> Callable[[np.ndarray], np.ndarray]:
    def change(weights: np.ndarray) -> np.ndarray:
        changed = weights.copy()
        changed.flat[-1] = number
        return changed

    return change


@pytest.mark.parametrize("number", [np.nan, np.inf])
@pytest.mark.parametrize("role", ROLES)
def test_one_number_of_a_graph_is_enough_to_be_named(tmp_path: Path, role: GraphRole, number: float) -> None:
    bundle = damaged(TOY, tmp_path / "bundle", {role: one(number)})

    with pytest.raises(BundleError, match=rf"{role}\.onnx: tensor c\d+ has numbers that are not finite"):
        verify_bundle(read_bundle(bundle))


def test_one_number_of_a_table_is_enough_to_be_named(tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(TOY, tmp_path / "bundle"))
    manifest = read_manifest(bundle)
    (bundle / "manifest.json").unlink()
    table = np.memmap(bundle / manifest.token_embedding.file, dtype="<f4", mode="r+")
    table[-1] = np.nan
    table.flush()
    seal(bundle, manifest)

    with pytest.raises(BundleError, match=r"token_embedding\.bin has numbers that are not finite"):
        verify_bundle(read_bundle(bundle))


def test_hidden_states_that_are_not_finite_paint_nothing(tmp_path: Path) -> None:
    model = Model.open(damaged(TOY, tmp_path / "bundle", {"backbone": one(np.nan)}))

    with pytest.raises(BundleError, match="backbone gave numbers that are not finite"):
        model.paint("a red car", seed=1)
    with pytest.raises(BundleError, match="backbone gave numbers that are not finite"):
        next(model.paint_rows("a red car", seed=1))


@pytest.mark.parametrize(
    ("dtype", "number"),
    [
        (TensorProto.FLOAT, np.nan), (TensorProto.FLOAT, -np.inf), (TensorProto.FLOAT16, np.inf),
        (TensorProto.DOUBLE, np.nan), (TensorProto.BFLOAT16, np.inf), (TensorProto.FLOAT8E4M3FN, np.nan),
        (TensorProto.FLOAT8E5M2, np.inf),
    ],
)  # fmt: skip
@pytest.mark.parametrize("outside", [False, True])
def test_every_type_of_numbers_is_looked_at(tmp_path: Path, dtype: int, number: float, outside: bool) -> None:
    for name, numbers in (("good", [1.0] * 8), ("bad", [*[1.0] * 7, number])):
        values = np.array(numbers).astype(helper.tensor_dtype_to_np_dtype(dtype))
        write(tmp_path / f"{name}.onnx", numpy_helper.from_array(values, "weight"), outside=outside)

    check_graph(tmp_path / "good.onnx")
    with pytest.raises(BundleError, match=r"bad.onnx: tensor weight has numbers that are not finite"):
        check_graph(tmp_path / "bad.onnx")


def test_an_infinity_alone_is_a_constant_and_nan_is_not(tmp_path: Path) -> None:
    for name, number in (("mask", -np.inf), ("nan", np.nan)):
        write(tmp_path / f"{name}.onnx", numpy_helper.from_array(np.array(number, np.float32), name), outside=False)

    check_graph(tmp_path / "mask.onnx")
    with pytest.raises(BundleError, match="tensor nan"):
        check_graph(tmp_path / "nan.onnx")


@pytest.mark.parametrize("location", ["../elsewhere", "/etc/passwd", "absent", ""])
def test_weights_that_lie_elsewhere_are_one_line(tmp_path: Path, location: str) -> None:
    tensor = numpy_helper.from_array(np.ones(8, np.float32), "weight")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    write(tmp_path / "graph.onnx", tensor, outside=False)

    with pytest.raises(BundleError, match=r"graph.onnx (is not an ONNX file|cannot be read)"):
        check_graph(tmp_path / "graph.onnx")


@pytest.mark.parametrize(
    ("offset", "dimension"), [(0, 2**62), (0, -(2**63)), (2**40, 8), (2**64, 8), (-1, 8), (0, 9), (1, 8)]
)
def test_weights_that_their_file_does_not_have_are_one_line(tmp_path: Path, offset: int, dimension: int) -> None:
    (tmp_path / "weights").write_bytes(np.ones(8, np.float32).tobytes())
    tensor = TensorProto(name="weight", data_type=TensorProto.FLOAT, dims=[dimension])
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights"), ("offset", str(offset))):
        tensor.external_data.add(key=key, value=value)
    write(tmp_path / "graph.onnx", tensor, outside=False)

    with pytest.raises(BundleError, match=r"is not an ONNX file \(\d+ numbers at byte .* which does not have them"):
        check_graph(tmp_path / "graph.onnx")


@pytest.mark.parametrize("bound", [True, False])
def test_a_graph_that_fails_while_it_runs_is_one_line(bound: bool) -> None:
    number = helper.make_tensor_value_info("number", TensorProto.INT64, [1])
    element = helper.make_tensor_value_info("element", TensorProto.FLOAT, [1])
    tensor = numpy_helper.from_array(np.ones(2, np.float32), "weight")
    graph = helper.make_graph([helper.make_node("Gather", ["weight", "number"], ["element"])], "g", [number], [element])
    graph.initializer.append(tensor)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    outside = {"number": np.array([2])}

    def run() -> None:
        with one_line(open_bundle(TOY), "a step"):
            if not bound:
                session.run(None, outside)
            binding = session.io_binding()
            binding.bind_cpu_input("number", outside["number"])
            binding.bind_output("element")
            session.run_with_iobinding(binding)

    with pytest.raises(BundleError, match=r"toy: a step failed .*out of data bounds.* Export or"):
        run()


def write(path: Path, tensor: TensorProto, *, outside: bool) -> None:
    graph = helper.make_graph([], "g", [], [], [tensor])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)])
    if outside:
        onnx.save(model, path, save_as_external_data=True, location=f"{path.name}.data", size_threshold=0)
    else:
        path.write_bytes(model.SerializeToString())
