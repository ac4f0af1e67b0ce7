"""Which tests play which scenario, read from the tests' source without running it."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeGuard


@dataclass(slots=True)
class Marks:
    """What was found under a folder of tests.

    played  per id the tests that play it, as `tests/core/test_x.py::test_y`, in the order of the files.
    errors  marks nobody can read or that stand on something other than a test, with their place.
    """

    played: dict[str, list[str]] = field(default_factory=dict)
    errors: list[str] = field(default_factory=list)


def collect(root: Path) -> Marks:
    """Read every `test_*.py` under `root`/tests."""
    marks = Marks()
    for path in sorted((root / "tests").rglob("test_*.py")):
        _collect_from(path.read_text(encoding="utf-8"), path.relative_to(root).as_posix(), marks)
    return marks


def _collect_from(source: str, name: str, marks: Marks) -> None:
    tree = ast.parse(source, filename=name)
    on_tests: set[ast.Call] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
            ids: list[str] = []
            for call in filter(_is_mark, node.decorator_list):
                on_tests.add(call)
                ids += _ids_of(call, f"{name} line {call.lineno}", marks)
            for one in dict.fromkeys(ids):
                marks.played.setdefault(one, []).append(f"{name}::{node.name}")
    for node in ast.walk(tree):
        if _is_mark(node) and node not in on_tests:
            marks.errors.append(f"{name} line {node.lineno}: a fault mark that stands on no test")


def _is_mark(node: ast.AST) -> TypeGuard[ast.Call]:
    return isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.fault"


def _ids_of(call: ast.Call, place: str, marks: Marks) -> list[str]:
    found = [a.value for a in call.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
    if len(found) != len(call.args) or call.keywords or not found:
        marks.errors.append(f"{place}: {ast.unparse(call)}; allowed: one id or more, each as a plain text")
    return found
