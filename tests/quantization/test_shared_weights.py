"""Weights that several files of a bundle hold are stored once, and no number that the bundle gives changes by it."""

import json
import shutil
from pathlib import Path

import msgspec
import numpy as np
import onnx_ir as ir
import onnxruntime as ort
import pytest
from emu3_checkpoints import SHAPES
from every_family import PortableOf
from exported import Exported
from PIL import Image
from unshared import unshared

from edgevlo.cli.describe import describe, memory_facts
from edgevlo.quantization import quantize
from edgevlo.quantization.passes._graph import constant, matmuls, matrix_of
from edgevlo.quantization.shared_weights import share_weights
from edgevlo.runtime.arrays import Array
from edgevlo.runtime.bundle import open_bundle, publish, sealed_bundle, verify_bundle
from edgevlo.runtime.engine import Engine
from edgevlo.runtime.errors import BundleError
from edgevlo.runtime.manifest.graphs import GraphRole
from edgevlo.runtime.manifest.schema import (
    FORMAT,
    SHARED_FORMAT,
    encode_manifest,
    file_bytes,
    graph_bytes,
    read_manifest,
)
from edgevlo.runtime.model import Model

TABLE = "token_embedding.bin"
TIED, UNTIED = SHAPES[1], SHAPES[2]

# Which graph of a family's tiny checkpoint reads which other files.
SHARED = {
    "simplear": {"text_head": {TABLE}, "image_head": {TABLE}},
    "liquid": {  # its embeddings are its output matrix times a number: they have scales of their own
        "text_head": {TABLE},
        "image_head": {TABLE, "text_head.onnx.data"},
        "image_tokenizer": {"image_decoder.onnx.data"},  # the codebook
    },
    "Janus-4o-7B": {},
    "anole": {"image_head": {"text_head.onnx.data"}},
}

tied = pytest.mark.parametrize("exported", [TIED], indirect=True, ids=lambda shape: shape.name)
tied_and_not = pytest.mark.parametrize("exported", [TIED, UNTIED], indirect=True, ids=lambda shape: shape.name)


def outputs(folder: Path) -> dict[str, Array]:
    """Return what every part that shares weights gives: a picture, an answer's tokens, logits and embeddings."""
    bundle = open_bundle(folder)
    model, engine = Model(bundle), Engine(bundle)
    manifest = bundle.manifest
    random, hidden = np.random.default_rng(8), manifest.backbone.hidden_size
    rows = random.standard_normal((3, hidden)).astype(np.float32)
    head = {
        "hidden": rows[:, np.newaxis], "weights": np.ones(1, np.float32), "temperature": np.array(1, np.float32),
        "top_k": np.array([0]), "top_p": np.ones(1, np.float32), "uniform": np.full(3, 0.4, np.float32),
    }  # fmt: skip
    table = np.zeros((manifest.token_embedding.shape[0], hidden), np.float32)
    engine._embeddings.write(range(len(table)), None, table)
    codes, logits = engine.compute("image_head", ["code", "logits"], head)
    found = {"codes": codes, "image logits": logits, "table": table}
    found["text logits"] = engine.compute("text_head", ["logits"], {"hidden": rows})[0]
    if "paint" in manifest.abilities:
        found["picture"] = np.asarray(model.paint("a red car", seed=3))
    if "ask" in manifest.abilities:
        picture = Image.fromarray(random.integers(0, 256, (64, 64, 3), np.uint8))
        found["answer"] = np.frombuffer(model.ask(picture, "what is it").encode() or b" ", np.uint8)
    return found


def assert_equal_bits(shared: Path, apart: Path) -> None:
    unshared(shared, apart)
    ours, theirs = outputs(shared), outputs(apart)
    assert ours.keys() == theirs.keys()
    for name, array in ours.items():
        assert array.tobytes() == theirs[name].tobytes(), name


@tied_and_not
@pytest.mark.filterwarnings("ignore")
def test_an_int8_bundle_gives_the_same_bits_as_one_that_shares_nothing(exported: Exported, tmp_path: Path) -> None:
    made = quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    home = TABLE if exported.shape.tied else "text_head.onnx.data"
    shared = {role: set(graph.shared) for role, graph in made.graphs.items() if graph.shared}
    assert made.format == SHARED_FORMAT
    assert shared == {"image_head": {home}} | ({"text_head": {TABLE}} if exported.shape.tied else {})
    assert made.token_embedding.block == (64 if exported.shape.tied else None)
    assert_equal_bits(tmp_path / "made", tmp_path / "apart")


@pytest.mark.parametrize("family", SHARED)
@pytest.mark.filterwarnings("ignore")
def test_every_family_gives_the_same_bits(portable_of: PortableOf, tmp_path: Path, family: str) -> None:
    made = quantize(portable_of(family), tmp_path / "made", weights="int8", requests=0)
    shared = {role: set(graph.shared) for role, graph in made.graphs.items() if graph.shared}
    assert shared == SHARED[family]
    assert_equal_bits(tmp_path / "made", tmp_path / "apart")
    if family == "simplear":  # scales are in the table, too
        assert made.files.keys().isdisjoint({"text_head.onnx.data", "image_head.onnx.data"})


