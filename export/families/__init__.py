"""The model families, by the class that a checkpoint's config names.

A family is a record in registry.py and a module with one function, `plan`.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgevlo.runtime.errors import CheckpointError

from .registry import FAMILIES, supported

if TYPE_CHECKING:  # torch; the list of families does without
    from edgevlo.export.plan import Plan


def register_all() -> None:
    """Enter every family's export configuration into optimum's TasksManager, for the exporter "edgevlo"."""
    for family in FAMILIES:
        importlib.import_module(f".{family.module}", __name__)


def plan_export(folder: Path) -> "Plan":
    """Return the plan of the family that the checkpoint's config names; raise `CheckpointError` if there is none."""
    from edgevlo.export.checkpoint import Checkpoint

    checkpoint = Checkpoint(folder)
    listed = checkpoint.config.get("architectures") or []
    named = [str(name) for name in listed] if isinstance(listed, list) else []
    for family in FAMILIES:
        if not set(named).isdisjoint(family.architectures):
            module = importlib.import_module(f".{family.module}", __name__)
            plan: Plan = module.plan(checkpoint)
            return plan
    found = ", ".join(named) or f"model type {checkpoint.config.get('model_type')!r}"
    instead = [f" Take {what}." for family in FAMILIES for name, what in family.instead.items() if name in named]
    raise CheckpointError(
        f"{folder / 'config.json'} is of class {found}; edgevlo exports {supported()}.{''.join(instead)}"
    )
