"""The families' entry in optimum's registry, and the dummy inputs made from it.

optimum's TasksManager is where export configurations are looked up by model type; ours is registered there as the
backend "edgevlo". Its dummy inputs are those of the backbone and feed the comparison that ends every export.
"""

from typing import Any, Final

import numpy as np
import numpy.typing as npt
from optimum.exporters.base import ExporterConfig
from optimum.exporters.tasks import TasksManager
from optimum.utils import DummyInputGenerator, NormalizedTextConfig

from .plan import Plan

BACKEND: Final = "edgevlo"
TASK: Final = "text-generation"
CAPACITY: Final = 24

register = TasksManager.create_register(BACKEND, overwrite_existing=True)


class BackboneInputs(DummyInputGenerator):  # type: ignore[misc]  # optimum is not annotated
    """Random embeddings and an empty cache for the backbone of docs/bundle.md."""

    SUPPORTED_INPUT_NAMES = ("inputs_embeds", "past_lengths", "token_counts", "past_keys", "past_values")

    def __init__(self, task: str, config: Any, batch_size: int = 2, sequence_length: int = 8, **_: Any) -> None:
        self.task = task
        self.config = config
        self.rows, self.tokens = batch_size, sequence_length

    def generate(
        self, input_name: str, framework: str = "np", int_dtype: str = "int64", float_dtype: str = "fp32"
    ) -> Any:
        """Return the input of this name."""
        config = self.config
        head_dim = config.hidden_size // config.num_attention_heads
        shapes = {
            "inputs_embeds": [self.rows, self.tokens, config.hidden_size],
            "past_lengths": [self.rows],
            "token_counts": [self.rows],
        }
        shape = shapes.get(input_name, [self.rows, config.num_key_value_heads, CAPACITY, head_dim])
        if input_name == "inputs_embeds":
            return self.random_float_tensor(shape, min_value=-1, max_value=1, framework=framework, dtype=float_dtype)
        value = self.tokens if input_name == "token_counts" else 0
        dtype = float_dtype if input_name.startswith("past_keys") or input_name.startswith("past_values") else int_dtype
        return self.constant_tensor(shape, value=value, framework=framework, dtype=dtype)
