"""The sleeve beside a running engine: candles, scans, signals and positions, in one room that may fail alone.

Whatever happens in here, the hedges go on: the room ends with an alarm, and the venue's own stops protect
what it held. In the other direction nothing is asked: what the engine decides is heard, and the sleeve obeys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, repeat
from pathlib import Path
from typing import Final

from config.schema import Settings
from core.context import Context, MarketView, Permission
from core.errors import VenueError
from core.events import Decision, On, State
from core.facts import Kind
from core.ports import Clock, Market, Notifier
from core.sleeve.ports import Sight
from core.types import Candle, Pair
from scripts.scanning.driver import Scanning, Worker
from scripts.scanning.upkeep import Upkeep
from scripts.sleeve.compose import SleeveApp, SleevePorts, compose_sleeve
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.language import Holding, Module
from strategy.auxiliary.scanner import Scanner
from strategy.auxiliary.scanning.blacklist import Blacklist
from strategy.auxiliary.scanning.candles import Candles
from strategy.auxiliary.scanning.sights import Key, Sights
from strategy.auxiliary.scanning.words import Question, Reply, Scan

PAUSES_S: Final = (5.0, 15.0, 60.0)  # before the venue is asked for the sleeve's account again
AFTER_CLOSE_MS: Final = 3_000  # of a minute: bars that have just closed are on their way
AFTER_ENGINE_S: Final = 2.0  # the venue takes three new connections a second, and the hedges' come first
TRAIL_BARS: Final = 100  # behind a bar that closed, for the averages an exit may trail by

OnCandle = Callable[[str, str, Candle], None]
End = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Doors:
    """How the room reaches the world.

    connect  the sleeve's account, for these instruments. Raises VenueError.
    candles  starts pushes of (swap, length) candles; returns what ends them.
    worker   who asks the modules.
    """

    connect: Callable[[Mapping[str, Pair]], Awaitable[SleevePorts]]
    candles: Callable[[Iterable[tuple[str, str]], OnCandle], Awaitable[End]]
    worker: Callable[[Sequence[Module]], Worker]


class SleeveHouse:
    """`market` is the venue's public side; `views` what the engine sees of its own instruments."""

    def __init__(
        self,
        settings: Settings,
        modules: Sequence[Module],
        doors: Doors,
        folder: Path,
        clock: Clock,
        notifier: Notifier,
        mode: str,
        market: Market,
        views: Callable[[], Mapping[str, MarketView]],
        linger_s: float,
        look_every_s: float,
    ) -> None:
        """`look_every_s`: how often missing candles are looked for."""
        self._settings, self._modules, self._doors = settings, tuple(modules), doors
        self._folder, self._clock, self._notifier = folder, clock, notifier
        self._mode, self._market, self._views = mode, market, views
        self._linger_s, self._look_every_s = linger_s, look_every_s
        self._frozen = ""  # why the engine wants nothing entered, also before there is anybody to tell
        self._closing = ""  # why it wants everything closed
        self.app: SleeveApp | None = None
        self.last_scan: Scan | None = None

    # --- what the engine decides ----------------------------------------------------------------

    def on_decision(self, ctx: Context, decision: Decision) -> None:
        """Heard right after the engine decided, before execution begins: an emergency of the hedges closes
        the sleeve first; while they may not grow, nothing is entered here.
        """
        unwinds = decision.on is On.BREACH or (decision.on is On.HALT and bool(ctx.stopping))
        if decision.moved and unwinds:
            self._closing = f"the hedges are unwound: {decision.reason or decision.on.value}"
            if self.app is not None:
                self.app.engine.close(self._closing)
        elif decision.dst is not State.STOPPED and not ctx.stopping:
            self._closing = ""
        frozen = ""
        if decision.dst is State.STOPPED:
            frozen = "the engine is stopped"
        elif ctx.permission.level is not Permission.FULL:
            frozen = f"the engine's permission: {ctx.permission.reason}"
        if frozen != self._frozen:
            self._frozen = frozen
            self._obey()

    def _obey(self) -> None:
        if self.app is None:
            return
        if self._frozen:
            self.app.permissions.lower("hedges", Permission.NO_NEW_RISK, self._frozen)
        else:
            self.app.permissions.lift("hedges")
        if self._closing:
            self.app.engine.close(self._closing)

    # --- life -----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Until cancelled, or until a part of it fails: that is told, and ends nothing else."""
        try:
            await self._live()
        except* Exception as group:  # noqa: BLE001  whatever it is, it must not end the hedges' engine
            first = _first(group)
            detail = f"{type(first).__name__}: {first}"
            self._notifier.tell("alarm", "critical", {"what": "the sleeve has ended", "detail": detail})

    async def _live(self) -> None:
        await self._clock.sleep(AFTER_ENGINE_S)
        pairs = await self._pairs()
        for pause_s in chain(PAUSES_S, repeat(PAUSES_S[-1])):
            try:
                ports = await self._doors.connect(pairs)
                break
            except VenueError as error:
                told = {"what": "no account of the sleeve", "detail": str(error)}
                self._notifier.tell("trouble", "warning", told)
                await self._clock.sleep(pause_s)
        try:
            app = await compose_sleeve(
                self._settings, ports, self._folder, self._clock, self._notifier, self._mode, self._linger_s
            )
            try:
                await self._with(app, pairs)
            finally:
                await self._leave(app)
        finally:
            await ports.close()

    async def _pairs(self) -> dict[str, Pair]:
        section = self._settings.strategy.auxiliary
        names = section.symbols or self._settings.instruments.instruments
        wanted = tuple(name for name in names if name not in section.exclude)
        return {pair.name: pair for pair in await self._market.pairs(wanted)}

    async def _with(self, app: SleeveApp, pairs: Mapping[str, Pair]) -> None:
        section, now_ms = self._settings.strategy.auxiliary, self._clock.now_ms
        candles, blacklist = Candles(_to_keep(self._modules)), Blacklist(exclude=frozenset(section.exclude))
        by_swap = {pair.swap.inst_id: name for name, pair in pairs.items()}
        upkeep = Upkeep(
            candles,
            self._market,
            self._clock,
            now_ms,
            lambda name: pairs[name].swap.inst_id,
            blacklist,
            lambda what: self._notifier.tell("trouble", "info", {"what": "candles", "detail": what}),
            every_s=self._look_every_s,
        )

        def on_candle(inst_id: str, frame: str, candle: Candle) -> None:
            name = by_swap[inst_id]
            upkeep.on_candle(name, frame, candle)
            self._show_bar(app, candles, name, frame)

        scanning = Scanning(
            Scanner(self._modules, blacklist),
            _Still(self._doors.worker(self._modules), self._clock),
            self._clock,
        )
        end_candles = await self._doors.candles(
            [(pair.swap.inst_id, frame) for pair in pairs.values() for frame in candles.frames], on_candle
        )
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(app.run(), name="sleeve")
                group.create_task(upkeep.run(lambda: self._dearest(app, pairs)), name="sleeve candles")
                group.create_task(self._scan_on(app, scanning, candles, tuple(pairs)), name="sleeve scans")
        finally:
            await end_candles()
            await scanning.close()

    async def _leave(self, app: SleeveApp) -> None:
        """The last rows; an order that is still under way is found by the next start."""
        self.app = None
        await app.feed.stop()
        app.journal.append(Kind.STOP, self._clock.now_ms(), {"reason": "end", "clean": not app.engine.busy})
        await app.journal.close()

    # --- scans ----------------------------------------------------------------------------------

    async def _scan_on(
        self, app: SleeveApp, scanning: Scanning, candles: Candles, instruments: tuple[str, ...]
    ) -> None:
        """Shortly after each instant at which a bar that somebody is asked on may have closed."""
        while not app.engine.is_up:
            await self._clock.sleep(1.0)
        self.app, step_ms = app, _step_ms(self._modules)
        self._obey()
        while True:
            since_ms = self._clock.now_ms() - AFTER_CLOSE_MS
            await self._clock.sleep_until(since_ms - since_ms % step_ms + step_ms + AFTER_CLOSE_MS)
            sights = Sights(candles, self._views(), holdings=_holdings(app))
            scan = await scanning.scan(instruments, sights, self._clock.now_ms())
            if scan is None:
                continue
            self.last_scan = scan
            for signal in scan.signals:
                await app.offer(signal)

    def _dearest(self, app: SleeveApp, pairs: Mapping[str, Pair]) -> tuple[str, ...]:
        """What is held first."""
        return tuple(dict.fromkeys((*app.books.instruments, *pairs)))

    def _show_bar(self, app: SleeveApp, candles: Candles, name: str, frame: str) -> None:
        """A bar of the length a position's exits look at has closed."""
        position = app.books.position(name)
        if position is None or position.wanted["plan"]["frame"] != frame:
            return
        now_ms = self._clock.now_ms()
        bars = candles.bars(name, frame, now_ms)
        if len(bars):
            app.engine.see(name, Sight(now_ms, bars=bars))