@tied
@pytest.mark.parametrize(("weights", "block"), [("int4", 64), ("int8", 32)])
def test_a_head_of_other_blocks_shares_what_it_can(
    exported: Exported, tmp_path: Path, weights: str, block: int
) -> None:
    block_size = block if weights == "int8" else None
    made = quantize(exported.portable, tmp_path / "made", weights=weights, block_size=block_size, requests=0)
    roles = {"image_head"} | ({"text_head"} if weights == "int8" else set())  # of four bits is not the table
    assert {role for role, graph in made.graphs.items() if graph.shared} == roles
    assert made.token_embedding.block == block
    assert_equal_bits(tmp_path / "made", tmp_path / "apart")


@tied
def test_the_table_is_as_near_to_the_embeddings_as_its_head(exported: Exported, tmp_path: Path) -> None:
    made = quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    exact = np.fromfile(exported.portable / TABLE, "<f4").reshape(made.token_embedding.shape)
    table = outputs(tmp_path / "made")["table"]
    step = np.abs(exact).max(axis=1, keepdims=True) / 128  # one block a row
    assert (np.abs(table - exact) <= step * (1 + 1e-6)).all()  # the largest of the other sign is a step short
    assert np.mean(np.abs(table - exact) <= step * 0.5001) > 0.98
    (head,) = matmuls(ir.load(exported.portable / "text_head.onnx").graph)
    matrix = matrix_of(head)
    assert matrix is not None
    assert np.array_equal(matrix.numpy().T, exact)


@tied
@pytest.mark.parametrize(
    "option", [{"weights": "fp16"}, {"weights": "fp32"}, {"overrides": ["text_head=fp32", "image_head=fp32"]}]
)
def test_what_shares_nothing_is_in_the_old_format(
    exported: Exported, tmp_path: Path, option: dict[str, object]
) -> None:
    made = quantize(exported.portable, tmp_path / "made", requests=0, **option)  # type: ignore[arg-type]
    assert (made.format, made.token_embedding.block) == (FORMAT, None)
    assert not any(graph.shared for graph in made.graphs.values())
    raw = json.loads((tmp_path / "made" / "manifest.json").read_text())
    assert "block" not in raw["token_embedding"]
    assert not any("shared" in graph for graph in raw["graphs"].values())


