"""What differs between families is data: nothing outside `export/families/` asks which family a model is of."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("runtime", "export", "quantization", "calibration", "serving", "src/edgevlo")


def modules(folder: str) -> Iterator[Path]:
    """Yield the modules of a folder that belong to no family."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        if "families" not in file.relative_to(ROOT).parts and not file.parent.is_symlink():
            yield file


def asks(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that compare or match something called `family`, or look it up in a table."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts: list[ast.expr] = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            parts = [node.subject]
        elif isinstance(node, ast.Subscript):
            parts = [node.slice]
        else:
            continue
        if any(getattr(part, "attr", getattr(part, "id", None)) in ("family", "architecture") for part in parts):
            yield node.lineno


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_asks_which_family_a_model_is_of(folder: str) -> None:
    found = [
        f"{file.relative_to(ROOT)}:{line}"
        for file in modules(folder)
        for line in asks(ast.parse(file.read_text(encoding="utf-8")))
    ]
    assert found == []


def test_the_rule_sees_what_it_forbids() -> None:
    for source in ("if plan.family == 'emu3': pass", "TABLE[manifest.family]", "match family:\n case 'janus': pass"):
        assert list(asks(ast.parse(source)))
