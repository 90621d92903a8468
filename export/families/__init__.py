"""The model families, by the class that a checkpoint's config names. A family is one file with one function, `plan`."""

import importlib
from pathlib import Path
from typing import Final

from edgevlo.export.checkpoint import Checkpoint
from edgevlo.export.plan import Plan
from edgevlo.runtime.errors import CheckpointError

# Class in `architectures` -> module here. Families load transformers, so they are imported only when asked for.
FAMILIES: Final = {
    "Emu3ForConditionalGeneration": "emu3",
    "JanusForConditionalGeneration": "janus",
    "MultiModalityCausalLM": "janus_original",
}


def plan_export(folder: Path) -> Plan:
    """Return the plan of the family that the checkpoint's config names."""
    checkpoint = Checkpoint(folder)
    named = checkpoint.config.get("architectures") or []
    for architecture in named if isinstance(named, list) else []:
        if architecture in FAMILIES:
            family = importlib.import_module(f".{FAMILIES[architecture]}", __name__)
            plan: Plan = family.plan(checkpoint)
            return plan
    found = ", ".join(map(str, named)) or f"model type {checkpoint.config.get('model_type')!r}"
    raise CheckpointError(
        f"{folder / 'config.json'} is of class {found}; edgevlo exports {', '.join(sorted(FAMILIES))}."
    )
