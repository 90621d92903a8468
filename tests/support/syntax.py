"""What stands in the repository's Python files: imports, strings, syntax trees. Each file is read once a run."""

import ast
import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType


@functools.cache
def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements below a node; expressions, of which there are many more, are not looked into."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)


@functools.cache
def _statements_of(file: Path) -> Sequence[ast.AST]:
    return tuple(_statements(parsed(file)))


@functools.cache
def imports_of(file: Path) -> Sequence[ast.Import | ast.ImportFrom]:
    return [node for node in _statements_of(file) if isinstance(node, ast.Import | ast.ImportFrom)]


@functools.cache
def imports_for_types(file: Path) -> set[ast.AST]:
    """Return what stands under `if TYPE_CHECKING`: types alone make no dependency."""
    tests = [
        node
        for node in _statements_of(file)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name | ast.Attribute)
    ]
    guards = [node for node in tests if "TYPE_CHECKING" in ast.unparse(node.test)]
    return {node for guard in guards for node in ast.walk(guard)}


def strings_of(file: Path) -> Iterator[str]:
    """Yield the strings of a file without its docstrings, the parts of an f-string apart."""
    return _strings(compile(file.read_text(encoding="utf-8"), file, "exec", dont_inherit=True, optimize=2))


def _strings(constant: object) -> Iterator[str]:
    if isinstance(constant, str):
        yield constant
    parts = constant.co_consts if isinstance(constant, CodeType) else constant
    if isinstance(parts, tuple | frozenset):
        for part in parts:
            yield from _strings(part)
