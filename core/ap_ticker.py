"""The ticker of a live engine: APScheduler on the running loop and the real clock.

Apart from core/scheduler.py, because an engine on virtual time does without APScheduler's scheduler.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC

from apscheduler.events import (
    EVENT_JOB_ERROR,
    EVENT_JOB_MAX_INSTANCES,
    EVENT_JOB_MISSED,
    JobExecutionEvent,
)
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.date import DateTrigger

from core.events import On
from core.scheduler import CADENCE, SETTLE_DELAY_MS, Fire, utc


class ApTicker:
    """Implements core.scheduler.Ticker. Lost ticks are reported, not only logged."""

    def __init__(self) -> None:
        self._scheduler = AsyncIOScheduler(
            timezone=UTC, job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": 270}
        )

    def start(self, fire: Fire, lost: Callable[[str], None]) -> None:
        self._fire = fire

        def on_lost(event: JobExecutionEvent) -> None:
            lost(f"tick {event.job_id} was lost")

        for on, trigger in CADENCE.items():
            self._scheduler.add_job(self._tick, trigger, args=(on, None), id=on.value, replace_existing=True)
        self._scheduler.add_listener(on_lost, EVENT_JOB_MISSED | EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._scheduler.start()

    def settle_at(self, instrument: str, funding_time_ms: int) -> None:
        self._scheduler.add_job(
            self._tick,
            DateTrigger(utc(funding_time_ms + SETTLE_DELAY_MS)),
            args=(On.SETTLE, instrument),
            id=f"settle {instrument}",
            replace_existing=True,
            misfire_grace_time=None,  # a settlement is looked up however late we are
        )

    async def stop(self) -> None:
        self._scheduler.shutdown(wait=False)

    async def _tick(self, on: On, instrument: str | None) -> None:
        # A coroutine, because APScheduler runs plain functions in a worker thread.
        self._fire(on, instrument)
