"""The model families. A family is a record in registry.py and a module with one function, `export_plan`."""

import importlib

from .registry import FAMILIES


def register_all() -> None:
    """Enter every family's export configuration into optimum's TasksManager, for the exporter "edgevlo"."""
    for family in FAMILIES:
        importlib.import_module(f".{family.module}", __name__)
