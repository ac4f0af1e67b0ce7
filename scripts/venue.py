"""Run the simulated venue on one port, for any OKX client."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path
from typing import TextIO

from core.errors import UsageError
from exchange.sim.edits import Edits
from exchange.sim.exchange import Exchange
from exchange.sim.markets.generated import START_MS, GeneratedMarket
from exchange.sim.markets.source import MarketSource
from exchange.sim.markets.tape import TapeMarket
from exchange.sim.surface.server import SimServer
from exchange.tape import read_tape


def market_of(
    tape: Path | None, seed: int, names: tuple[str, ...], from_ms: int | None, to_ms: int | None
) -> MarketSource:
    """The market of `names` (BTC-USDT, ...): replayed from a tape folder, else generated from the seed.

    Raises UsageError for a broken tape, or for an end without one: a generated market has none.
    """
    coins = tuple(name.split("-")[0] for name in names)
    if tape is not None:
        read = read_tape(tape, coins, from_ms, to_ms)
        for note in read.notes:
            print(note, file=sys.stderr)
        return TapeMarket(read)
    if to_ms is not None:
        raise UsageError("--to: allowed with --tape only, a generated market never ends")
    return GeneratedMarket(seed, coins, START_MS if from_ms is None else from_ms)


async def serve(
    port: int,
    tape: Path | None,
    seed: int,
    speed: float,
    instruments: tuple[str, ...],
    from_ms: int | None = None,
    to_ms: int | None = None,
    lockstep: bool = False,
    announce: TextIO = sys.stdout,
    stop_on_stdin_eof: bool = False,
) -> None:
    """Serve until SIGTERM, SIGINT or, when asked to, the end of standard input.

    One line {"port", "now_ms"} goes to `announce` once the venue answers. With `lockstep` time stands
    until a client attaches to /sim/clock; else it runs at `speed` venue seconds per wall second. Raises
    UsageError when market or port cannot be had, and whatever breaks the venue while it runs.
    """
    venue = Exchange(market_of(tape, seed, instruments, from_ms, to_ms), seed)
    server = SimServer(venue, Edits(venue), None if lockstep else speed)
    try:
        bound = await server.start(port=port)
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}, allowed: a free port, or 0 for any") from error
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    print(json.dumps({"port": bound, "now_ms": venue.now_ms}), file=announce, flush=True)
    waits = {loop.create_task(stop.wait()), loop.create_task(server.finished())}
    if stop_on_stdin_eof:
        waits.add(loop.create_task(_end_of(sys.stdin)))
    try:
        done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        for ended in done:
            ended.result()
    finally:
        for waiting in waits:
            waiting.cancel()
        await server.close()


async def _end_of(stream: TextIO) -> None:
    """Return when nobody can write to `stream` any more: the parent process is gone."""
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while await reader.read(4096):
            pass
    finally:
        transport.close()
