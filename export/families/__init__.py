"""The model families, by the class that a checkpoint's config names.

A family is a record in registry.py and a module with one function, `plan`.
"""

import importlib
from pathlib import Path
from typing import TYPE_CHECKING

from edgevlo.runtime.errors import CheckpointError

from .registry import FAMILIES, Family, supported

if TYPE_CHECKING:  # torch; the list of families does without
    from edgevlo.export.checkpoint import Checkpoint
    from edgevlo.export.plan import Plan


def plan_export(folder: Path) -> "Plan":
    """Return the plan of the family that the checkpoint's config names; raise `CheckpointError` if there is none."""
    from edgevlo.export.checkpoint import Checkpoint

    checkpoint = Checkpoint(folder)
    listed = checkpoint.config.get("architectures") or []
    named = [str(name) for name in listed] if isinstance(listed, list) else []
    for family in FAMILIES:
        if not set(named).isdisjoint(family.architectures) and _has_tokens(checkpoint, family):
            module = importlib.import_module(f".{family.module}", __name__)
            plan: Plan = module.plan(checkpoint)
            return plan
    classes = [family for family in FAMILIES if not set(named).isdisjoint(family.architectures)]
    if classes:
        tokens = " or ".join(f"{', '.join(family.tokens)} ({family.name})" for family in classes)
        raise CheckpointError(
            f"{folder / 'tokenizer.json'} lacks the special tokens of the models of class {', '.join(named)} that "
            f"edgevlo exports: {tokens}. A model of text alone paints nothing."
        )
    found = ", ".join(named) or f"model type {checkpoint.config.get('model_type')!r}"
    instead = [f" Take {what}." for family in FAMILIES for name, what in family.instead.items() if name in named]
    raise CheckpointError(
        f"{folder / 'config.json'} is of class {found}; edgevlo exports {supported()}.{''.join(instead)}"
    )


def _has_tokens(checkpoint: "Checkpoint", family: Family) -> bool:
    """Whether the tokenizer has the tokens that tell a family from others of the same class."""
    if not family.tokens:
        return True
    from edgevlo.export.files_beside import read_tokenizer

    tokenizer = read_tokenizer(checkpoint)
    return all(tokenizer.token_to_id(token) is not None for token in family.tokens)
