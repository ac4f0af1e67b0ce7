"""One simulated world: a venue, a data folder, and the processes of the engine that come and go in it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from config.schema import Settings
from core.errors import EngineError
from core.ports import Clock
from core.scheduler import WalkingTicker
from exchange.okx.endpoints import Credentials, Endpoints
from exchange.okx.sdk import Sdk
from exchange.sim.surface.premises import Premises
from exchange.sim.surface.switchboard import Switchboard
from exchange.sim.surface.wires import Reply
from monitor.summary import RunFacts
from scripts.commands import Command, send
from scripts.compose import App
from scripts.okx_ports import Lines, okx_ports
from scripts.ports import Ports
from scripts.session import Session
from scripts.simulation.crossings import Crash, Crossings
from scripts.simulation.disk import Disk
from scripts.simulation.time import HostClock, SimClock, SimLoop
from scripts.simulation.way import AT_ONCE, Latency, Way

LOOK_S = 300.0  # every look stops the venue; each event looks anyway
CREDENTIALS = Credentials("demo-key", "demo-secret", "demo-pass")
ENDPOINTS = Endpoints("http://venue", "ws://venue/ws/v5", False)
SILENCE_S = 20.0
NEVER_S = 7 * 86_400.0  # longer than any story
MOST_AWAITS = 20  # that a dying coroutine may insist on


class Messages:
    """The human side: keeps what was told, and when. Implements core.ports.Notifier."""

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self.told: list[tuple[int, str, str, Mapping[str, object]]] = []
        self.trace: Callable[[str], None] = lambda line: None

    def tell(self, topic: str, level: str, fields: Mapping[str, object]) -> None:
        self.told.append((self._board.now_ms, topic, level, fields))
        self.trace(f"{self._board.now_ms} {level} {topic} {dict(fields)}")

    def criticals_since(self, at_ms: int) -> int:
        return sum(1 for told_ms, _, level, _ in self.told if level == "critical" and told_ms >= at_ms)


@dataclass(slots=True)
class Ears:
    """Who watches a world: called after every step of time, for every order sent, every answer received,
    every frame of public data taken in, and with each process of the engine once it is composed."""

    on_step: Callable[[], None] = lambda: None
    on_order: Callable[[Mapping[str, str]], None] = lambda order: None
    on_reply: Callable[[str, Reply], None] = lambda path, reply: None
    on_app: Callable[[App], None] = lambda app: None
    on_news: Callable[[bytes], None] = lambda frame: None


@dataclass(slots=True)
class Process:
    """How one process of the engine ended: with its figures, killed, or with an error of its own."""

    facts: RunFacts | None = None
    crash: str = ""
    error: str = ""


@dataclass(slots=True)
class World:
    """Everything that outlives a process of the engine.

    loud         from when to when streams may fail, venue ms: only then is a ping not answered for sure.
    wall_off_ms  how far the host's wall clock is off; None where nobody ever sets it, which is cheaper.
    """

    premises: Premises
    settings: Settings
    folder: Path
    crossings: Crossings = field(default_factory=Crossings)
    latency: Latency = AT_ONCE
    shuffle: random.Random | None = None
    loud: tuple[tuple[int, int], ...] = ()
    wall_off_ms: int | None = None
    ears: Ears = field(default_factory=Ears)
    board: Switchboard = field(init=False)
    disk: Disk = field(init=False)
    messages: Messages = field(init=False)
    boots: int = 0
    unseen: list[str] = field(default_factory=list)  # failures of tasks that nobody looked at
    host_clock: HostClock | None = None  # of the process that was started last, where the host's can be set
    _session: Session | None = None

    def __post_init__(self) -> None:
        self.board = Switchboard(self.premises)
        self.disk = Disk(self.crossings)
        self.messages = Messages(self.board)

    @property
    def now_ms(self) -> int:
        return self.board.now_ms

    @property
    def is_alive(self) -> bool:
        """Whether a process of the engine is running."""
        return self._session is not None

    def live(self, for_ms: int) -> Process:
        """Run one process of the engine for so long, or until it ends otherwise."""
        self.boots += 1
        self.crossings.is_dead = False
        loop = SimLoop(self.board, self.shuffle, self.ears.on_step)
        loop.set_exception_handler(self._complain)
        ears = self.ears
        way = Way(self.board, self.crossings, self.latency, ears.on_order, ears.on_reply, ears.on_news)
        try:
            return Process(loop.run_until_complete(self._process(way, for_ms)))
        except Crash as crash:
            return Process(crash=str(crash))
        except EngineError as error:
            return Process(error=f"{type(error).__name__}: {error}")
        finally:
            self._session = None
            self.crossings.is_dead = True
            way.cut()
            _bury(loop)
            self.disk.drop()

    def _complain(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """A task or callback failed and nobody looked: what asyncio would only print."""
        if not self.crossings.is_dead:
            self.unseen.append(f"{context['message']}: {context.get('exception')!r}")

    def wait(self, ms: int) -> None:
        """Let time pass without the engine."""
        until_ms = self.now_ms + ms
        while self.now_ms < until_ms:
            self.board.advance(until_ms)
            self.ears.on_step()

    def command(self, command: Command) -> None:
        """What the operator says, to the process that runs or to the next."""
        send(self.folder, command)
        if self._session is not None:
            self._session.ring()

    def end_process(self, why: str) -> None:
        """Ask the running process, if any, for a clean end."""
        if self._session is not None:
            self._session.end(why)

    async def _process(self, way: Way, for_ms: int) -> RunFacts | None:
        clock = self._clock()
        self._session = Session(
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
            look_every_s=LOOK_S,
        )
        return await self._session.run(lambda: self._connect(way, clock), self.ears.on_app)

    @property
    def is_loud(self) -> bool:
        return any(begin_ms <= self.now_ms < end_ms for begin_ms, end_ms in self.loud)

    def _silence_s(self) -> float:
        """After how much silence streams are pinged: as in production while they may fail. Before that not
        until they may, because pings are most of what a day of simulation costs."""
        begins_ms = [begin_ms for begin_ms, end_ms in self.loud if end_ms > self.now_ms]
        until_s = (min(begins_ms) - self.now_ms) / 1000 if begins_ms else NEVER_S
        return SILENCE_S + max(0.0, until_s)

    def _clock(self) -> Clock:
        if self.wall_off_ms is None:
            return SimClock(self.board)
        self.host_clock = HostClock(self.board, lambda: self.wall_off_ms or 0)
        return self.host_clock

    async def _connect(self, way: Way, clock: Clock) -> Ports:
        return await okx_ports(
            ENDPOINTS,
            CREDENTIALS,
            self.settings,
            clock,
            paper=False,
            silence_s=self._silence_s if self.loud else None,
            lines=Lines(way, way.connect, simulated_sdk),
        )


@cache
def _one_sdk() -> Sdk:
    return Sdk(ENDPOINTS, CREDENTIALS, lambda: 0)


def simulated_sdk(endpoints: Endpoints, credentials: Credentials | None, now_ms: Callable[[], int]) -> Sdk:
    """The SDK's clients take half a second to build: those of all processes here are the same."""
    sdk = _one_sdk()
    sdk.tell_time(now_ms)
    return sdk


def _bury(loop: SimLoop) -> None:
    """Drop a loop with all its tasks, without letting any of them run on.

    Their coroutines are closed here, one by one, because what the collector closes later complains aloud:
    blocks that clean up find everything dead, and whatever they raise or await is of no interest. What
    such a block begins belongs to the dead loop too, and is closed after it.
    """
    buried: set[asyncio.Task[Any]] = set()
    asyncio.events._set_running_loop(loop)
    try:
        while left := asyncio.all_tasks(loop) - buried:
            for task in sorted(left, key=lambda t: t.get_name()):
                task._log_destroy_pending = False  # type: ignore[attr-defined]  # killed, not forgotten
                _close(task)
            buried |= left
    finally:
        asyncio.events._set_running_loop(None)
    loop.set_exception_handler(lambda *_: None)
    loop.close()


def _close(task: asyncio.Task[Any]) -> None:
    coroutine = task.get_coro()
    for _ in range(MOST_AWAITS):
        with suppress(BaseException):
            coroutine.close()
            return
