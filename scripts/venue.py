"""Run the simulated venue on one port, for any OKX client."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_ISFIFO, S_ISSOCK
from typing import TextIO

from core.errors import UsageError
from exchange.sim.exchange import Exchange
from exchange.sim.faults.reading import Known, read_file
from exchange.sim.surface.premises import Premises, premises_of
from exchange.sim.surface.rest.api import ENVIRONMENTS
from exchange.sim.surface.server import SimServer
from exchange.sim.surface.snapshots import BadSnapshot, unpacked
from scripts.collector import expect_to_keep
from scripts.market import market_of


async def serve(
    port: int,
    tape: Path | None,
    seed: int,
    speed: float,
    instruments: tuple[str, ...],
    from_ms: int | None = None,
    to_ms: int | None = None,
    lockstep: bool = False,
    environment: str = "any",
    faults: Path | None = None,
    log: Path | None = None,
    restore: Path | None = None,
    snapshot: Path | None = None,
    announce: TextIO = sys.stdout,
    stop_on_stdin_eof: bool = False,
    regime: str | None = None,
    hold: bool = True,
) -> None:
    """Serve until SIGTERM, SIGINT or, when asked to, the end of standard input.

    One line {"port", "now_ms"} goes to `announce` once the venue answers. With `lockstep` time stands
    until a client attaches to /sim/clock; else it runs at `speed` venue seconds per wall second.

    faults    rules and a schedule to start with; they add to those of a restored venue
    log       the event log is written to this file, line by line
    restore   begin as the venue that was saved in this file, instead of on a new market
    snapshot  save the venue to this file at the end

    Raises UsageError when environment, market, port or files cannot be had, and whatever breaks the venue
    while it runs.
    """
    if environment not in ENVIRONMENTS:
        raise UsageError(f"--environment {environment}: allowed: {', '.join(ENVIRONMENTS)}")
    premises = (
        premises_of(Exchange(market_of(tape, seed, instruments, from_ms, to_ms, regime, hold), seed))
        if restore is None
        else _restored(restore)
    )
    if faults is not None:
        _add_faults(premises, faults)
    with _log_file(log) as sink:
        premises.log.sink = sink
        server = SimServer(premises, None if lockstep else speed, environment=environment)
        await _run(server, port, announce, stop_on_stdin_eof)
        if snapshot is not None:
            _write(snapshot, server.board.save())


def _restored(path: Path) -> Premises:
    try:
        return unpacked(path.read_bytes())
    except OSError as error:
        raise UsageError(f"--restore {str(path)!r}: {error.strerror}, allowed: a saved venue") from error
    except BadSnapshot as error:
        raise UsageError(f"--restore {str(path)!r}: {error}, allowed: a file of --snapshot") from error


def _add_faults(premises: Premises, path: Path) -> None:
    venue = premises.venue
    try:
        plan = read_file(path, Known(venue.now_ms, venue.accounts, venue.instruments))
        if premises.plan.rules:
            for rule in plan.rules:
                premises.plan.add(rule)
        else:
            premises.plan = plan
    except ValueError as error:
        raise UsageError(f"--faults {error}") from error


@contextmanager
def _log_file(path: Path | None) -> Iterator[Callable[[bytes], object] | None]:
    """What takes the lines of the event log: a file, or nothing."""
    if path is None:
        yield None
        return
    try:
        file = path.open("wb", buffering=1 << 16)
    except OSError as error:
        raise UsageError(f"--log {str(path)!r}: {error.strerror}, allowed: a file to write") from error
    with file:
        yield file.write


def _write(path: Path, data: bytes) -> None:
    """All of it or nothing: a venue killed while it saves leaves the file before."""
    beside = path.with_name(path.name + ".new")
    try:
        beside.write_bytes(data)
        beside.replace(path)
    except OSError as error:
        raise UsageError(f"--snapshot {str(path)!r}: {error.strerror}, allowed: a file to write") from error


async def _run(server: SimServer, port: int, announce: TextIO, stop_on_stdin_eof: bool) -> None:
    try:
        bound = await server.start(port=port)
    except OSError as error:
        raise UsageError(f"--port {port}: {error.strerror}, allowed: a free port, or 0 for any") from error
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    expect_to_keep()
    print(json.dumps({"port": bound, "now_ms": server.now_ms}), file=announce, flush=True)
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
    """Return when nobody can write to `stream` any more: the parent process is gone.

    A file or /dev/null has no parent behind it: that is the end at once.
    """
    mode = os.fstat(stream.fileno()).st_mode
    if not (S_ISFIFO(mode) or S_ISSOCK(mode) or os.isatty(stream.fileno())):
        return
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), stream)
    try:
        while await reader.read(4096):
            pass
    finally:
        transport.close()
