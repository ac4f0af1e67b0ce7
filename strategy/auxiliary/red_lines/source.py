"""A module's text, read without running it: what it imports, calls, changes and remembers (R4, R6).

What can be seen here is refused before a line of it is run. What cannot (a method that is handed on, say) is
found when the module is played: the same question has to have the same answer.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from strategy.auxiliary.red_lines.rules import Breach, Moment, Rule

ALLOWED: Final = (
    "__future__", "bisect", "collections", "collections.abc", "dataclasses", "decimal", "enum",
    "fractions", "itertools", "math", "operator", "statistics", "types", "typing", "numpy",
    "numpy.typing", "talib", "config.schema", "core.context", "core.types", "core.verdict",
    "strategy.auxiliary",
)  # fmt: skip
MODELS: Final = (
    "catboost", "dill", "jax", "joblib", "keras", "lightgbm", "onnxruntime", "pickle", "sklearn",
    "stable_baselines3", "statsmodels", "tensorflow", "torch", "transformers", "xgboost",
)  # fmt: skip
CALLS: Final = (
    "__import__", "breakpoint", "compile", "delattr", "eval", "exec", "globals", "hash", "id", "input",
    "locals", "open", "print", "setattr", "vars",
)  # fmt: skip
ATTRIBUTES: Final = (
    "fromfile", "genfromtxt", "load", "loadtxt", "memmap", "now", "perf_counter", "random", "save",
    "savetxt", "savez", "seed", "setflags", "time_ns", "today", "tofile", "utcnow",
)  # fmt: skip
CHANGES: Final = (
    "add", "append", "appendleft", "clear", "discard", "extend", "fill", "insert", "itemset", "pop",
    "popitem", "popleft", "put", "remove", "resize", "reverse", "setdefault", "sort", "update",
)  # fmt: skip
BEGINNINGS: Final = ("__init__", "__post_init__")
MUTABLE: Final = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda


def read(text: str, path: str, own: str = "") -> tuple[Breach, ...]:
    """Return what the text does that no module may; the first of each kind at each line.

    path  what the trace calls it.    own  the package it lies in, whose parts it may import.
    Raises SyntaxError for a text that is none of Python's.
    """
    tree = ast.parse(text, path)
    reader = _Reader(path, text.splitlines(), own, top_names(text))
    return tuple(dict.fromkeys(reader.read(tree, ())))


def imports(text: str) -> tuple[str, ...]:
    """Return the names a text imports, with those that may be modules of a package it imports from."""
    names: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    return tuple(dict.fromkeys(names))


def top_names(text: str) -> frozenset[str]:
    """Return the names a text defines or imports outside any function. Raises SyntaxError."""
    names: set[str] = set()
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        else:
            names |= {each.id for each in ast.walk(node) if isinstance(each, ast.Name) and _stores(each)}
    return frozenset(names)


@dataclass(frozen=True, slots=True)
class _Reader:
    path: str
    lines: list[str]
    own: str
    top: frozenset[str]

    def read(self, node: ast.AST, inside: tuple[Function, ...]) -> Iterator[Breach]:
        yield from self._judged(node, inside)
        if isinstance(node, Function):
            inside = (*inside, node)
        for child in ast.iter_child_nodes(node):
            yield from self.read(child, inside)

    def _judged(self, node: ast.AST, inside: tuple[Function, ...]) -> Iterator[Breach]:
        match node:
            case ast.Import():
                for alias in node.names:
                    yield from self._import(node, alias.name)
            case ast.ImportFrom():
                yield from self._import(node, node.module if node.module and not node.level else "a relative")
            case ast.Global() | ast.Nonlocal():
                yield self._breach(node, "it changes a variable outside its own function")
            case ast.AsyncFunctionDef() | ast.Await() | ast.AsyncFor() | ast.AsyncWith():
                yield self._breach(node, "it waits: a module answers at once")
            case ast.FunctionDef() | ast.Lambda() if any(_is_mutable(each) for each in _defaults(node)):
                yield self._breach(node, "a default that can be changed remembers from call to call")
            case ast.Call():
                yield from self._call(node, inside)
            case ast.Attribute():
                yield from self._attribute(node, inside)
            case ast.For() | ast.comprehension() if _is_set(node.iter):
                yield self._breach(node.iter, "the order of a set differs from life to life")
            case ast.Assign() | ast.AugAssign() | ast.AnnAssign() | ast.Delete():
                for target in _targets(node):
                    yield from self._target(node, target, inside)

    def _import(self, node: ast.AST, name: str) -> Iterator[Breach]:
        root = name.partition(".")[0]
        if root in MODELS:
            yield self._breach(node, "it imports a model nobody can add up by hand", Rule.SCORE)
        elif not (_within(name, ALLOWED) or (self.own and _within(name, (self.own,)))):
            yield self._breach(node, "it imports what reaches beyond its Look")

    def _call(self, node: ast.Call, inside: tuple[Function, ...]) -> Iterator[Breach]:
        called = node.func
        if isinstance(called, ast.Name):
            if called.id in CALLS:
                yield self._breach(node, "it calls what reaches beyond its Look")
            elif called.id == "next" and node.args and self._is_kept(node.args[0], inside):
                yield self._breach(node, "it counts on: what it keeps is changed by being asked")
            elif called.id in ("list", "tuple") and node.args and _is_set(node.args[0]):
                yield self._breach(node, "the order of a set differs from life to life")
        elif (
            isinstance(called, ast.Attribute)
            and called.attr in CHANGES
            and self._outlives(called.value, inside)
        ):
            yield self._breach(node, "it changes what outlives the question")

    def _attribute(self, node: ast.Attribute, inside: tuple[Function, ...]) -> Iterator[Breach]:
        if node.attr in ATTRIBUTES:
            yield self._breach(node, "it asks a clock, chance or a file")
        elif node.attr.startswith("__") and node.attr not in _plain(inside):
            yield self._breach(node, "it reaches into the machinery of the language")

    def _target(self, node: ast.AST, target: ast.expr, inside: tuple[Function, ...]) -> Iterator[Breach]:
        if isinstance(target, ast.Attribute) and target.attr == "writeable":
            value = getattr(node, "value", None)
            if not (isinstance(value, ast.Constant) and value.value is False):
                yield self._breach(node, "it makes writable what it was shown")
        elif isinstance(target, ast.Attribute | ast.Subscript) and self._outlives(target, inside):
            yield self._breach(node, "it changes what outlives the question")

    def _is_kept(self, node: ast.expr, inside: tuple[Function, ...]) -> bool:
        """Whether the root of it lives longer than one question: itself, the Look, or a name of the file."""
        name = _root(node)
        if not inside or name is None:
            return False
        for function in reversed(inside):
            name = _behind(name, function)
        if name in ("self", "cls", "look"):
            return True
        return name in self.top and not any(name in _locals(function) for function in inside)

    def _outlives(self, node: ast.expr, inside: tuple[Function, ...]) -> bool:
        """As above, but for what a module sets of itself while it is made."""
        begins = _root(node) == "self" and _is_beginning(inside)
        return self._is_kept(node, inside) and not begins

    def _breach(self, node: ast.AST, broken: str, rule: Rule = Rule.PURITY) -> Breach:
        line: int = getattr(node, "lineno", 1)
        shown = self.lines[line - 1].strip() if line <= len(self.lines) else ""
        return Breach(rule, self.path, broken, (Moment(None, f"{self.path} line {line}: {shown}"),))


def _locals(function: Function) -> set[str]:
    arguments = function.args
    named = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    stored = {each.id for each in ast.walk(function) if isinstance(each, ast.Name) and _stores(each)}
    return stored | {each.arg for each in named}


def _behind(name: str, function: Function) -> str:
    """Return the root a local name is a second name of: `kept = self.kept` makes `self` of `kept`.

    The name itself when it is anything else somewhere in the function.
    """
    seen: set[str] = set()
    while name not in seen:
        seen.add(name)
        values = [
            each.value
            for each in ast.walk(function)
            if isinstance(each, ast.Assign)
            and any(isinstance(target, ast.Name) and target.id == name for target in each.targets)
        ]
        stored = sum(
            isinstance(each, ast.Name) and each.id == name and _stores(each) for each in ast.walk(function)
        )
        roots = {_root(value) for value in values}
        if len(values) != stored or len(roots) != 1 or (root := roots.pop()) is None:
            return name
        name = root
    return name


def _stores(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _defaults(function: ast.FunctionDef | ast.Lambda) -> list[ast.expr]:
    given = function.args
    return [*given.defaults, *(each for each in given.kw_defaults if each is not None)]


def _targets(node: ast.Assign | ast.AugAssign | ast.AnnAssign | ast.Delete) -> Iterator[ast.expr]:
    given = node.targets if isinstance(node, ast.Assign | ast.Delete) else [node.target]
    for target in given:
        yield from target.elts if isinstance(target, ast.Tuple | ast.List) else (target,)


def _root(node: ast.expr) -> str | None:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _is_beginning(inside: tuple[Function, ...]) -> bool:
    return bool(inside) and isinstance(inside[-1], ast.FunctionDef) and inside[-1].name in BEGINNINGS


def _plain(inside: tuple[Function, ...]) -> tuple[str, ...]:
    """Names of the machinery anybody may use; a frozen module sets its own fields while it is made."""
    return ("__init__", "__name__", "__setattr__") if _is_beginning(inside) else ("__init__", "__name__")


def _is_mutable(node: ast.expr) -> bool:
    return isinstance(node, MUTABLE) or _is_call_of(node, "list", "dict", "set")


def _is_set(node: ast.expr) -> bool:
    return isinstance(node, ast.Set | ast.SetComp) or _is_call_of(node, "set", "frozenset")


def _is_call_of(node: ast.expr, *names: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names


def _within(name: str, allowed: tuple[str, ...]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in allowed)
