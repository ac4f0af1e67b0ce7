"""The engine's pulse: writes the heartbeat from the consumer of events, and heeds the HALT marker."""

from __future__ import annotations

import asyncio
import os
import time
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from core.context import Permission
from core.errors import JournalFailed
from core.events import Event, On
from core.facts import Kind, Row
from core.halt import HaltMarker
from core.heartbeat import Beat, BeatHedge, HeartbeatFile, Phase, read
from core.journal import FILE_NAME as JOURNAL
from core.journal_reader import JournalReader
from core.ports import Clock, Notifier
from scripts.compose import App

HALT_CAUSE: Final = "halt marker"
MIN_GAP_S: Final = 0.2  # of the wall's time between two beats, however busy the consumer is
OVERLAP_MS: Final = 60_000  # fills are named this far back: pairs do not hear of theirs in order
FILLS_NAMED: Final = 400
START_EVERY_S: Final = 1.0


class Heart:
    """One engine's heartbeat: `starting` until the consumer runs, then as the consumer moves it.

    every_s   of the engine's clock: how often an idle consumer is woken to beat; None leaves it to events.
    on_venue_clock  the engine has no other time than the venue's.
    """

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        notifier: Notifier,
        every_s: float | None,
        *,
        on_venue_clock: bool,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.halt = HaltMarker(folder)
        self._clock, self._notifier, self._every_s = clock, notifier, every_s
        self._monotonic = monotonic
        self._last_s = -MIN_GAP_S
        self._fills = deque(_last_fills(folder))  # (ts_ms, inst_id/trade_id)
        self._newest_ms = max((ts_ms for ts_ms, _ in self._fills), default=0)
        self._is_failing = self._is_halted = self._pulsed = False
        self._app: App | None = None
        before = read(folder)
        self._beat = (
            replace(before, pid=os.getpid(), phase=Phase.STARTING, on_venue_clock=on_venue_clock)
            if before is not None
            else Beat(os.getpid(), 0, 0, 0, on_venue_clock, Phase.STARTING, "", (), 0, ())
        )
        self._before = before.phase if before is not None else Phase.ENDED
        self._file: HeartbeatFile | None = None
        try:
            self.halt.prepare()
            self._file = HeartbeatFile(folder)
        except OSError as error:
            self._fail(error)

    def attach(self, app: App) -> None:
        """Become the heart of this engine."""
        self._app = app
        app.journal.listeners.append(self._fold)
        app.engine.on_round = self.beat

    def _fold(self, row: Row) -> None:
        """Remember which fills the books have counted."""
        if row.kind is Kind.FILL:
            ts_ms, key = _name(row)
            self._fills.append((ts_ms, key))
            self._newest_ms = max(self._newest_ms, ts_ms)
            while self._fills[0][0] < self._newest_ms - OVERLAP_MS:
                self._fills.popleft()

    # --- beating ----------------------------------------------------------------------------------

    @asynccontextmanager
    async def beating(self) -> AsyncIterator[None]:
        """While inside: beat. Signs off after a clean end; a failure ends without a word."""
        task = asyncio.create_task(self._run(), name="heart")
        try:
            yield
            if self._app is not None and self._app.books.stopped_clean:
                self._write(self._now(self._app, Phase.ENDED))
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            if not self._pulsed:  # a start that came to nothing leaves the word of the one before
                self._write(replace(self._beat, counter=self._beat.counter + 1, phase=self._before))
            if self._file is not None:
                self._file.close()
                self._file = None

    async def _run(self) -> None:
        """Beat by itself until the consumer does; then only wake it: a consumer that hangs is not alive."""
        while not self._pulsed:
            self._write(replace(self._beat, counter=self._beat.counter + 1, venue_ms=self._venue_ms()))
            await self._clock.sleep(START_EVERY_S)
        assert self._app is not None
        while self._every_s is not None:
            self._app.engine.nudge()
            await self._clock.sleep(self._every_s)

    def beat(self) -> None:
        """Say what is held and that the consumer runs. Called by the consumer, at most so often written."""
        self._pulsed = True
        now_s = self._monotonic()
        if now_s - self._last_s >= MIN_GAP_S and self._app is not None:
            self._last_s = now_s
            self._write(self._now(self._app, Phase.RUNNING))
            self._heed(self._app)

    def lift(self) -> None:
        """Take the marker down: orders may be sent again. Raises OSError when it cannot be removed."""
        self.halt.clear()
        self._is_halted = False
        if self._app is not None:
            self._app.permissions.lift(HALT_CAUSE)

    def _now(self, app: App, phase: Phase) -> Beat:
        books, fills = app.books, list(self._fills)[-FILLS_NAMED:]
        # Every fill older than the oldest one named has been counted; only of younger ones names tell.
        since_ms = max(0, books.last_fill_ms - OVERLAP_MS)
        if len(fills) < len(self._fills):
            since_ms = fills[0][0] + 1
        return Beat(
            pid=os.getpid(),
            epoch=books.epoch,
            counter=self._beat.counter + 1 if self._beat.epoch == books.epoch else 1,
            venue_ms=self._venue_ms(),
            on_venue_clock=self._beat.on_venue_clock,
            phase=phase,
            state=app.engine.state.value,
            hedges=tuple(
                BeatHedge(name, view.hedge_id, view.spot_base, view.contracts)
                for name, view in books.hedge_views({}).items()
                if view.size
            ),
            booked_ms=since_ms,
            fills=tuple(key for _, key in fills),
        )

    def _venue_ms(self) -> int:
        return self._clock.now_ms() if self._app is None else self._app.rest.venue_now_ms()

    def _write(self, beat: Beat) -> None:
        self._beat = beat
        if self._file is None:
            return
        try:
            self._file.write(beat)
        except (OSError, ValueError) as error:
            self._fail(error)
            return
        if self._is_failing:
            self._is_failing = False
            self._notifier.tell("recovered", "info", {"condition": "heartbeat", "what": "heartbeat"})

    def _fail(self, error: Exception) -> None:
        if not self._is_failing:
            self._is_failing = True
            fields = {"condition": "heartbeat", "what": "heartbeat", "detail": str(error)}
            self._notifier.tell("trouble", "critical", fields)

    def _heed(self, app: App) -> None:
        """A marker stops the machine once; the gate refuses every order from its first moment on."""
        halt = self.halt.read()
        if halt is None or self._is_halted:
            return
        self._is_halted = True
        app.permissions.lower(HALT_CAUSE, Permission.HALTED, str(halt))
        app.engine.post(Event(On.HALT, self._clock.now_ms(), str(halt)))


def _name(row: Row) -> tuple[int, str]:
    fill = row.body["fill"]
    return int(fill["ts_ms"]), f"{fill['inst_id']}/{fill['trade_id']}"


def _last_fills(folder: Path) -> list[tuple[int, str]]:
    """The fills of the last minute in which there were some, oldest first; none without a journal."""
    named: list[tuple[int, str]] = []
    try:
        with JournalReader(folder / JOURNAL) as reader:
            for row in reader.backwards(Kind.FILL):
                named.append(_name(row))
                if named[-1][0] < named[0][0] - OVERLAP_MS or len(named) >= FILLS_NAMED:
                    break
    except JournalFailed:
        return []
    return named[::-1]
