"""Flatten everything this engine holds, both legs, and stop. Safe to run twice, or beside the daemon.

    python scripts/close_all.py --mode live
    python scripts/close_all.py --mode demo --venue http://127.0.0.1:8080 --data data/demo/0001

A living daemon is asked to flatten and waited for; with the daemon dead its own books are opened and the
same routines unwind both legs. When neither is possible (it does not answer, its books are locked, the
disk is full) the HALT marker is set and the watchdog's reducing routine does it. In the end the venue is
asked whether nothing is left.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Annotated, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import typer

from config.loader import load
from config.secrets import load_secrets
from core.clock import SystemClock
from core.errors import EngineError, JournalFailed, UsageError, VenueError
from core.halt import Halt, HaltMarker
from core.heartbeat import Beat, read
from core.ids import ReducerIds, next_epoch
from core.lock import holder
from exchange.okx.market import OkxMarket
from exchange.okx.rest import OkxRest
from exchange.okx.trading import OkxTrading
from scripts.command_line import ending
from scripts.commands import Command, Verb, send, withdraw
from scripts.daemon import run_daemon, settings_of
from scripts.door import door_of, sleeve_key_of
from scripts.folders import data_folder
from scripts.options import Mode, RunOptions
from scripts.sleeve.close import close_sleeve
from scripts.standing import still_of
from scripts.takeover import Hands, Proof, is_fatal

NAME: Final = "close_all"
PATIENCE_S: Final = 60.0
ANSWER_S: Final = 4.0  # a heartbeat that stands still so long answers to nobody
POLL_S: Final = 0.2


def close_all(
    mode: Annotated[Mode, typer.Option(help="whose positions")] = Mode.LIVE,
    venue: Annotated[str | None, typer.Option(help="a running simulated venue")] = None,
    data: Annotated[Path | None, typer.Option(help="data folder of the daemon")] = None,
    config: Annotated[Path, typer.Option(help="configuration folder")] = Path("config"),
    as_json: Annotated[
        bool, typer.Option("--json", help="the proof as one JSON object, on the last line")
    ] = False,
) -> None:
    """Exit code 0 when nothing is held any more, 1 when something is, 2 for wrong usage, 3 for a key that
    may withdraw."""
    try:
        if mode is Mode.DEMO and venue is None:
            raise UsageError("--mode demo needs --venue: a demo's own venue ends with its daemon")
        options = RunOptions(mode=mode, venue=venue, data=data, config=config, flatten=True)
        code = _close(options, as_json)
    except EngineError as error:
        raise typer.Exit(ending(error)) from error
    raise typer.Exit(code)


def _close(options: RunOptions, as_json: bool) -> int:
    folder = data_folder(options)
    if options.mode is Mode.DRY_RUN:  # nothing of it is at the venue
        _by_engine(options, folder)
        print("flat: the paper account was unwound")
        return 0
    left = asyncio.run(_sleeve_left(options))  # before the hedges: it is the one that can lose
    by_hand = _by_engine(options, folder)
    try:
        proof = asyncio.run(_proven(options, folder, by_hand))
    except VenueError:
        found = by_hand or "the engine says that it holds nothing"
        print(f"{found}; the venue cannot be asked (simulated: --mode demo --venue URL)", file=sys.stderr)
        raise
    left = left and asyncio.run(_sleeve_left(options))
    is_flat = proof.is_flat and not left
    if as_json:
        print(json.dumps(proof.as_json() | ({"flat": False, "sleeve": list(left)} if left else {})))
    else:
        print(("flat, by the venue's own figures: " if is_flat else "NOT FLAT: ") + proof.in_words())
        for remark in (*proof.remarks, *(f"the sleeve still holds {what}" for what in left)):
            print(f"  {remark}", file=sys.stderr)
    return 0 if is_flat else 1


async def _sleeve_left(options: RunOptions) -> tuple[str, ...]:
    """Close what the signal modules hold, where they have an account; return what is left, in words."""
    settings, secrets = load(options.config), load_secrets()
    base_url = options.venue.rstrip("/") if options.venue else None
    credentials = sleeve_key_of(secrets, base_url)
    if not settings.strategy.auxiliary.enabled or credentials is None:
        return ()
    endpoints, _ = door_of(options, settings, secrets, base_url)
    clock, most_bps = SystemClock(), settings.risk.execution.flatten_slippage_bps
    ids = ReducerIds(next_epoch(0, clock.now_ms()), os.getpid())
    rest = OkxRest(endpoints, credentials, clock)
    try:
        await rest.measure_offset()
        trading, market = OkxTrading(rest, clock, isolated=True), OkxMarket(rest, clock, demo=endpoints.demo)
        return await close_sleeve(trading, market, clock, ids.order_id, most_bps, still_of(base_url))
    except VenueError as error:
        return (f"what nobody knows: {error}",)
    finally:
        await rest.close()


def _by_engine(options: RunOptions, folder: Path) -> str:
    """Let the engine do it: the living one, or one started for it. Return why it could not, or ""."""
    pid = holder(folder)
    if HaltMarker(folder).is_set():
        return "a HALT marker is set: the engine may not send orders"
    if pid is not None:
        print(f"the engine is running (process {pid}): asking it to flatten", file=sys.stderr)
        return _asked(pid, folder)
    try:
        settings_of(options, folder)
    except UsageError as error:
        load(options.config)  # a mistake in the files themselves is for their owner
        return f"the changes over the configuration cannot be used: {error}"
    try:
        run_daemon(options)
    except UsageError:
        raise
    except (EngineError, OSError) as error:
        return f"the engine's own books cannot be used: {error}"
    return ""


def _asked(pid: int, folder: Path) -> str:
    """Ask the living engine; it knows what is in flight. Return why it has not flattened, or ""."""
    command = Command(Verb.FLATTEN, NAME)
    try:
        send(folder, command)
    except OSError as error:
        return f"process {pid} cannot be asked: {error}"
    beat = read(folder)
    began_s = moved_s = time.monotonic()
    while time.monotonic() - began_s < PATIENCE_S:
        before, beat = beat, read(folder)
        if _moved(before, beat):
            moved_s = time.monotonic()
        if beat is not None and beat.state == "STOPPED" and not beat.has_something and _moved(before, beat):
            return ""
        if time.monotonic() - moved_s > ANSWER_S:
            withdraw(folder, command)
            return f"process {pid} does not answer"
        time.sleep(POLL_S)
    withdraw(folder, command)
    return f"process {pid} has not flattened within {PATIENCE_S:.0f} s"


def _moved(before: Beat | None, after: Beat | None) -> bool:
    return (before and (before.epoch, before.counter)) != (after and (after.epoch, after.counter))


async def _proven(options: RunOptions, folder: Path, by_hand: str) -> Proof:
    """Ask the venue whether nothing is left; reduce what is. Raises EngineError when it cannot be asked."""
    settings, secrets = load(options.config), load_secrets()
    clock = SystemClock()
    base_url = options.venue.rstrip("/") if options.venue else None
    endpoints, credentials = door_of(options, settings, secrets, base_url)
    ids = ReducerIds(next_epoch(0, clock.now_ms()), os.getpid())
    hands = Hands(endpoints, credentials, settings, folder, clock, ids, still_of(base_url))
    try:
        await hands.venue_now_ms()
        await hands.check_key()
        if not by_hand:
            try:
                proof = await hands.prove()
                if proof.is_flat:
                    return proof
                by_hand = "the engine left something"
            except JournalFailed:
                raise
            except VenueError as error:
                if is_fatal(error):
                    raise
                by_hand = f"not proven: {error}"
        print(f"{by_hand}: setting the HALT marker and reducing from here", file=sys.stderr)
        return await hands.take_over(Halt(NAME, by_hand, clock.now_ms()), PATIENCE_S)
    finally:
        await hands.close()


if __name__ == "__main__":
    typer.run(close_all)
