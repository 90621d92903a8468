"""The comparison layer by layer: the pieces are the backbone, and the reference holds one part at a time."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx_ir as ir
import pytest
import torch
from emu3_checkpoints import Shape, make_checkpoint
from torch import nn

from edgevlo.export import export_checkpoint, parity, single_layers
from edgevlo.export.export_plan import ExportPlan
from edgevlo.export.families.recognise import plan_export
from edgevlo.export.optimum_registry import backbone_inputs
from edgevlo.export.stream_modules import on_demand
from edgevlo.runtime.errors import CheckpointError

SHAPE = Shape(name="deep", unshuffle=16, multipliers=(1,), layers=3, hidden=32, mlp=48, heads=4, kv_heads=2)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_checkpoint(tmp_path_factory.mktemp("deep") / "checkpoint", SHAPE)


@pytest.fixture(scope="module")
def bundle(checkpoint: Path) -> Path:
    export_checkpoint(checkpoint, checkpoint.parent / "bundle")
    return checkpoint.parent / "bundle"


@pytest.fixture(scope="module")
def plan(checkpoint: Path) -> ExportPlan:
    return plan_export(checkpoint)


def test_the_pieces_give_what_the_whole_backbone_gives(bundle: Path, plan: ExportPlan) -> None:
    feeds = backbone_inputs(plan)
    session = single_layers.open_session(bundle / "backbone.onnx")
    names = [value.name for value in session.get_outputs()]
    whole = dict(zip(names, session.run(None, feeds), strict=True))

    found: dict[str, Any] = {}
    for piece in single_layers.pieces(bundle / "backbone.onnx", SHAPE.layers):
        inputs = [value.name for value in piece.session.get_inputs()]
        outputs = [value.name for value in piece.session.get_outputs()]
        found |= dict(
            zip(outputs, piece.session.run(None, {name: (feeds | found)[name] for name in inputs}), strict=True)
        )

    assert set(names) <= set(found)
    for name in names:
        np.testing.assert_allclose(found[name], whole[name], atol=1e-5)


def test_a_layer_reads_its_own_cache_and_weights_only(bundle: Path) -> None:
    _, second, _ = single_layers.pieces(bundle / "backbone.onnx", SHAPE.layers)
    inputs = {value.name for value in second.session.get_inputs()}
    assert inputs >= {"layer_output.0", "past_lengths", "past_keys.1", "past_values.1"}
    assert inputs.isdisjoint({"past_keys.2", "past_values.2", "past_values.0", "token_counts"})


def test_an_operator_that_no_layer_holds_is_found(bundle: Path, tmp_path: Path) -> None:
    model = ir.load(bundle / "backbone.onnx")
    stray = ir.node("Neg", [model.graph.inputs[0]])
    stray.outputs[0].name = "stray"
    model.graph.append(stray)
    ir.save(model, tmp_path / "backbone.onnx", external_data="backbone.onnx.data")

    with pytest.raises(AssertionError, match=r"no layer of .* holds stray"):
        list(single_layers.pieces(tmp_path / "backbone.onnx", SHAPE.layers))


@pytest.mark.parametrize("layer", [0, 1, 2])
def test_a_wrong_weight_is_found_in_its_layer(bundle: Path, plan: ExportPlan, tmp_path: Path, layer: int) -> None:
    model = ir.load(bundle / "backbone.onnx")
    for value in model.graph.initializers.values():
        if value.name == f"model.text_model.layers.{layer}.mlp.down_proj.weight":
            assert value.const_value is not None
            value.const_value = ir.tensor(value.const_value.numpy() * np.float32(1.05), name=value.name)
    ir.save(model, tmp_path / "backbone.onnx", external_data="backbone.onnx.data")

    with pytest.raises(CheckpointError, match=f"backbone differs from the reference by .* from layer {layer} on, more"):
        parity.compare(tmp_path, plan, plan.reference(), "backbone")


def test_the_reference_is_transformers_own_pass_and_holds_nothing_after_it(checkpoint: Path, plan: ExportPlan) -> None:
    from transformers import Emu3ForConditionalGeneration

    embeds = np.random.default_rng(0).standard_normal((2, 9, SHAPE.hidden)).astype(np.float32)
    whole: Any = Emu3ForConditionalGeneration.from_pretrained(checkpoint, dtype=torch.float32)
    whole.eval()
    with torch.no_grad():
        text = whole.model.text_model
        out = text(inputs_embeds=torch.from_numpy(embeds), use_cache=False, output_hidden_states=True)
    reference: Any = plan.reference()

    states = reference.hidden_states(embeds)

    assert len(states) == SHAPE.layers
    for state, expected in zip(states, out.hidden_states[1:], strict=True):
        np.testing.assert_array_equal(state, expected.numpy())
    np.testing.assert_array_equal(states[-1], out.last_hidden_state.numpy())
    assert {parameter.device.type for parameter in reference.model.parameters()} == {"meta"}


def test_a_part_gives_its_tensors_back_when_its_call_fails(plan: ExportPlan) -> None:
    with torch.device("meta"):
        linear = nn.Linear(48, 32, bias=False)
    on_demand(linear, "model.text_model.layers.0.mlp.down_proj", plan.checkpoint)
    assert linear(torch.ones(1, 48)).shape == (1, 32)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        linear(torch.ones(1, 47))
    assert linear.weight.is_meta


def test_a_part_with_something_that_no_checkpoint_has_is_not_streamed(plan: ExportPlan) -> None:
    module = nn.Module()
    module.register_buffer("computed", torch.zeros(1), persistent=False)
    with pytest.raises(AssertionError, match="holds computed, which no checkpoint can give back"):
        on_demand(module, "model", plan.checkpoint)
