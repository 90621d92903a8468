"""The command that installs an extra: it must work where no index has edgevlo."""

import tomllib
from importlib import metadata
from pathlib import Path
from typing import NoReturn

import pytest

from edgevlo.runtime.extras import install_command

PYPROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
EXTRAS = PYPROJECT["project"]["optional-dependencies"]


def test_the_packages_of_the_extra_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = ["numpy>=2.0", 'torch==2.13.0; extra == "export"', 'onnx>=1.23; extra == "export"', 'x>1; extra == "hub"']
    monkeypatch.setattr(metadata, "requires", lambda _: lines)
    assert install_command("export") == "pip install torch==2.13.0 'onnx>=1.23'"


def test_a_tree_that_was_never_installed_names_the_clone(monkeypatch: pytest.MonkeyPatch) -> None:
    def not_installed(name: str) -> NoReturn:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "requires", not_installed)
    assert install_command("hub") == "pip install '.[hub]'"


def test_quantising_needs_no_torch_and_exporting_brings_all_that_quantising_needs() -> None:
    assert not any(package.startswith("torch") for package in EXTRAS["quantize"])
    assert set(EXTRAS["evaluate"]) <= set(EXTRAS["quantize"]) <= set(EXTRAS["export"])
