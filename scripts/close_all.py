"""Flatten everything this engine holds, both legs, and stop. Safe to run twice, or beside the daemon.

    python scripts/close_all.py --mode live
    python scripts/close_all.py --mode demo --venue http://127.0.0.1:8080 --data data/demo/0001

A living daemon is asked to flatten and waited for. With the daemon dead its own books are
opened, the venue is asked what became of everything, and the same routines unwind both legs.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Annotated

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import typer

from core.errors import EngineError, JournalFailed, UsageError
from core.events import State
from core.lock import holder
from core.projections import Books
from scripts import questions
from scripts.commands import Command, Verb, send
from scripts.daemon import run_daemon
from scripts.folders import data_folder
from scripts.options import Mode, RunOptions

PATIENCE_S = 60.0
POLL_S = 0.2


def close_all(
    mode: Annotated[Mode, typer.Option(help="whose positions")] = Mode.LIVE,
    venue: Annotated[str | None, typer.Option(help="a running simulated venue")] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of the daemon")] = None,
    config: Annotated[Path, typer.Option(help="configuration folder")] = Path("config"),
) -> None:
    """Exit code 0 when nothing is held any more, 1 when something is, 2 for wrong usage."""
    try:
        if mode is Mode.DEMO and venue is None:
            raise UsageError("--mode demo needs --venue: a demo's own venue ends with its daemon")
        options = RunOptions(mode=mode, venue=venue, data=data, config=config, flatten=True)
        folder = data_folder(options)
        pid = holder(folder)
        if pid is not None:
            _ask(pid, folder)
        else:
            run_daemon(options)
        _tell(folder)
    except UsageError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(2) from error
    except EngineError as error:
        print(error, file=sys.stderr)
        raise typer.Exit(1) from error


def _ask(pid: int, folder: Path) -> None:
    """Let the living daemon flatten; it knows what is in flight."""
    print(f"the engine is running (process {pid}): asking it to flatten")
    send(folder, Command(Verb.FLATTEN, "close_all"))
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        books = questions.read_books(folder)
        if books.state is State.STOPPED and _is_flat(books):
            return
        time.sleep(POLL_S)
    raise EngineError(
        f"process {pid} has not flattened within {PATIENCE_S:.0f} s: stop it and run this again"
    )


def _tell(folder: Path) -> None:
    try:
        books = questions.read_books(folder)
    except JournalFailed:
        print("nothing is held: there are no books")
        return
    if not _is_flat(books):
        raise EngineError("NOT FLAT:\n" + questions.status(folder).text)
    dust = ", ".join(
        f"{amount.normalize():f} {coin}" for coin, amount in sorted(books.dust.items()) if amount
    )
    print("flat: no hedge is held" + (f"; dust too small to sell: {dust}" if dust else ""))


def _is_flat(books: Books) -> bool:
    return not books.hedge_views({}) and not books.unresolved_orders()


if __name__ == "__main__":
    typer.run(close_all)