@tied
def test_sizes_count_every_byte_once_and_a_graph_with_all_that_it_reads(exported: Exported, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    made = quantize(exported.portable, folder, weights="int8", requests=0)
    files = {path.name: path.stat().st_size for path in folder.iterdir() if path.name != "manifest.json"}
    modules = memory_facts(made, folder)["modules"]
    assert {name: listed.bytes for name, listed in made.files.items()} == files
    assert (
        modules["text_head"]["bytes"]
        == file_bytes(made, "text_head")
        == sum(size for name, size in files.items() if name.startswith("text_head"))
    )
    rows, columns = made.token_embedding.shape
    assert modules["text_head"]["shared"] == rows * columns  # so few scales are its own
    assert graph_bytes(made, "text_head") == modules["text_head"]["bytes"] + modules["text_head"]["shared"]
    assert f"and {modules['text_head']['shared'] / 1e6:.2f} MB shared" in describe(made, folder)
    assert files["text_head.onnx.data"] == rows * 4


@tied
def test_a_moved_bundle_is_verified_and_a_changed_table_is_found(exported: Exported, tmp_path: Path) -> None:
    quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    publish(tmp_path / "made", tmp_path / "moved")
    verify_bundle(open_bundle(tmp_path / "moved"))
    content = bytearray((tmp_path / "moved" / TABLE).read_bytes())
    content[5] ^= 1
    (tmp_path / "moved" / TABLE).write_bytes(content)
    with pytest.raises(BundleError, match=r"token_embedding\.bin was changed"):
        open_bundle(tmp_path / "moved")


@tied
def test_manifests_whose_shares_are_not_there_are_refused(exported: Exported, tmp_path: Path) -> None:
    made = quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    head, folder = made.graphs["text_head"], tmp_path / "made"

    for shared, reason in (({"../secret": 5}, r"names 5 bytes of '../secret'"), ({TABLE: 10**9}, "names 1000000000")):
        graphs = {**made.graphs, "text_head": msgspec.structs.replace(head, shared=shared)}
        (folder / "manifest.json").write_bytes(encode_manifest(msgspec.structs.replace(made, graphs=graphs)))
        with pytest.raises(BundleError, match=reason):
            read_manifest(folder)
    (folder / "manifest.json").write_bytes(encode_manifest(msgspec.structs.replace(made, format=FORMAT)))
    with pytest.raises(BundleError, match="format is edgevlo-bundle/1, which has shared weights"):
        read_manifest(folder)
    table = msgspec.structs.replace(made.token_embedding, dtype="int4")
    (folder / "manifest.json").write_bytes(encode_manifest(msgspec.structs.replace(made, token_embedding=table)))
    with pytest.raises(BundleError, match=r"token_embedding\.block is given, but its numbers are int4"):
        read_manifest(folder)


@tied
def test_onnx_runtime_alone_reads_a_head_that_shares(exported: Exported, tmp_path: Path) -> None:
    quantize(exported.portable, tmp_path / "made", weights="int8", requests=0)
    hidden = np.random.default_rng(1).standard_normal((2, TIED.hidden)).astype(np.float32)
    (found,), (exact,) = (
        ort.InferenceSession(folder / "text_head.onnx").run(None, {"hidden": hidden})
        for folder in (tmp_path / "made", exported.portable)
    )
    assert 0 < np.linalg.norm(found - exact) / np.linalg.norm(exact) < 0.02


@tied
def test_files_that_hold_parts_of_each_other_still_give_their_own_numbers(exported: Exported, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.cpu, tmp_path / "made")
    random = np.random.default_rng(2)
    one, two = (random.standard_normal((40, 64)).astype(np.float32) for _ in range(2))
    given: dict[GraphRole, dict[str, Array]] = {
        "image_decoder": {"part_of_one": one[7:30], "two": two},  # what comes first moves the other
        "image_tokenizer": {"part_of_two": two[20:40], "one": one},
    }
    for role, arrays in given.items():
        model = ir.load(folder / f"{role}.onnx")
        before = list(model.graph.initializers.values())
        model.graph.initializers.clear()
        for name, array in arrays.items():
            constant(model.graph, name, array)
        for value in before:
            model.graph.register_initializer(value)
        ir.save(model, folder / f"{role}.onnx", external_data=f"{role}.temp.data", alignment=4096, align_threshold=4096)
        (folder / f"{role}.temp.data").rename(folder / f"{role}.onnx.data")
        content = (folder / f"{role}.onnx").read_bytes()
        (folder / f"{role}.onnx").write_bytes(
            content.replace(f"{role}.temp.data".encode(), f"{role}.onnx.data".encode())
        )

    shared = share_weights(folder, sealed_bundle(folder, open_bundle(exported.cpu).manifest).manifest)

    assert shared.graphs["image_decoder"].shared == {"image_tokenizer.onnx.data": 23 * 64 * 4}
    assert shared.graphs["image_tokenizer"].shared == {"image_decoder.onnx.data": 20 * 64 * 4}
    for role, arrays in given.items():
        found = ir.load(folder / f"{role}.onnx").graph.initializers
        for name, array in arrays.items():
            assert np.array_equal(constant_of(found[name]), array)
    assert not list(folder.glob("*.before"))
    picture = Model(sealed_bundle(folder, shared)).paint("a red car", seed=2)
    assert np.array_equal(np.asarray(picture), np.asarray(Model.open(exported.cpu).paint("a red car", seed=2)))


def constant_of(value: ir.Value) -> Array:
    assert value.const_value is not None
    return value.const_value.numpy()


@tied
def test_a_matrix_that_is_columns_of_a_table_is_cut_out_of_it(exported: Exported, tmp_path: Path) -> None:
    folder = shutil.copytree(exported.cpu, tmp_path / "made")
    table = np.random.default_rng(2).integers(-32768, 32768, (2500, 40), np.int16)
    matrix = np.ascontiguousarray(table[:, 3:30].T)
    given: dict[GraphRole, tuple[str, Array]] = {
        "image_decoder": ("table", table),
        "image_tokenizer": ("matrix", matrix),
    }
    for role, (name, array) in given.items():
        model = ir.load(folder / f"{role}.onnx")
        echo = ir.node("Identity", [constant(model.graph, name, array)])
        echo.outputs[0].name, echo.outputs[0].type = "echo", ir.TensorType(ir.DataType.INT16)
        echo.outputs[0].shape = ir.Shape(array.shape)
        model.graph.append(echo)
        model.graph.outputs.append(echo.outputs[0])
        ir.save(model, folder / f"{role}.onnx", external_data=f"{role}.temp.data", alignment=4096, align_threshold=4096)
        (folder / f"{role}.temp.data").rename(folder / f"{role}.onnx.data")
        content = (folder / f"{role}.onnx").read_bytes().replace(f"{role}.temp".encode(), f"{role}.onnx".encode())
        (folder / f"{role}.onnx").write_bytes(content)
    manifest = sealed_bundle(folder, open_bundle(exported.cpu).manifest).manifest

    shared = share_weights(folder, manifest)

    assert shared.graphs["image_tokenizer"].shared == {"image_decoder.onnx.data": table.nbytes}
    sizes = [(where / "image_tokenizer.onnx.data").stat().st_size for where in (folder, exported.cpu)]
    assert sizes[0] <= sizes[1] + 4096  # nothing of the matrix is left
    session = ort.InferenceSession(folder / "image_tokenizer.onnx")
    (entering,) = session.get_inputs()
    cell = manifest.codes.cell
    pixels = np.zeros((1, 3, 4 * cell, 4 * cell), np.float32)
    (found,) = session.run(["echo"], {entering.name: pixels})
    assert np.array_equal(found, matrix)
