"""Hold signal modules to the red lines: `python -m scripts.red_lines MODULE`.

MODULE is a name of strategy/auxiliary/modules, or package.module:Class for one that is not registered yet.
Without one, every module and every exit preset is held to them. Exit codes: 0 all keep to the rules, 1 one
does not (rule, sentence and trace are printed), 2 there is no such module.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Final, cast

import numpy as np

from core.errors import UsageError
from strategy.auxiliary.presets import PRESETS
from strategy.auxiliary.red_lines import SAYS, Report, checked, checked_preset
from strategy.auxiliary.red_lines.check import FULL, Effort, Factory
from strategy.auxiliary.red_lines.source import imports, top_names

ROOT: Final = Path(__file__).resolve().parents[1]
HOUSE: Final = "strategy/auxiliary/modules/__init__.py"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m scripts.red_lines", description="Hold signal modules to the red lines."
    )
    parser.add_argument("module", nargs="*", help="a registered name, or package.module:Class; none is all")
    parser.add_argument("--days", type=int, default=FULL.days, help="played per market and set of numbers")
    parser.add_argument("--seed", type=int, default=FULL.seed, help="of the markets and of the numbers")
    parser.add_argument("--rules", action="store_true", help="print the rules and leave")
    given = parser.parse_args(arguments)
    if given.rules:
        print("\n".join(f"{rule.value}  {said}" for rule, said in SAYS.items()))
        return 0
    effort = Effort(days=max(1, given.days), seed=max(0, given.seed))
    broken = 0
    try:
        for ask in _questions(given.module, effort):
            report = ask()
            print(report, flush=True)
            broken += not report.ok
    except UsageError as error:
        print(error, file=sys.stderr)
        return 2
    return 1 if broken else 0


def _questions(names: Sequence[str], effort: Effort) -> list[Callable[[], Report]]:
    """Return what there is to ask, one question a name; all that is shipped without one."""
    presets = [] if names else [partial(checked_preset, preset) for preset in PRESETS.values()]
    return [*presets, *(partial(report_on, name, effort) for name in names or registered())]


def report_on(name: str, effort: Effort = FULL) -> Report:
    """Return what one module breaks. Raises UsageError when there is no such module."""
    known = registered()
    place, _, called = known.get(name, name).partition(":")
    if not called:
        raise UsageError(f"MODULE: {name}; allowed: {', '.join(known)}, or package.module:Class")
    texts = texts_of(place)
    shown, first = next(iter(texts.items()))
    try:
        names = top_names(first)
    except SyntaxError as error:
        raise UsageError(f"MODULE: {name}; {shown} line {error.lineno} is no Python: {error.msg}") from error
    if called not in names:
        raise UsageError(f"MODULE: {name}; {shown} has no {called}")

    def load() -> Factory:
        return cast(Factory, getattr(importlib.import_module(place), called))

    return checked(
        name if name in known else called, texts, load, np.random.default_rng, effort, _package_of(place)
    )


def registered() -> dict[str, str]:
    """Return where every registered module lies, as package.module:Class, by name: read, not imported."""
    text = (ROOT / HOUSE).read_text(encoding="utf-8")
    places: dict[str, str] = {}
    names: dict[str, str] = {}
    for node in ast.parse(text).body:
        if isinstance(node, ast.ImportFrom) and node.module:
            places |= {alias.name: f"{node.module}:{alias.name}" for alias in node.names}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.value, ast.Dict):
            for key, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(key, ast.Constant) and isinstance(value, ast.Name):
                    names[str(key.value)] = places[value.id]
    return names


def texts_of(place: str) -> dict[str, str]:
    """Return the texts of a module and of all it imports from its own package, by path; its own first.

    Nothing of them is run. Raises UsageError for a place where no text is.
    """
    texts: dict[str, str] = {}
    left, own = [place], _package_of(place)
    while left:
        path = _path_of(at := left.pop())
        if path is None and at == place:
            raise UsageError(f"MODULE: {place}; no such Python module in the project's folder")
        if path is None or (shown := path.relative_to(ROOT).as_posix()) in texts:
            continue  # a name imported from a package, and no module of it
        texts[shown] = path.read_text(encoding="utf-8")
        with suppress(SyntaxError):  # told where the text is read
            left += [each for each in imports(texts[shown]) if own and each.startswith(f"{own}.")]
    return texts


def _package_of(place: str) -> str:
    return place.rpartition(".")[0]


def _path_of(place: str) -> Path | None:
    """Return where a module's text lies, found by its name and not by importing what holds it."""
    base = ROOT.joinpath(*place.split("."))
    for path in (base.with_suffix(".py"), base / "__init__.py"):
        if path.is_file():
            return path
    return None


if __name__ == "__main__":
    sys.exit(main())
