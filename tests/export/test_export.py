"""The export of a checkpoint: what the bundle says and holds, and what refuses it.

The numbers of its graphs are compared with transformers in tests/parity/test_emu3_graphs.py.
"""

import json
import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnx
import onnx_ir as ir
import pytest
import torch
from emu3_checkpoints import SHAPES, Shape, make_checkpoint
from exported import Exported
from PIL import Image

from edgevlo.export import checkpoint_to_bundle, export_checkpoint, parity
from edgevlo.export.checkpoint.card import Card
from edgevlo.export.families.recognise import plan_export
from edgevlo.export.graphs.graph_builder import Network
from edgevlo.quantization import quantize
from edgevlo.runtime.bundle import open_bundle
from edgevlo.runtime.errors import CheckpointError
from edgevlo.runtime.manifest.pictures import Domain
from edgevlo.runtime.manifest.schema import Manifest
from edgevlo.runtime.model import Model
from edgevlo.runtime.pictures.load import PictureWarning


def test_the_manifest_says_what_was_exported(exported: Exported) -> None:
    manifest, shape = open_bundle(exported.portable).manifest, exported.shape
    assert (manifest.format, manifest.family, manifest.target) == ("edgevlo-bundle/1", "emu3", "portable")
    assert (manifest.codes.count, manifest.codes.cell) == (shape.codes, shape.cell)
    assert (manifest.backbone.layers, manifest.backbone.kv_heads) == (shape.layers, shape.kv_heads)
    assert set(manifest.graphs) == {"backbone", "image_head", "text_head", "image_decoder", "image_tokenizer"}
    assert set(manifest.abilities) == {"paint", "edit", "ask"}  # the task card's
    for graph in manifest.graphs.values():
        assert graph.parity is not None
        assert graph.parity.error <= min(graph.parity.tolerance, 1e-4)


def test_the_graphs_are_valid_onnx_of_plain_operators(exported: Exported) -> None:
    for role, graph in open_bundle(exported.portable).manifest.graphs.items():
        onnx.checker.check_model(exported.portable / graph.file)
        model = ir.load(exported.portable / graph.file)
        assert model.opset_imports == {"": 24 if role == "backbone" else 20}
        assert {node.domain for node in model.graph} == {""}
        attributes = {name for node in model.graph for name in node.attributes}
        assert "is_causal" not in attributes  # TensorRT and the padding rule need the explicit mask


TINY = Shape(name="tiny", unshuffle=16, multipliers=(1,), layers=1, hidden=32, mlp=32)


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    checkpoint = make_checkpoint(tmp_path_factory.mktemp("tiny") / "tiny", TINY)
    (checkpoint / "README.md").write_text("---\nlanguage: en\nlicense: apache-2.0\n---\n# Tiny\n")
    (checkpoint / "LICENSE").write_text("Do as you like.\n")
    return checkpoint


@pytest.fixture(scope="module")
def released(tiny: Path) -> tuple[Path, Manifest, list[tuple[str, int, int]]]:
    """Export a checkpoint without a task card, as the released ones come."""
    told: list[tuple[str, int, int]] = []
    output = tiny.parent / ".my bundle"
    manifest = export_checkpoint(tiny, output, progress=lambda *step: told.append(step))
    return output, manifest, told


Released = tuple[Path, Manifest, list[tuple[str, int, int]]]


def test_without_a_card_the_manifest_has_the_familys_defaults(released: Released) -> None:
    folder, manifest, _ = released
    assert open_bundle(folder).manifest == manifest
    assert manifest.name == "my-bundle"
    assert manifest.guidance.default_scale == 3.0
    assert [(branch.kind, branch.constant, branch.scale) for branch in manifest.guidance.branches] == [
        ("prompt", 0.0, 1.0),
        ("negative", 1.0, -1.0),
    ]
    assert (manifest.sampling.temperature, manifest.sampling.top_k) == (1.0, 2048)
    assert set(manifest.abilities) == {"paint", "ask"}
    assert manifest.abilities["paint"].prompt[0].token == "<bos>"
    assert manifest.answer.stop == ("<eos>",)
    assert (manifest.preprocess.min_pixels, manifest.preprocess.mean) == (32 * 32, (0.5, 0.5, 0.5))
    opener = manifest.image_block.open
    assert [piece.token or piece.field or piece.text for piece in opener] == [
        "<|image start|>",
        "rows",
        "*",
        "columns",
        "<|image token|>",
    ]
    assert manifest.image_block.row_suffix == ("<|extra_200|>",)
    assert manifest.image_block.suffix_last_row
    assert manifest.image_block.close == ("<|extra_201|>", "<|image end|>")
    rows, columns = manifest.grid.default
    assert rows * (columns + 1) <= manifest.backbone.max_positions * 8 // 9


