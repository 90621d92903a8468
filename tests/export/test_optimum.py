"""Every family's export configuration in optimum's registry: found by model type, with the backbone's own inputs."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort
import pytest
import transformers
from janus_checkpoints import JanusShape, make_janus

from edgevlo.export import export_checkpoint
from edgevlo.export.families import register_all
from edgevlo.export.families.recognise import plan_export
from edgevlo.export.families.registry import FAMILIES
from edgevlo.export.optimum_registry import EXPORTER, TASK

tasks = pytest.importorskip("optimum.exporters.tasks")

CLASSES = [getattr(transformers, name, None) for family in FAMILIES for name in family.architectures]
MODEL_TYPES = sorted({one.config_class.model_type for one in CLASSES if one is not None})  # those transformers knows


def constructor(model_type: str) -> Any:
    register_all()
    return tasks.TasksManager.get_exporter_config_constructor(
        exporter=EXPORTER, model_type=model_type, task=TASK, library_name="transformers"
    )


@pytest.mark.parametrize("model_type", MODEL_TYPES)
def test_a_family_is_found_by_its_model_type(model_type: str) -> None:
    assert constructor(model_type).func.__module__.startswith("edgevlo.export.families.")


def test_the_dummy_inputs_of_janus_run_its_backbone(tmp_path: Path) -> None:
    shape = JanusShape(name="tiny", layers=2, hidden=32, heads=4, kv_heads=2, mlp=32, side=2, codes=32,
                       multipliers=(1, 1))  # fmt: skip
    checkpoint = make_janus(tmp_path / "tiny", shape)
    export_checkpoint(checkpoint, tmp_path / "bundle")
    config = constructor("janus")(plan_export(checkpoint).config)

    inputs = config.generate_dummy_inputs("np", batch_size=3, sequence_length=5)
    session = ort.InferenceSession(tmp_path / "bundle" / "backbone.onnx", providers=["CPUExecutionProvider"])
    outputs = session.run(list(config.outputs), inputs)

    assert set(config.inputs) == {one.name for one in session.get_inputs()} == set(inputs)
    assert set(config.outputs) == {one.name for one in session.get_outputs()}
    hidden = dict(zip(config.outputs, outputs, strict=True))["hidden"]
    assert hidden.shape == (3, 5, 32)
    assert np.isfinite(hidden).all()
