"""May the engine start on this machine, with this key, on this account, now? Looks, and changes nothing.

    python scripts/bootstrap.py
    python scripts/bootstrap.py --mode demo --venue http://127.0.0.1:8080 --data data/demo/0001

Exit code 0 when the engine may start, 3 when it may not, 2 for wrong usage or configuration.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from config.schema import Settings
from config.secrets import Secrets, load_secrets
from core.errors import EngineError, VenueDown
from exchange.lockstep import LockstepKeeper
from exchange.okx.market import OkxMarket
from exchange.okx.rest import OkxRest
from exchange.okx.trading import OkxTrading
from scripts.command_line import ending
from scripts.daemon import loop_factory, settings_of, time_of, venue_of
from scripts.door import door_of
from scripts.evidence import host_facts, journal_facts
from scripts.folders import DATA
from scripts.options import Mode, RunOptions
from scripts.self_check import Check, Parts, Result, passed, self_check

EXIT_REFUSED: Final = 3
_STYLE: Final = {Result.PASS: "green", Result.WARN: "yellow", Result.FAIL: "bold red", Result.SKIP: "dim"}


def bootstrap(
    mode: Annotated[Mode, typer.Option(help="what is about to be started")] = Mode.LIVE,
    venue: Annotated[str | None, typer.Option(help="a running simulated venue")] = None,
    config: Annotated[Path, typer.Option(help="configuration folder")] = Path("config"),
    data: Annotated[Path | None, typer.Option(help="data folder of the daemon")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print one JSON object instead")] = False,
) -> None:
    """Answer every question of the self-check; nothing is started and nothing changed."""
    try:
        options = RunOptions(mode=mode, venue=venue, config=config, data=data, json=as_json)
        code = _ask(options, settings_of(options), load_secrets())
    except EngineError as error:
        raise typer.Exit(ending(error)) from error
    raise typer.Exit(code)


def _ask(options: RunOptions, settings: Settings, secrets: Secrets) -> int:
    with ExitStack() as stack:
        base_url = keeper = None
        if options.mode is Mode.DEMO:
            base_url = stack.enter_context(venue_of(options, settings))
            keeper = _keeper(base_url)
        if keeper is not None:
            stack.callback(keeper.close)
        with asyncio.Runner(loop_factory=loop_factory(keeper)) as runner:
            return runner.run(_checked(options, settings, secrets, base_url, keeper))


def _keeper(base_url: str) -> LockstepKeeper | None:
    """The venue's clock, or None when it does not answer: the check of the venue then says so."""
    try:
        return LockstepKeeper(base_url.replace("http", "ws", 1) + "/sim/clock", None)
    except VenueDown:
        return None


async def _checked(
    options: RunOptions,
    settings: Settings,
    secrets: Secrets,
    base_url: str | None,
    keeper: LockstepKeeper | None,
) -> int:
    clock, _ = time_of(keeper)
    endpoints, credentials = door_of(options, settings, secrets, base_url)
    folder = options.data or DATA / options.mode.value
    disk = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    rest = OkxRest(endpoints, credentials, clock)
    try:
        parts = Parts(
            options.mode,
            settings,
            secrets,
            OkxMarket(rest, clock, demo=endpoints.demo),
            None if credentials is None else OkxTrading(rest, clock),
            clock,
            journal_facts(folder),
            host_facts(disk),
        )
        return await run(parts, Console(), as_json=options.json)
    finally:
        await rest.close()


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


if __name__ == "__main__":
    typer.run(bootstrap)
