"""What the crowd holds: filled once, kept by the hour, and known no earlier than it was."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from core.errors import RateLimited, VenueDown, VenueRejected
from core.types import DAY_MS, HOUR_MS
from scripts.scanning.crowd import DOWN_S, IDLE_S, INTEREST, RATIO, CrowdUpkeep
from tests.fakes import START_MS, D, FakeClock
from tests.scripts.scanning.test_upkeep import most_in_a_minute

NAME = "BTC-USDT"
MONTH = 31 * 24 - 1  # whole hours since a month and a minute ago
Rows = tuple[tuple[int, Decimal], ...]


@dataclass
class Venue:
    clock: FakeClock
    raises: list[Exception] = field(default_factory=list)
    asked: list[tuple[int, str, int]] = field(default_factory=list)

    async def open_interest_hours(self, inst_id: str, since_ms: int) -> Rows:
        return self._hours(inst_id, since_ms)

    async def long_short_hours(self, ccy: str, since_ms: int) -> Rows:
        return self._hours(ccy, since_ms)

    def _hours(self, name: str, since_ms: int) -> Rows:
        now_ms = self.clock.now_ms()
        self.asked.append((now_ms, name, since_ms))
        if self.raises:
            raise self.raises.pop()
        first = -(-since_ms // HOUR_MS)
        return tuple((hour * HOUR_MS, D(hour)) for hour in range(first, now_ms // HOUR_MS))


class Desk:
    def __init__(self, *raises: Exception) -> None:
        self.clock = FakeClock(START_MS + 60_000)
        self.venue, self.troubles = Venue(self.clock, list(raises)), list[str]()
        self.upkeep = CrowdUpkeep(
            self.venue, self.clock, self.clock.now_ms, lambda name: f"{name}-SWAP", self.troubles.append
        )

    async def through(self, hours: float, *names: str) -> None:
        task = asyncio.create_task(self.upkeep.run(lambda: names or (NAME,)))
        await self.clock.sleep(hours * 3600)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    def known(self, kind: str) -> Rows:
        return self.upkeep.known(kind, [NAME], self.clock.now_ms()).get(NAME, ())


async def test_a_month_is_asked_for_once_and_then_only_what_is_new() -> None:
    desk = Desk()
    await desk.through(12.5)
    assert Counter(name for _, name, _ in desk.venue.asked) == {"BTC": 4, "BTC-USDT-SWAP": 4}
    spans = [(at_ms - since_ms) // HOUR_MS for at_ms, _, since_ms in desk.venue.asked]
    assert spans[:2] == [31 * 24] * 2 and max(spans[2:]) <= 9
    for kind in (INTEREST, RATIO):
        times = [known_ms for known_ms, _ in desk.known(kind)]
        assert len(times) == MONTH + 12 and times == sorted(times)
        assert times[-1] - times[0] >= 27 * DAY_MS


async def test_nothing_is_known_before_its_hour_was_over() -> None:
    desk = Desk()
    await desk.through(9)
    for at_h in range(9):
        now_ms = START_MS + at_h * HOUR_MS
        shown = desk.upkeep.known(RATIO, [NAME], now_ms)[NAME]
        assert all(known_ms <= now_ms for known_ms, _ in shown)
        assert int(shown[-1][1]) < now_ms // HOUR_MS


async def test_many_instruments_are_asked_about_within_the_pace() -> None:
    desk = Desk()
    names = [f"C{n}-USDT" for n in range(30)]
    await desk.through(3, *names)
    assert len(desk.venue.asked) == 60
    await desk.through(4, *names)
    later = [at_ms for at_ms, *_ in desk.venue.asked[60:]]
    assert len(later) == 60 and most_in_a_minute(later) <= 5


@pytest.mark.parametrize(
    ("error", "rest_s"), [(RateLimited("busy", retry_after_s=3), 3), (VenueDown("away"), DOWN_S)]
)
async def test_a_venue_that_is_busy_or_away_is_asked_again_later(error: Exception, rest_s: float) -> None:
    desk = Desk(error)
    assert await desk.upkeep.once([NAME]) == rest_s
    await desk.through(0.1)
    assert len(desk.known(INTEREST)) == len(desk.known(RATIO)) == MONTH


async def test_what_the_venue_does_not_have_is_told_once_and_asked_for_again_in_hours() -> None:
    desk = Desk(*[VenueRejected("no such statistic", "50014")] * 4)
    await desk.through(7.9)
    assert len(desk.troubles) == 2 and "no such statistic" in desk.troubles[0]
    assert len(desk.venue.asked) == 4 and desk.known(RATIO) == ()


async def test_without_instruments_it_waits() -> None:
    assert await Desk().upkeep.once([]) == IDLE_S
    with pytest.raises(ValueError, match="allowed: 1 or more"):
        CrowdUpkeep(Venue(FakeClock()), FakeClock(), lambda: 0, str, print, per_minute=0)
