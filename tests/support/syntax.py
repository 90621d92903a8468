"""Python files of the repository as syntax trees, each parsed and walked once a run."""

import ast
import functools
from collections.abc import Sequence
from pathlib import Path


@functools.cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


@functools.cache
def nodes_of(file: Path) -> Sequence[ast.AST]:
    return tuple(ast.walk(parsed(file)))


@functools.cache
def imports_of(file: Path) -> Sequence[ast.Import | ast.ImportFrom]:
    return [node for node in nodes_of(file) if isinstance(node, ast.Import | ast.ImportFrom)]


@functools.cache
def imports_for_types(file: Path) -> set[ast.AST]:
    """Return what stands under `if TYPE_CHECKING`: types alone make no dependency."""
    tests = [
        node for node in nodes_of(file) if isinstance(node, ast.If) and isinstance(node.test, ast.Name | ast.Attribute)
    ]
    guards = [node for node in tests if "TYPE_CHECKING" in ast.unparse(node.test)]
    return {node for guard in guards for node in ast.walk(guard)}
