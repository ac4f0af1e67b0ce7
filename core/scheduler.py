"""When things are due: every 5 minutes, every hour, and each instrument's own funding time.

Jobs post an event and do nothing else. The cadence is one set of APScheduler triggers in UTC; a live
engine lets APScheduler fire them (core/ap_ticker.py), an engine on virtual time walks the same triggers on
its own clock.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Final, Protocol

from apscheduler.triggers.cron import CronTrigger

from core.events import On
from core.ports import Clock
from core.types import HOUR_MS

# The second keeps ticks off the exact boundary, where bars close and funding is being charged.
CADENCE: Final[Mapping[On, CronTrigger]] = {
    On.SCAN: CronTrigger(minute="*/5", second=2, timezone=UTC),
    On.REVIEW: CronTrigger(minute=0, second=20, timezone=UTC),
}
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
SETTLE_DELAY_MS: Final = 30_000  # the venue charges funding within about a minute of its instant

Fire = Callable[[On, str | None], None]


class Ticker(Protocol):
    """Fires the cadence and the settlements somebody asked for."""

    def start(self, fire: Fire, lost: Callable[[str], None]) -> None: ...

    def settle_at(self, instrument: str, funding_time_ms: int) -> None:
        """Fire SETTLE for `instrument` shortly after its funding time; replaces an earlier request."""
        ...

    async def stop(self) -> None: ...


def utc(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


class WalkingTicker:
    """The same triggers on the engine's own clock: one task sleeping to whatever is due next.

    leapt_ms  up to which instant somebody has vouched that nothing can happen, and time has leapt: what was
              due before it is not fired late, it is left out.
    """

    def __init__(self, clock: Clock, leapt_ms: Callable[[], int] = lambda: 0) -> None:
        self._clock, self._leapt_ms = clock, leapt_ms
        self._settlements: dict[str, int] = {}
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def start(self, fire: Fire, lost: Callable[[str], None]) -> None:
        self._fire = fire
        self._task = asyncio.create_task(self._walk(), name="ticker")

    def settle_at(self, instrument: str, funding_time_ms: int) -> None:
        at_ms = funding_time_ms + SETTLE_DELAY_MS
        if self._settlements.get(instrument) != at_ms:
            self._settlements[instrument] = at_ms
            self._changed.set()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    async def _walk(self) -> None:
        due = {on: self._next(on, self._clock.now_ms()) for on in CADENCE}
        while True:
            at_ms = min((*due.values(), *self._settlements.values()))
            wait_s = (at_ms - self._clock.now_ms()) / 1000
            if wait_s > 0:
                self._changed.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._changed.wait(), wait_s)
                continue
            if at_ms < (leapt_ms := self._leapt_ms()):
                due = {on: max(at, self._next(on, leapt_ms - 1)) for on, at in due.items()}
                self._settlements = {i: at for i, at in self._settlements.items() if at >= leapt_ms}
                continue
            for instrument in sorted(i for i, at in self._settlements.items() if at <= at_ms):
                del self._settlements[instrument]
                self._fire(On.SETTLE, instrument)
            for on in [on for on, at in due.items() if at <= at_ms]:
                due[on] = self._next(on, self._clock.now_ms())
                self._fire(on, None)

    @staticmethod
    def _next(on: On, now_ms: int) -> int:
        hour_ms, offsets = now_ms - now_ms % HOUR_MS, _within_an_hour(on)
        later = bisect_right(offsets, now_ms - hour_ms)
        return hour_ms + offsets[later] if later < len(offsets) else hour_ms + HOUR_MS + offsets[0]


@cache
def _within_an_hour(on: On) -> tuple[int, ...]:
    """When a trigger fires after the full hour, ms. In UTC every hour of the cadence is like the other, and
    walking the trigger itself costs as much as deciding does."""
    found, at = [], _EPOCH
    while (at := CADENCE[on].get_next_fire_time(None, at)) < _EPOCH + timedelta(hours=1):
        found.append(round((at - _EPOCH).total_seconds() * 1000))
        at += timedelta(microseconds=1)
    return tuple(found)
