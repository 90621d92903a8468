"""What stands in the repository's Python files: imports, which are looked for once a run, strings, syntax trees."""

import ast
import functools
from collections.abc import Iterator, Sequence, Set
from pathlib import Path
from types import CodeType
from typing import NamedTuple


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text(encoding="utf-8"))


class Imports(NamedTuple):
    """The imports of a file, and those of them that stand under `if TYPE_CHECKING`: types alone make no dependency."""

    all: Sequence[ast.Import | ast.ImportFrom]
    for_types: Set[ast.AST]


@functools.cache
def imports_of(file: Path) -> Imports:
    statements = list(_statements(parsed(file)))
    tests = [
        node for node in statements if isinstance(node, ast.If) and isinstance(node.test, ast.Name | ast.Attribute)
    ]
    guards = [node for node in tests if "TYPE_CHECKING" in ast.unparse(node.test)]
    guarded = {node for guard in guards for node in _statements(guard)}
    found = [node for node in statements if isinstance(node, ast.Import | ast.ImportFrom)]
    return Imports(found, guarded & set(found))


def _statements(node: ast.AST) -> Iterator[ast.AST]:
    """Yield the statements below a node; expressions, of which there are many more, are not looked into."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt | ast.excepthandler | ast.match_case):
            yield child
            yield from _statements(child)


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
