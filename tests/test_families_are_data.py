"""What differs between model families stands in manifests and under export/families/, nowhere else in the code."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from edgevlo.export.families.registry import FAMILIES

ROOT = Path(__file__).resolve().parent.parent
FAMILY_CODE = ROOT / "export" / "families"
NAMES = {family.name for family in FAMILIES} | {name for family in FAMILIES for name in family.architectures}
FOLDERS = ("runtime", "export", "quantization", "calibration", "serving", "src/edgevlo")


def modules() -> list[Path]:
    found = [path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py") if "picturebook" not in path.parts]
    return sorted(path for path in found if FAMILY_CODE not in path.parents)


def compared(tree: ast.AST) -> Iterator[ast.expr]:
    """Yield what a module compares or matches, and the keys that it looks up by literal."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            yield from (node.left, *node.comparators)
        elif isinstance(node, ast.Match):
            yield node.subject
        elif isinstance(node, ast.MatchValue):
            yield node.value
        elif isinstance(node, ast.Dict):
            yield from (key for key in node.keys if key is not None)


def asks_for_a_family(expression: ast.expr) -> bool:
    """Whether an expression is somebody's `.family` or the name of a family or class."""
    if isinstance(expression, ast.Tuple | ast.List | ast.Set):
        return any(map(asks_for_a_family, expression.elts))
    if isinstance(expression, ast.Attribute):
        return expression.attr in ("family", "architecture")
    return isinstance(expression, ast.Constant) and expression.value in NAMES


@pytest.mark.parametrize("path", modules(), ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_outside_the_families_asks_which_family_it_is(path: Path) -> None:
    asking = [node.lineno for node in compared(ast.parse(path.read_text())) if asks_for_a_family(node)]
    assert not asking, f"{path.relative_to(ROOT)}, lines {asking}: put what differs into the manifest"


@pytest.mark.parametrize(
    "code",
    ["if manifest.family == 'x': pass", "if name in ('janus', 'b'): pass", "match plan.family:\n case 'x': pass",
     "match name:\n case 'emu3': pass", "{'JanusForConditionalGeneration': 1}[name]"],
)  # fmt: skip
def test_a_question_for_the_family_is_seen(code: str) -> None:
    assert any(map(asks_for_a_family, compared(ast.parse(code))))


def test_the_rules_are_those_of_the_folders_that_ship() -> None:
    assert len(modules()) > 40
