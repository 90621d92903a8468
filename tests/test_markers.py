"""Every test is of one kind, and unit tests need nothing but the runtime and pytest."""

import ast
import functools
import sys
import tomllib
from pathlib import Path

import pytest
from markers import KINDS, ROOT, TABLE, UNIT, kind_of

SUPPORT = ROOT / "support"
PROJECT = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUNTIME = {"numpy", "onnxruntime", "tokenizers", "PIL", "msgspec", "click", "tqdm"}
BESIDE_THE_RUNTIME = ("edgevlo.export", "edgevlo.quantization", "edgevlo.calibration", "edgevlo.picturebook")


def test_every_collected_test_has_one_kind_and_units_are_not_slow(request: pytest.FixtureRequest) -> None:
    for item in request.session.items:
        marks = {mark.name for mark in item.iter_markers()}
        (kind,) = marks & set(KINDS)
        assert kind == kind_of(item.path)
        assert not (kind == UNIT and "slow" in marks), item.nodeid


def test_the_table_names_what_exists() -> None:
    assert set(TABLE.values()) == set(KINDS)
    folders = {path.name for path in ROOT.iterdir() if any(path.rglob("test_*.py"))}
    named = {name for name in TABLE if not name.endswith(".py")}
    assert folders <= named
    assert all((ROOT / name).is_file() for name in TABLE if name.endswith(".py"))


@functools.cache
def imported(file: Path) -> frozenset[str]:
    """Return the modules that a file imports when it is imported itself, and those of tests/support behind them."""
    found = set[str]()
    for node in ast.parse(file.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
    behind = [SUPPORT / f"{name}.py" for name in found]
    return frozenset(found).union(*(imported(path) for path in behind if path.is_file()))


UNITS = [path for path in sorted(ROOT.rglob("test_*.py")) if kind_of(path) == UNIT]


@pytest.mark.parametrize("module", UNITS, ids=lambda path: path.name)
def test_units_import_the_runtime_alone(module: Path) -> None:
    known = {*sys.stdlib_module_names, *RUNTIME, *(path.stem for path in SUPPORT.glob("*.py")), "pytest", "edgevlo"}
    for name in imported(module):
        assert name.partition(".")[0] in known, name
        assert not name.startswith(BESIDE_THE_RUNTIME), name


def test_the_runtime_is_what_is_installed_with_it() -> None:
    names = {requirement.partition(">=")[0].replace("pillow", "PIL") for requirement in PROJECT["dependencies"]}
    assert names == RUNTIME
