"""Candles kept whole: filled once, then hardly asked for, and what the venue lacks is not asked for ever."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import BadPayload, RateLimited, VenueDown, VenueRejected
from core.types import DAY_MS, HOUR_MS, Candle
from scripts.scanning.upkeep import DOWN_S, Upkeep
from strategy.auxiliary.bars import FRAME_MS, MINUTE_MS
from strategy.auxiliary.scanning.blacklist import Ban, BanRules, Blacklist, Cause
from strategy.auxiliary.scanning.candles import Candles
from strategy.auxiliary.scanning.requests import Pace, Requests
from tests.fakes import START_MS, FakeClock
from tests.strategy.auxiliary.scan_scenes import candle

KEEP = {"1H": 12, "4H": 6}
NAME = "BTC-USDT"


@dataclass
class Venue:
    """Candles of every market since `since_ms`, as of the clock; `lacks` says what it has not got."""

    clock: FakeClock
    since_ms: int = START_MS - 90 * DAY_MS
    lacks: Callable[[str, str, int], bool] = lambda inst_id, bar, at: False
    raises: list[Exception] = field(default_factory=list)
    asked: list[tuple[int, str, str, int]] = field(default_factory=list)

    async def candles(self, inst_id: str, bar: str, limit: int) -> tuple[Candle, ...]:
        now_ms = self.clock.now_ms()
        self.asked.append((now_ms, inst_id, bar, limit))
        if self.raises:
            raise self.raises.pop()
        newest = (now_ms - START_MS) // FRAME_MS[bar]
        found = [
            candle(bar, at, closed=at < newest)
            for at in range(newest - limit + 1, newest + 1)
            if START_MS + at * FRAME_MS[bar] >= self.since_ms and not self.lacks(inst_id, bar, at)
        ]
        return tuple(found)


class Desk:
    def __init__(self, pace: Pace | None = None, **venue: object) -> None:
        self.clock = FakeClock(START_MS + 20_000)
        self.venue = Venue(self.clock, **venue)  # type: ignore[arg-type]
        self.candles, self.blacklist = Candles(KEEP), Blacklist(BanRules(most_failures=3))
        self.troubles: list[str] = []
        self.upkeep = Upkeep(
            self.candles,
            self.venue,  # type: ignore[arg-type]
            self.clock,
            self.clock.now_ms,
            lambda name: f"{name}-SWAP",
            self.blacklist,
            self.troubles.append,
            pace,
        )

    def whole(self, instrument: str = NAME) -> bool:
        """All frames have all their bars, up to the newest that closed."""
        now_ms = self.clock.now_ms()
        return all(
            len(bars := self.candles.bars(instrument, frame, now_ms)) == keep
            and bars.closed_ms == now_ms // FRAME_MS[frame] * FRAME_MS[frame]
            for frame, keep in KEEP.items()
        )

    def push(self, instrument: str, frame: str) -> None:
        at = (self.clock.now_ms() - START_MS) // FRAME_MS[frame] - 1
        self.upkeep.on_candle(instrument, frame, candle(frame, at))

    async def turns(self, count: int, *names: str) -> None:
        for _ in range(count):
            await self.upkeep.once(names or (NAME,))
            await self.clock.sleep(5)


async def test_a_store_is_filled_with_one_request_a_series_and_then_asks_for_nothing() -> None:
    desk = Desk()
    await desk.turns(10)
    assert desk.whole() and not desk.troubles
    assert [(inst_id, bar, limit) for _, inst_id, bar, limit in desk.venue.asked] == [
        ("BTC-USDT-SWAP", "1H", 14),
        ("BTC-USDT-SWAP", "4H", 8),
    ]


async def test_what_is_pushed_is_not_asked_for() -> None:
    desk = Desk()
    await desk.turns(1)
    for _ in range(5):
        await desk.clock.sleep_until((desk.clock.now_ms() // HOUR_MS + 1) * HOUR_MS + 1_000)
        for frame in KEEP:
            if desk.clock.now_ms() // 1_000 * 1_000 % FRAME_MS[frame] == 1_000:
                desk.push(NAME, frame)
        await desk.turns(5)
    assert desk.whole() and desk.upkeep.requests == 2


async def test_a_push_that_was_lost_is_asked_for_once_it_has_had_time_to_come() -> None:
    desk = Desk()
    await desk.turns(1)
    await desk.clock.sleep_until(START_MS + HOUR_MS + 9_999)
    await desk.upkeep.once([NAME])
    assert desk.upkeep.requests == 2
    await desk.clock.sleep(0.001)
    await desk.upkeep.once([NAME])
    assert desk.venue.asked[-1] == (START_MS + HOUR_MS + 10_000, "BTC-USDT-SWAP", "1H", 3) and desk.whole()


async def test_a_hole_is_filled_in() -> None:
    desk = Desk()
    await desk.turns(1)
    await desk.clock.sleep_until(START_MS + 3 * HOUR_MS + 1)
    desk.push(NAME, "1H")
    assert len(desk.candles.bars(NAME, "1H", desk.clock.now_ms())) == 1
    await desk.turns(1)
    assert desk.whole()


async def test_a_hole_the_venue_has_too_is_asked_for_twice_at_most() -> None:
    desk = Desk(lacks=lambda inst_id, bar, at: bar == "1H" and at == -3)
    await desk.turns(40)
    assert Counter(bar for _, _, bar, _ in desk.venue.asked) == {"1H": 2, "4H": 1}
    assert len(desk.candles.bars(NAME, "1H", desk.clock.now_ms())) == 2


async def test_what_the_venue_has_not_got_yet_is_asked_for_less_and_less_often() -> None:
    desk = Desk()
    await desk.turns(1)
    desk.venue.lacks = lambda inst_id, bar, at: at >= 0
    await desk.clock.sleep_until(START_MS + HOUR_MS + 20_000)
    await desk.turns(60)
    times = [at_ms for at_ms, *_ in desk.venue.asked[2:]]
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) == 5 and gaps == sorted(gaps) and gaps[-1] >= 80_000
    assert desk.blacklist.bans(desk.clock.now_ms()) == ()


async def test_a_young_listing_is_known_by_its_short_history_and_not_asked_for_more() -> None:
    desk = Desk(since_ms=START_MS - 5 * HOUR_MS)
    await desk.turns(20)
    assert desk.candles.listed_ms(NAME) == START_MS - 5 * HOUR_MS
    assert Counter(bar for _, _, bar, _ in desk.venue.asked) == {"1H": 1, "4H": 1}


async def test_an_answer_that_is_a_candle_short_makes_nothing_young() -> None:
    desk = Desk()
    await desk.turns(1)
    desk.venue.lacks = lambda inst_id, bar, at: at == 1
    await desk.clock.sleep_until(START_MS + HOUR_MS + 20_000)
    await desk.turns(1)
    assert desk.candles.listed_ms(NAME) is None


@pytest.mark.parametrize("error", [VenueRejected("no such instrument", "51001"), BadPayload("not a candle")])
async def test_what_is_refused_again_and_again_is_kept_out_and_not_asked_for(error: Exception) -> None:
    desk = Desk(raises=[error] * 3)
    await desk.turns(30)
    (ban,) = desk.blacklist.bans(desk.clock.now_ms())
    assert ban.cause is Cause.FAILURES and len(desk.venue.asked) == 3
    assert desk.troubles[-1].startswith("BTC-USDT is kept out of scans: 3 failures in a row")


async def test_a_market_without_candles_counts_as_refused() -> None:
    desk = Desk(lacks=lambda inst_id, bar, at: True)
    await desk.turns(30)
    assert [ban.cause for ban in desk.blacklist.bans(desk.clock.now_ms())] == [Cause.FAILURES]


@pytest.mark.parametrize(
    ("error", "rest_s"), [(VenueDown("no answer"), DOWN_S), (RateLimited("too many", retry_after_s=2.5), 2.5)]
)
async def test_a_venue_that_is_away_or_busy_is_left_alone_for_a_while(
    error: Exception, rest_s: float
) -> None:
    desk = Desk(raises=[error])
    assert await desk.upkeep.once([NAME, "ETH-USDT"]) == rest_s
    assert len(desk.venue.asked) == 1 and desk.blacklist.bans(desk.clock.now_ms()) == ()
    await desk.turns(10, NAME, "ETH-USDT")
    assert desk.whole() and desk.whole("ETH-USDT")


async def test_what_is_kept_out_is_not_asked_for_but_what_is_missing_is() -> None:
    desk = Desk()
    for name, cause in (("THIN-USDT", Cause.THIN), ("GONE-USDT", Cause.MISSING)):
        desk.blacklist.restore([Ban(name, cause, "", START_MS, START_MS + DAY_MS)])
    await desk.turns(2, "THIN-USDT", "GONE-USDT")
    assert {inst_id for _, inst_id, _, _ in desk.venue.asked} == {"GONE-USDT-SWAP"}


def most_in_a_minute(times: list[int]) -> int:
    return max(sum(at - MINUTE_MS < each <= at for each in times) for at in times)


async def test_with_five_positions_and_hourly_scans_eleven_requests_a_minute_are_enough() -> None:
    """Forty instruments, one push in fifty lost, and a connection that is away over one close."""
    desk = Desk()
    names = [f"C{n:02d}-USDT" for n in range(40)]
    await desk.turns(3, *names)
    assert len(desk.venue.asked) == 80 and all(map(desk.whole, names))
    filled = len(desk.venue.asked)
    for hour in range(1, 7):
        await desk.clock.sleep_until(START_MS + hour * HOUR_MS + 500)
        for n, name in enumerate(names):
            for frame in ("1H", "4H") if hour % 4 == 0 else ("1H",):
                if hour != 4 and (n + hour) % 50:
                    desk.push(name, frame)
        await desk.turns(3, *names)
        assert all(map(desk.whole, names[:3]))  # what is named first is whole first
        await desk.turns(100, *names)
        assert all(map(desk.whole, names))
    times = [at_ms for at_ms, *_ in desk.venue.asked[filled:]]
    assert most_in_a_minute(times) <= 11 and len(times) >= 80


@settings(max_examples=40)
@given(lost=st.sets(st.tuples(st.integers(0, 9), st.integers(0, 11))), per_minute=st.integers(1, 12))
def test_however_much_is_lost_no_minute_has_more_requests_than_allowed_and_all_comes_in_the_end(
    lost: set[tuple[int, int]], per_minute: int
) -> None:
    candles = Candles({"1m": 8})
    requests = Requests(candles, Pace(per_minute=per_minute, filling_per_minute=600, grace_ms=2_000))
    names = [f"C{n}-USDT" for n in range(10)]
    for name in names:
        candles.take(name, "1m", [candle("1m", at) for at in range(-8, 0)], START_MS)
    sent: list[int] = []
    for now_ms in range(START_MS, START_MS + 40 * MINUTE_MS, 5_000):
        minute = (now_ms - START_MS) // MINUTE_MS
        for n, name in enumerate(names):
            if now_ms % MINUTE_MS == 0 and minute and (n, minute - 1) not in lost:
                candles.take(name, "1m", [candle("1m", minute - 1)], now_ms)
        for lack in requests.due(names, now_ms):
            if lack is not None:
                sent.append(now_ms)
                found = [candle("1m", at) for at in range(minute - requests.limit(lack), minute)]
                candles.take(lack.instrument, "1m", found, now_ms)
                requests.went(lack, now_ms)
    assert not sent or most_in_a_minute(sent) <= per_minute
    assert all(len(candles.bars(name, "1m", now_ms)) == 8 for name in names)


async def test_it_goes_on_until_it_is_stopped() -> None:
    desk = Desk()
    task = asyncio.create_task(desk.upkeep.run(lambda: [NAME]))
    await desk.clock.sleep(30)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert desk.whole()


@pytest.mark.parametrize("wrong", [{"per_minute": 0}, {"filling_per_minute": 0}, {"grace_ms": -1}])
def test_a_pace_without_meaning_is_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="allowed: 1 or more, after 0 or more"):
        Pace(**wrong)
