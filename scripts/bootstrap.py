"""Show the self-check to a person or a program, and turn it into an exit code."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Final

from rich.console import Console
from rich.table import Table
from rich.text import Text

from scripts.self_check import Check, Parts, Result, passed, self_check

EXIT_REFUSED: Final = 3
_STYLE: Final = {Result.PASS: "green", Result.WARN: "yellow", Result.FAIL: "bold red", Result.SKIP: "dim"}


async def run(parts: Parts, console: Console, *, as_json: bool = False) -> int:
    """Ask, print the answers, and return the exit code: 0, or 3 when the start is refused."""
    checks = await self_check(parts)
    if as_json:
        answers = {"ok": passed(checks), "checks": [asdict(check) for check in checks]}
        console.print(json.dumps(answers), soft_wrap=True, highlight=False, markup=False)
    else:
        console.print(table(checks))
    return 0 if passed(checks) else EXIT_REFUSED


def table(checks: Iterable[Check]) -> Table:
    """Lay the answers out for a terminal."""
    laid = Table("check", "result", "found", "what to do", title="self-check")
    for c in checks:
        laid.add_row(c.name, Text(c.result.value, _STYLE[c.result]), Text(c.found), Text(c.todo))
    return laid
