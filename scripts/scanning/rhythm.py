"""When scans happen: after bars have closed, when something is fed, and when somebody asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from core.ports import Clock
from scripts.scanning.driver import Scanning
from strategy.auxiliary.scanner import Scanner
from strategy.auxiliary.scanning.cadence import next_scan_ms
from strategy.auxiliary.scanning.sights import Sights
from strategy.auxiliary.scanning.words import Scan


class Rhythm:
    """Scans in time and hands each scan on.

    venue_ms     the venue's time: bars close by it.
    instruments  those to scan now; what is held comes first.
    sights       what a scan at an instant may show.
    on_scan      told of every scan that ran, in order.
    """

    def __init__(
        self,
        scanner: Scanner,
        scanning: Scanning,
        clock: Clock,
        venue_ms: Callable[[], int],
        instruments: Callable[[], Sequence[str]],
        sights: Callable[[int], Sights],
        on_scan: Callable[[Scan], None],
    ) -> None:
        self._scanner, self._scanning, self._clock, self._venue_ms = scanner, scanning, clock, venue_ms
        self._instruments, self._sights, self._on_scan = instruments, sights, on_scan
        self._fed = asyncio.Event()
        self._last: Scan | None = None

    def feed(self) -> None:
        """Say that something was fed: the next scan does not wait for a bar."""
        self._fed.set()

    async def now(self) -> Scan | None:
        """Scan now. None when a scan is running: it is told and counted, and not made up for."""
        now_ms = self._venue_ms()
        found = await self._scanning.scan(self._instruments(), self._sights(now_ms), now_ms)
        if found is not None:
            self._last = found
            self._on_scan(found)
        return found

    async def run(self) -> None:
        """Scan until cancelled."""
        while True:
            await self._due()
            self._fed.clear()
            await self.now()

    async def _due(self) -> None:
        """Wait for the next scan, or for something that is fed."""
        now_ms = self._venue_ms()
        at_ms = next_scan_ms(self._scanner.modules, now_ms, self._last)
        waits: list[asyncio.Future[object]] = [asyncio.ensure_future(self._fed.wait())]
        if at_ms is not None:
            waits.append(asyncio.ensure_future(self._clock.sleep((at_ms - now_ms) / 1000)))
        try:
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for wait in waits:
                wait.cancel()
            await asyncio.gather(*waits, return_exceptions=True)