class _Still:
    """Asks while virtual time stands: what is computed takes none of the venue's."""

    def __init__(self, worker: Worker, clock: Clock) -> None:
        self._worker, self._clock = worker, clock

    async def ask(self, questions: Sequence[Question]) -> Sequence[Reply]:
        with self._clock.holding():
            return await self._worker.ask(questions)

    async def close(self) -> None:
        with self._clock.holding():
            await self._worker.close()


def _to_keep(modules: Sequence[Module]) -> dict[str, int]:
    """How many bars of each length somebody may ask for."""
    keep: dict[str, int] = {}
    for module in modules:
        for frame, count in module.needs.bars.items():
            keep[frame] = max(keep.get(frame, TRAIL_BARS), count)
    return keep


def _step_ms(modules: Sequence[Module]) -> int:
    """How often a question may come up: with the shortest bar anybody is asked on, every minute for those
    that are asked on none."""
    return min((FRAME_MS.get(module.needs.on, MINUTE_MS) for module in modules), default=MINUTE_MS)


def _holdings(app: SleeveApp) -> dict[Key, Holding]:
    held = (app.books.position(name) for name in app.books.instruments)
    return {
        (one.module, one.instrument): Holding(one.side, one.held, one.entry_px, one.opened_ms)
        for one in held
        if one is not None and one.held > 0
    }


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first cause within groups of groups."""
    error: BaseException = group
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