def test_the_domain_of_a_card_reaches_the_bundle_for_the_device(tiny: Path, tmp_path: Path) -> None:
    checkpoint = shutil.copytree(tiny, tmp_path / "checkpoint")
    domain = {"name": "a small world", "cells": "tiles", "tolerance": 0, "see": "docs/world.md"}
    (checkpoint / "edgevlo.json").write_text(json.dumps({"domain": domain}))

    manifest = export_checkpoint(checkpoint, tmp_path / "portable")
    quantize(tmp_path / "portable", tmp_path / "cpu", target="cpu", weights="fp32", requests=0)

    assert manifest.domain == Domain(name="a small world", cells="tiles", tolerance=0, see="docs/world.md")
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8))
    for folder in ("portable", "cpu"):
        with pytest.warns(PictureWarning, match=r"is not from a small world: all of it .* \(see docs/world\.md\)"):
            Model.open(tmp_path / folder).tokenize(noise)


def test_the_licence_note_says_where_the_weights_come_from(released: Released) -> None:
    folder, manifest, _ = released
    assert (manifest.source.id, manifest.source.licence) == ("tiny", "apache-2.0")
    note = (folder / "LICENCE.txt").read_text()
    assert "checkpoint tiny\n" in note
    assert "Do as you like." in note


def test_progress_is_told_for_every_graph(released: Released) -> None:
    told = released[2]
    assert {what for what, _, _ in told} >= {"token_embedding", *released[1].graphs, "comparing with the reference"}
    assert all(0 <= done <= everything for _, done, everything in told)


def test_a_graph_that_differs_from_the_reference_refuses_the_bundle(
    tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(parity.TOLERANCES, "backbone", (parity.RELATIVE, -1.0))
    monkeypatch.setattr(
        checkpoint_to_bundle, "export_module", lambda _graph, role: Network(role, 20).model()
    )  # not reached
    with pytest.raises(CheckpointError, match=r"backbone differs from the reference by .*no bundle was written"):
        export_checkpoint(tiny, tmp_path / "bundle")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_export_leaves_nothing(tiny: Path, tmp_path: Path) -> None:
    def interrupt(what: str, _done: int, _all: int) -> None:
        if what == "image_head":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        export_checkpoint(tiny, tmp_path / "bundle", progress=interrupt)
    assert list(tmp_path.iterdir()) == []


def test_optimum_knows_the_family_and_its_dummy_inputs(tiny: Path) -> None:
    from optimum.exporters.tasks import TasksManager

    plan = plan_export(tiny)
    constructor: Any = TasksManager.get_exporter_config_constructor(
        exporter="edgevlo", model_type="emu3", task="text-generation", library_name="transformers"
    )
    config = constructor(plan.config)
    inputs = config.generate_dummy_inputs(framework="pt", batch_size=3)
    assert list(inputs) == ["inputs_embeds", "past_lengths", "token_counts", "past_keys.0", "past_values.0"]
    assert inputs["inputs_embeds"].shape == (3, 8, 32)
    assert list(config.outputs) == ["hidden", "last_hidden", "present_keys.0", "present_values.0"]


def test_zero_residual_branches_leave_a_small_decoder(tmp_path: Path) -> None:
    """A tokenizer that is a table of patches, with every residual branch zero, decodes with two convolutions."""
    from transformers import Emu3ForConditionalGeneration

    folder = make_checkpoint(tmp_path / "patches", TINY)
    model: Any = Emu3ForConditionalGeneration.from_pretrained(folder)
    vq = model.model.vqmodel
    with torch.no_grad():
        for name, parameter in vq.named_parameters():
            branch = ".conv2." in name or "out_proj" in name or "time_" in name
            parameter.mul_(not branch)
        for convolution in (vq.encoder.conv_in, vq.encoder.conv_out, vq.decoder.conv_in, vq.decoder.conv_out):
            centre = convolution.weight[:, :, 1:2, 1:2].clone()
            convolution.weight.zero_()
            convolution.weight[:, :, 1:2, 1:2] = centre
    model.save_pretrained(folder)

    export_checkpoint(folder, tmp_path / "bundle")

    kinds = Counter(node.op_type for node in ir.load(tmp_path / "bundle" / "image_decoder.onnx").graph)
    assert kinds["Conv"] == 5  # post_quant_conv, conv_in, conv_y, conv_b, conv_out
    assert kinds["Softmax"] == 0
    assert kinds["InstanceNormalization"] == 1


def test_the_shapes_cover_what_the_exporter_promises() -> None:
    assert len(SHAPES) >= 6
    assert {shape.temporal for shape in SHAPES} == {1, 4}
    assert {shape.cell for shape in SHAPES} >= {8, 16}
    assert {shape.tied for shape in SHAPES} == {True, False}
    assert any(shape.heads == shape.kv_heads for shape in SHAPES)


def test_the_task_card_of_the_documentation_is_one() -> None:
    text = (Path(__file__).parents[2] / "docs" / "export.md").read_text(encoding="utf-8")
    card = msgspec.json.decode(text[text.index("    {\n") : text.index("## From Python")], type=Card)
    assert card.name == "sketchbook"
    assert card.abilities is not None
    assert set(card.abilities) == {"paint", "edit", "segment"}
    keys = set(
        re.findall(r"`(\w+)`", "".join(line.split("|")[1] for line in text.splitlines() if line.startswith("| `")))
    )
    assert keys >= set(Card.__struct_fields__)
