"""What differs between families is data: nothing outside `export/families/` asks which family a model is of."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgevlo.export.families.registry import FAMILIES

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = ("runtime", "export", "quantization", "calibration", "serving", "src/edgevlo")
NAMES = {family.name for family in FAMILIES} | {name for family in FAMILIES for name in family.architectures}


def modules(folder: str) -> Iterator[Path]:
    """Yield the modules of a folder that belong to no family."""
    for file in sorted((ROOT / folder).rglob("*.py")):
        if "families" not in file.relative_to(ROOT).parts and not file.parent.is_symlink():
            yield file


def compared(tree: ast.AST) -> Iterator[tuple[int, ast.expr]]:
    """Yield what a module compares, matches, calls methods of or looks up, its tables' keys and all its constants."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            parts: list[ast.expr | None] = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            parts = [node.subject]
        elif isinstance(node, ast.MatchValue):
            parts = [node.value]
        elif isinstance(node, ast.Subscript):
            parts = [node.slice]
        elif isinstance(node, ast.Dict):
            parts = [*node.keys]
        elif isinstance(node, ast.Call):  # of a method, as family.startswith("j")
            parts = [node.func.value] if isinstance(node.func, ast.Attribute) else []
        elif isinstance(node, ast.Constant):
            parts = [node]
        else:
            continue
        yield from ((part.lineno, part) for part in parts if part is not None)


def names_a_family(expression: ast.expr) -> bool:
    """Whether an expression is called `family`, or is the name of one or of its class."""
    if isinstance(expression, ast.Tuple | ast.List | ast.Set):
        return any(map(names_a_family, expression.elts))
    if isinstance(expression, ast.Constant):
        return expression.value in NAMES
    return getattr(expression, "attr", getattr(expression, "id", None)) in ("family", "architecture")


def asks(code: str) -> list[int]:
    return sorted({line for line, expression in compared(ast.parse(code)) if names_a_family(expression)})


@pytest.mark.parametrize("folder", FOLDERS)
def test_nothing_asks_which_family_a_model_is_of(folder: str) -> None:
    found = [f"{file.relative_to(ROOT)}:{line}" for file in modules(folder) for line in asks(file.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize(
    "code",
    ["if plan.family == 'x': pass", "TABLE[manifest.family]", "match family:\n case 'x': pass",
     "if name in ('janus', 'b'): pass", "match name:\n case 'emu3': pass", "{'GemmaForCausalLM': 1}[name]",
     "plan.family.startswith('x')", "name.startswith('janus')", "is_one(name, 'emu3')"],
)  # fmt: skip
def test_the_rule_sees_what_it_forbids(code: str) -> None:
    assert asks(code)
