"""What every command of main.py shares: its common options, and how an answer is printed."""

from __future__ import annotations

import sys
import time
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.errors import EngineError, SelfCheckRefused, UsageError
from scripts import options as opt

if TYPE_CHECKING:
    from scripts.questions import Answer

DONE, FAILED, USAGE, REFUSED = 0, 1, 2, 3  # exit codes

Json = Annotated[bool, typer.Option("--json", help="print one JSON object on the last line of stdout")]
Data = Annotated[Path | None, typer.Option(help="data folder; default: that of the last run")]
Config = Annotated[Path, typer.Option(help="configuration folder")]


def answer(given: Answer, as_json: bool) -> None:
    """Print what was found, and end with its exit code."""
    print(dumps(given.data, ensure_ascii=False) if as_json else given.text)
    raise typer.Exit(given.code)


def ending(error: EngineError) -> int:
    """Say in one line on stderr why a command ends; return its exit code: never a traceback."""
    print(error, file=sys.stderr)
    if isinstance(error, UsageError):
        return USAGE
    return REFUSED if isinstance(error, SelfCheckRefused) else FAILED


def instant(text: str | None, option: str) -> int | None:
    """Read an instant as every command does: a date, UTC ms, or for --from `now`; None says nothing.

    Raises UsageError naming the option.
    """
    if text is None:
        return None
    if text == "now" and option == "--from":
        return int(time.time() * 1000)
    return opt.instant_ms(text, option)
