"""Scans come after the close, at once when something is fed, and when an operator asks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from core.types import HOUR_MS
from scripts.scanning.driver import Here, Scanning
from scripts.scanning.rhythm import Rhythm
from strategy.auxiliary.language import FeedEvent, Needs
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Outcome, Scan
from tests.fakes import START_MS, FakeClock
from tests.strategy.auxiliary.scan_scenes import NAME, Toy, candle, kept, scanner_of


class Desk:
    def __init__(self, *toys: Toy) -> None:
        self.clock, self.store = FakeClock(START_MS - 60_000), kept(toys, until_ms=START_MS - HOUR_MS)
        self.events: dict[str, tuple[FeedEvent, ...]] = {}
        self.scans: list[Scan] = []
        scanner = scanner_of(*toys)
        self.rhythm = Rhythm(
            scanner,
            Scanning(scanner, Here(toys, lambda: 0.0), self.clock, tick_s=lambda: 0.0),
            self.clock,
            self.clock.now_ms,
            lambda: [NAME],
            lambda now_ms: Sights(self.store, events=self.events),
            self.scans.append,
        )

    def said(self) -> list[tuple[int, Outcome]]:
        return [(scan.at_ms - START_MS, scan.lines[0].outcome) for scan in self.scans]


@asynccontextmanager
async def running(*toys: Toy) -> AsyncIterator[Desk]:
    desk = Desk(*toys)
    task = asyncio.create_task(desk.rhythm.run())
    try:
        yield desk
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_a_scan_comes_after_each_close_and_not_before() -> None:
    async with running(Toy()) as desk:
        for hour in range(3):
            desk.store.take(NAME, "1H", [candle("1H", hour - 1)], START_MS + hour * HOUR_MS)
            await desk.clock.sleep_until(START_MS + hour * HOUR_MS + 30_000)
    assert desk.said() == [(hour * HOUR_MS + 2_000, Outcome.NOTHING) for hour in range(3)]


async def test_a_bar_that_is_late_is_looked_for_again_soon() -> None:
    async with running(Toy(needs=Needs(bars={"1H": 3, "4H": 2}, on="1H"))) as desk:
        desk.store.take(NAME, "1H", [candle("1H", -1)], START_MS)
        await desk.clock.sleep_until(START_MS + 25_000)
        desk.store.take(NAME, "4H", [candle("4H", -1)], START_MS + 25_000)
        await desk.clock.sleep_until(START_MS + 60_000)
    assert desk.said() == [
        (2_000, Outcome.MISSING),
        (12_000, Outcome.MISSING),
        (22_000, Outcome.MISSING),
        (32_000, Outcome.NOTHING),
    ]


async def test_what_is_fed_is_scanned_at_once() -> None:
    fed = Toy("fed", Needs(bars={"1H": 1}, on="", events=True))
    async with running(fed) as desk:
        desk.store.take(NAME, "1H", [candle("1H", -1)], START_MS)
        await desk.clock.sleep_until(START_MS + 10_000)
        desk.events = {NAME: (FeedEvent("a", "113", NAME, START_MS, "test"),)}
        desk.rhythm.feed()
        await desk.clock.sleep(1)
        assert desk.said()[-1] == (10_000, Outcome.NOTHING)


async def test_somebody_may_ask_for_a_scan_at_any_time() -> None:
    desk = Desk(Toy())
    desk.store.take(NAME, "1H", [candle("1H", -1)], START_MS)
    found = await desk.rhythm.now()
    assert found is not None and desk.scans == [found]
