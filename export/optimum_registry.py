"""The families' entry in optimum's registry, and the dummy inputs made from it.

optimum's TasksManager is where export configurations are looked up by model type; ours are registered there for the
exporter "edgevlo". Their dummy inputs are those of the backbone and feed the comparison that ends every export.
"""

from typing import Any, Final

import numpy as np
from optimum.exporters.base import ExporterConfig
from optimum.exporters.tasks import TasksManager
from optimum.utils import DummyInputGenerator, NormalizedTextConfig

from edgevlo.runtime.arrays import Array

from .export_plan import ExportPlan

EXPORTER: Final = "edgevlo"
TASK: Final = "text-generation"
CAPACITY: Final = 24  # of the dummy cache: more than the comparison uses

register: Any = TasksManager.create_register(EXPORTER, overwrite_existing=True)


class BackboneInputs(DummyInputGenerator):  # type: ignore[misc]  # optimum is not annotated
    """Random embeddings and an empty cache for the backbone of docs/bundle.md, the same on every run."""

    SUPPORTED_INPUT_NAMES = ("inputs_embeds", "past_lengths", "token_counts", "past_keys", "past_values")

    def __init__(
        self, task: str, config: Any, batch_size: int = 2, sequence_length: int = 8, head_dim: int = 0, **_: Any
    ) -> None:
        self.task, self.config = task, config
        self.rows, self.tokens = batch_size, sequence_length
        self.head_dim = head_dim or config.hidden_size // config.num_attention_heads

    def generate(self, input_name: str, framework: str = "np", **_: Any) -> Any:
        """Return the input of this name, a numpy array or a torch tensor."""
        config = self.config
        if input_name == "inputs_embeds":
            random = np.random.default_rng(0)
            array = random.standard_normal((self.rows, self.tokens, config.hidden_size)).astype(np.float32)
        elif input_name.startswith(("past_keys", "past_values")):
            array = np.zeros((self.rows, config.num_key_value_heads, CAPACITY, self.head_dim), dtype=np.float32)
        else:
            array = np.full(self.rows, self.tokens if input_name == "token_counts" else 0, dtype=np.int64)
        if framework == "np":
            return array
        import torch

        return torch.from_numpy(array)


class BackboneConfig(ExporterConfig):  # type: ignore[misc]
    """The backbone's inputs and outputs with their dynamic axes, for configs whose decoder is their `text_config`."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig.with_args(
        hidden_size="text_config.hidden_size",
        num_layers="text_config.num_hidden_layers",
        num_key_value_heads="text_config.num_key_value_heads",
        num_attention_heads="text_config.num_attention_heads",
        allow_new=True,
    )
    DUMMY_INPUT_GENERATOR_CLASSES = (BackboneInputs,)

    @property
    def inputs(self) -> dict[str, dict[int, str]]:
        """Return input name -> dynamic axes."""
        return {
            "inputs_embeds": {0: "B", 1: "S"},
            "past_lengths": {0: "B"},
            "token_counts": {0: "B"},
            **self._cache("past"),
        }

    @property
    def outputs(self) -> dict[str, dict[int, str]]:
        """Return output name -> dynamic axes."""
        return {"hidden": {0: "B", 1: "S"}, "last_hidden": {0: "B"}, **self._cache("present")}

    def _cache(self, when: str) -> dict[str, dict[int, str]]:
        layers = range(self._normalized_config.num_layers)
        return {f"{when}_{side}.{layer}": {0: "B", 2: "C"} for layer in layers for side in ("keys", "values")}


class FlatBackboneConfig(BackboneConfig):
    """The same for configs that are a decoder's own."""

    NORMALIZED_CONFIG_CLASS = NormalizedTextConfig.with_args(
        num_layers="num_hidden_layers", num_key_value_heads="num_key_value_heads", allow_new=True
    )


def backbone_inputs(plan: ExportPlan) -> dict[str, Array]:
    """Return dummy inputs for the plan's backbone, by way of optimum's registry."""
    constructor: Any = TasksManager.get_exporter_config_constructor(
        exporter=EXPORTER, model_type=plan.config.model_type, task=TASK, library_name="transformers"
    )
    config: BackboneConfig = constructor(plan.config)
    inputs: dict[str, Array] = config.generate_dummy_inputs("np", head_dim=plan.decoder.head_dim)
    return inputs
