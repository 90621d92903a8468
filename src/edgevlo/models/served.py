"""Which bundles a server has, and what they are called."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from edgevlo.runtime.errors import RequestError

from .find import EMBEDDED_MODEL, default, find
from .list import bundles


def served(models: Sequence[str]) -> dict[str, Path]:
    """Return the bundles to serve by name: those asked for, or the embedded one and all that are installed.

    Raises `RequestError` where two have the same name.
    """
    if models:
        found = {_name(model): find(model) for model in models}
        if len(found) < len(models):
            raise RequestError("two models have the same name; serve one of them, or rename a folder.")
        return found
    first = find()
    return {
        _name(default() or EMBEDDED_MODEL): first,
        **{one.name: one.folder for one in bundles() if one.folder != first},
    }


def _name(model: str) -> str:
    """Return the name of a model that was given as a folder or a name."""
    return model if re.fullmatch(r"[\w.-]+/[\w.-]+", model) and not Path(model).exists() else Path(model).resolve().name


def aliased(given: Sequence[str], folders: Mapping[str, Path]) -> dict[str, str]:
    """Return the models of other names, given as NAME=MODEL, or NAME for the first one; raise `RequestError`."""
    aliases = {}
    for alias in given:
        name, _, model = alias.partition("=")
        target = model or next(iter(folders))
        if target not in folders:
            raise RequestError(f"--alias {alias} names a model that is not served; there are {', '.join(folders)}.")
        aliases[name] = target
    return aliases
