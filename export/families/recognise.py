"""Which family a checkpoint is of, by the class that its config names, and the plan of its export."""

import dataclasses
import functools
import importlib
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from edgevlo.runtime.errors import CheckpointError

from .registry import FAMILIES, Family, instead_of, supported

if TYPE_CHECKING:  # torch; the list of families does without
    from tokenizers import Tokenizer

    from ..export_plan import ExportPlan


def family_of(classes: Collection[str], tokenizer: Callable[[], "Tokenizer"]) -> Family | None:
    """Return the family of a config's classes whose own tokens, if it has any, the tokenizer knows; None if none is."""
    for family in FAMILIES:
        if not set(classes).isdisjoint(family.architectures) and (
            not family.tokens or None not in map(tokenizer().token_to_id, family.tokens)
        ):
            return family
    return None


def plan_export(folder: Path) -> "ExportPlan":
    """Return the plan of the family that the checkpoint's config names; raise `CheckpointError` if there is none."""
    from ..checkpoint.folder import Checkpoint
    from ..checkpoint.generation import follow_generation_config
    from ..checkpoint.tokenizer import read_tokenizer, say_what_is_beside

    _check_format(folder)
    checkpoint = Checkpoint(folder)
    listed = checkpoint.config.get("architectures") or []
    named = [str(name) for name in listed] if isinstance(listed, list) else []
    if family := family_of(named, functools.partial(read_tokenizer, checkpoint)):
        with _values_of_files(folder):
            plan: ExportPlan = importlib.import_module(f".{family.module}", __package__).export_plan(checkpoint)
            tokenizer = plan.tokenizer or read_tokenizer(checkpoint)
            defaults = follow_generation_config(plan.defaults, checkpoint, tokenizer)
            if plan.tokenizer is None and say_what_is_beside(checkpoint):
                plan = dataclasses.replace(plan, tokenizer=tokenizer)
            return dataclasses.replace(plan, defaults=defaults)
    classes = [family for family in FAMILIES if not set(named).isdisjoint(family.architectures)]
    if classes:
        tokens = " or ".join(f"{', '.join(family.tokens)} ({family.name})" for family in classes)
        raise CheckpointError(
            f"{folder / 'tokenizer.json'} lacks the special tokens of the models of class {', '.join(named)} that "
            f"edgevlo exports: {tokens}. A model of text alone paints nothing."
        )
    found = (
        f"is of class {', '.join(named)}"
        if named
        else f"names no class (model type {checkpoint.config.get('model_type')!r})"
    )
    raise CheckpointError(f"{folder / 'config.json'} {found}.{instead_of(*named)} edgevlo exports {supported()}.")


@contextmanager
def _values_of_files(folder: Path) -> Iterator[None]:
    """Turn what a value of a wrong kind in a checkpoint's JSON files raises, here or in transformers, into one line."""
    try:
        yield
    except CheckpointError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:300]
        raise CheckpointError(
            f"{folder}: a value in config.json or a file beside it is not what this class has there "
            f"({type(error).__name__}: {reason}). Download those files again."
        ) from error


def _check_format(folder: Path) -> None:
    """Raise `CheckpointError` for a checkpoint in a format of its own, which has no config.json."""
    if (folder / "adapter_config.json").is_file():
        raise CheckpointError(
            f"{folder} holds an adapter (adapter_config.json), which is not applied here. Merge it into its base model "
            "with peft: model.merge_and_unload().save_pretrained(FOLDER), and export that folder."
        )
    if (folder / "config.json").exists():
        return
    for file in (name for family in FAMILIES for name in family.instead if name.endswith(".json")):
        if (folder / file).is_file():
            raise CheckpointError(
                f"{folder} has no config.json, and {file} is Meta's own format, which edgevlo does not read."
                f"{instead_of(file)}"
            )
