"""One simulated world: a venue, a data folder, and the processes of the engine that come and go in it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

from config.schema import Settings
from core.scheduler import WalkingTicker
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.sdk import Sdk
from exchange.sim.surface.premises import Premises
from exchange.sim.surface.switchboard import Switchboard
from monitor.summary import RunFacts
from scripts.compose import App
from scripts.ports import Lines, Ports, okx_ports
from scripts.session import Session
from scripts.simulation.crossings import Crash, Crossings
from scripts.simulation.disk import Disk
from scripts.simulation.time import SimClock, SimLoop
from scripts.simulation.way import AT_ONCE, Latency, Way

CREDENTIALS = Credentials("demo-key", "demo-secret", "demo-pass")
ENDPOINTS = Endpoints("http://venue", "ws://venue/ws/v5", False)


class Messages:
    """The human side: keeps what was told. Implements core.ports.Notifier."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str, Mapping[str, object]]] = []

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.told.append((topic, level, fields))


class World:
    """Everything that outlives a process of the engine."""

    def __init__(
        self,
        premises: Premises,
        settings: Settings,
        folder: Path,
        crossings: Crossings,
        latency: Latency = AT_ONCE,
        shuffle: random.Random | None = None,
        silence_s: float | None = None,
    ) -> None:
        self.premises, self.settings, self.folder = premises, settings, folder
        self.board = Switchboard(premises)
        self.crossings, self.latency, self._shuffle = crossings, latency, shuffle
        self.silence_s = silence_s
        self.disk = Disk(crossings)
        self.messages = Messages()
        self.boots = 0

    @property
    def now_ms(self) -> int:
        return self.board.now_ms

    def live(self, for_ms: int, on_app: Callable[[App], None] = lambda app: None) -> RunFacts | None:
        """Run one process of the engine for so long, or until it is killed: then None."""
        self.boots += 1
        self.crossings.is_dead = False
        loop = SimLoop(self.board, self._shuffle)
        way = Way(self.board, self.crossings, self.latency)
        try:
            return loop.run_until_complete(self._process(way, for_ms, on_app))
        except Crash:
            return None
        finally:
            self.crossings.is_dead = True
            way.cut()
            _bury(loop)
            self.disk.drop()

    async def _process(self, way: Way, for_ms: int, on_app: Callable[[App], None]) -> RunFacts:
        clock = SimClock(self.board)
        session = Session(
            self.settings,
            self.folder,
            clock,
            WalkingTicker(clock),
            self.messages,
            "simulate",
            for_ms,
            lambda: (),
            signals=False,
            open_database=self.disk.open,
        )
        return await session.run(lambda: self._connect(way, clock), on_app)

    async def _connect(self, way: Way, clock: SimClock) -> Ports:
        return await okx_ports(
            ENDPOINTS,
            CREDENTIALS,
            self.settings,
            clock,
            paper=False,
            silence_s=self.silence_s,
            lines=Lines(way, way.connect, _sdk),
        )


@cache
def _one_sdk() -> Sdk:
    return Sdk(ENDPOINTS, CREDENTIALS, lambda: 0)


def _sdk(endpoints: Endpoints, credentials: Credentials | None, now_ms: Callable[[], int]) -> Sdk:
    """The SDK's clients take half a second to build: those of all processes here are the same."""
    sdk = _one_sdk()
    sdk.tell_time(now_ms)
    return sdk


def _bury(loop: asyncio.AbstractEventLoop) -> None:
    """Drop a loop with all its tasks, without letting any of them run on."""
    for task in asyncio.all_tasks(loop):
        task._log_destroy_pending = False  # type: ignore[attr-defined]  # they were killed, not forgotten
    loop.close()
