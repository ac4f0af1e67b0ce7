"""When things are due: the cadence on virtual time, and APScheduler on the real loop."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from apscheduler.triggers.date import DateTrigger

from core.ap_ticker import ApTicker
from core.clock import SystemClock, VirtualClock, VirtualLoop
from core.events import On
from core.scheduler import CADENCE, SETTLE_DELAY_MS, WalkingTicker

MINUTE_MS, HOUR_MS, DAY_MS = 60_000, 3_600_000, 86_400_000
SPRING = 1_774_656_000_000  # 2026-03-28T00:00Z, the day before Europe's clocks change
AUTUMN = 1_792_800_000_000  # 2026-10-24T00:00Z, the day before they change back
ROOT = Path(__file__).resolve().parents[2]

# The hourly ticks of two days from each of the instants given, in a process of its own: a time zone is
# settled when the triggers are made.
REVIEWS = """
import sys
from datetime import UTC, datetime
from core.events import On
from core.scheduler import CADENCE
for start_ms in map(int, sys.argv[1:]):
    at = datetime.fromtimestamp(start_ms / 1000, UTC)
    for _ in range(48):
        at = CADENCE[On.REVIEW].get_next_fire_time(at, at)
        print(round(at.timestamp() * 1000))
"""


class Keeper:
    """Virtual time that moves straight to the instant asked for."""

    def __init__(self, now_ms: int) -> None:
        self.now = now_ms

    def now_ms(self) -> int:
        return self.now

    def attach(self, loop: VirtualLoop) -> None:
        return

    def idle(self, until_ms: int | None) -> bool:
        assert until_ms is not None, "nothing left to wait for"
        self.now = max(self.now, until_ms)
        return True


class Walk:
    """A ticker on virtual time, and everything it fired."""

    def __init__(self, start_ms: int) -> None:
        self.keeper = Keeper(start_ms)
        self.fired: list[tuple[int, On, str | None]] = []

    def run(
        self,
        until_ms: int,
        act: Callable[[WalkingTicker, VirtualClock], Awaitable[None]],
        leapt_ms: Callable[[], int] = lambda: 0,
    ) -> None:
        """Start the ticker, let `act` happen, and stop it at `until_ms`."""

        async def main() -> None:
            loop = asyncio.get_running_loop()
            assert isinstance(loop, VirtualLoop)
            clock = VirtualClock(loop, self.keeper)
            ticker = WalkingTicker(clock, leapt_ms)
            ticker.start(self._fire, _lost)
            await act(ticker, clock)
            await clock.sleep_until(until_ms)
            await ticker.stop()

        with asyncio.Runner(loop_factory=lambda: VirtualLoop(self.keeper)) as runner:
            runner.run(main())

    def of(self, on: On) -> list[int]:
        return [at_ms for at_ms, fired, _ in self.fired if fired is on]

    def _fire(self, on: On, instrument: str | None) -> None:
        self.fired.append((self.keeper.now, on, instrument))


def _lost(what: str) -> None:
    raise AssertionError(what)


async def _nothing(ticker: WalkingTicker, clock: VirtualClock) -> None:
    return


# --- virtual time -----------------------------------------------------------------------------


@pytest.mark.fault("SC3")
def test_a_week_has_every_tick_exactly_once() -> None:
    walk = Walk(SPRING)
    walk.run(SPRING + 7 * DAY_MS, _nothing)
    assert walk.of(On.SCAN) == [SPRING + n * 5 * MINUTE_MS + 2_000 for n in range(7 * 24 * 12)]
    assert walk.of(On.REVIEW) == [SPRING + n * HOUR_MS + 20_000 for n in range(7 * 24)]
    assert len(walk.fired) == 7 * 24 * 13


def test_walking_fires_when_the_triggers_themselves_would() -> None:
    walk = Walk(AUTUMN)
    walk.run(AUTUMN + 2 * DAY_MS, _nothing)
    for on, trigger in CADENCE.items():
        at, end = (datetime.fromtimestamp(ms / 1000, UTC) for ms in (AUTUMN, AUTUMN + 2 * DAY_MS))
        wanted = []
        while (at := trigger.get_next_fire_time(None, at)) < end:
            wanted.append(round(at.timestamp() * 1000))
            at += timedelta(microseconds=1)
        assert walk.of(on) == wanted


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu"])
@pytest.mark.fault("SC3")
def test_the_machines_own_zone_and_its_clock_changes_move_nothing(zone: str) -> None:
    told = subprocess.run(
        [sys.executable, "-c", REVIEWS, str(SPRING), str(AUTUMN)],
        env={**os.environ, "TZ": zone},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    reviews = [int(line) for line in told.stdout.splitlines()]
    assert reviews == [start + n * HOUR_MS + 20_000 for start in (SPRING, AUTUMN) for n in range(48)]


def test_a_start_on_the_very_second_does_not_fire_it_and_a_start_before_it_does() -> None:
    for early_ms, first_ms in ((1, 2_000), (0, 5 * MINUTE_MS + 2_000)):
        walk = Walk(SPRING + 2_000 - early_ms)
        walk.run(SPRING + 6 * MINUTE_MS, _nothing)
        assert walk.of(On.SCAN)[0] == SPRING + first_ms


@pytest.mark.fault("SC4")
def test_a_settlement_fires_once_shortly_after_its_funding_time() -> None:
    async def ask(ticker: WalkingTicker, clock: VirtualClock) -> None:
        for _ in range(3):  # every scan asks again
            ticker.settle_at("BTC-USDT", SPRING + 8 * HOUR_MS)
            await clock.sleep(300)

    walk = Walk(SPRING)
    walk.run(SPRING + DAY_MS, ask)
    assert [f for f in walk.fired if f[1] is On.SETTLE] == [
        (SPRING + 8 * HOUR_MS + SETTLE_DELAY_MS, On.SETTLE, "BTC-USDT")
    ]


@pytest.mark.parametrize("later_h", [2, 16])
def test_a_funding_time_that_moved_replaces_the_one_before(later_h: int) -> None:
    async def ask(ticker: WalkingTicker, clock: VirtualClock) -> None:
        ticker.settle_at("BTC-USDT", SPRING + 8 * HOUR_MS)
        ticker.settle_at("ETH-USDT", SPRING + 8 * HOUR_MS)
        await clock.sleep(3600)
        ticker.settle_at("BTC-USDT", SPRING + later_h * HOUR_MS)

    walk = Walk(SPRING)
    walk.run(SPRING + DAY_MS, ask)
    settled = {name: at_ms for at_ms, on, name in walk.fired if on is On.SETTLE}
    assert settled == {
        "BTC-USDT": SPRING + later_h * HOUR_MS + SETTLE_DELAY_MS,
        "ETH-USDT": SPRING + 8 * HOUR_MS + SETTLE_DELAY_MS,
    }
    assert len(walk.of(On.SETTLE)) == 2


def test_a_settlement_that_is_past_fires_at_once() -> None:
    async def ask(ticker: WalkingTicker, clock: VirtualClock) -> None:
        await clock.sleep(30)  # between two ticks
        ticker.settle_at("BTC-USDT", SPRING - HOUR_MS)

    walk = Walk(SPRING)
    walk.run(SPRING + 5 * MINUTE_MS, ask)
    assert walk.fired[-1] == (SPRING + 30_000, On.SETTLE, "BTC-USDT")


def test_a_stopped_ticker_fires_nothing_more() -> None:
    async def stop(ticker: WalkingTicker, clock: VirtualClock) -> None:
        await clock.sleep(3)
        await ticker.stop()

    walk = Walk(SPRING)
    walk.run(SPRING + DAY_MS, stop)
    assert walk.fired == [(SPRING + 2_000, On.SCAN, None)]


# --- the real loop ----------------------------------------------------------------------------


class Heard:
    """What an ApTicker fired and reported; `soon` waits for the next of either."""

    def __init__(self) -> None:
        self.fired: list[tuple[On, str | None]] = []
        self.lost: list[str] = []
        self._news = asyncio.Event()
        self.breaks = False

    def fire(self, on: On, instrument: str | None) -> None:
        self.fired.append((on, instrument))
        self._news.set()
        if self.breaks:
            raise RuntimeError("the mailbox is broken")

    def lose(self, what: str) -> None:
        self.lost.append(what)
        self._news.set()

    async def soon(self) -> None:
        await asyncio.wait_for(self._news.wait(), 10)
        self._news.clear()


@pytest.fixture
async def ticking() -> AsyncIterator[tuple[ApTicker, Heard]]:
    ticker, heard = ApTicker(), Heard()
    ticker.start(heard.fire, heard.lose)
    yield ticker, heard
    await ticker.stop()


@pytest.mark.fault("SC1")
async def test_the_real_ticker_looks_up_a_settlement_however_late_it_is(
    ticking: tuple[ApTicker, Heard],
) -> None:
    ticker, heard = ticking
    ticker.settle_at("BTC-USDT", SystemClock().now_ms() - DAY_MS)
    await heard.soon()
    assert heard.fired == [(On.SETTLE, "BTC-USDT")]
    assert heard.lost == []


async def test_a_settlement_asked_for_again_replaces_the_earlier_request(
    ticking: tuple[ApTicker, Heard],
) -> None:
    ticker, _ = ticking
    now_ms = SystemClock().now_ms()
    for later_ms in (HOUR_MS, 2 * HOUR_MS):
        ticker.settle_at("BTC-USDT", now_ms + later_ms)
    ticker.settle_at("ETH-USDT", now_ms + HOUR_MS)
    jobs = {job.id: job.next_run_time.timestamp() * 1000 for job in ticker._scheduler.get_jobs()}
    assert set(jobs) == {"scan", "review", "settle BTC-USDT", "settle ETH-USDT"}
    assert round(jobs["settle BTC-USDT"]) == now_ms + 2 * HOUR_MS + SETTLE_DELAY_MS


async def test_a_tick_that_breaks_is_reported(ticking: tuple[ApTicker, Heard]) -> None:
    ticker, heard = ticking
    heard.breaks = True
    ticker.settle_at("BTC-USDT", 0)
    while not heard.lost:
        await heard.soon()
    assert heard.lost == ["tick settle BTC-USDT was lost"]


@pytest.mark.fault("SC1")
async def test_a_tick_that_comes_too_late_is_reported_and_not_fired(ticking: tuple[ApTicker, Heard]) -> None:
    ticker, heard = ticking
    long_ago = datetime.now(UTC) - timedelta(minutes=6)
    ticker._scheduler.add_job(ticker._tick, DateTrigger(long_ago), args=(On.SCAN, None), id="late scan")
    await heard.soon()
    assert heard.lost == ["tick late scan was lost"] and heard.fired == []


def test_what_was_due_while_time_leapt_is_left_out_and_the_cadence_goes_on() -> None:
    walk, leapt = Walk(SPRING), [0]

    async def act(ticker: WalkingTicker, clock: VirtualClock) -> None:
        ticker.settle_at("BTC-USDT", SPRING + 2 * HOUR_MS)
        ticker.settle_at("ETH-USDT", SPRING + 8 * HOUR_MS)
        await clock.sleep_until(SPRING + 6 * MINUTE_MS)
        walk.keeper.now = leapt[0] = SPRING + 7 * HOUR_MS + 50 * MINUTE_MS

    walk.run(SPRING + 8 * HOUR_MS + MINUTE_MS, act, lambda: leapt[0])
    assert [(at_ms - SPRING, on) for at_ms, on, _ in walk.fired] == [
        (2_000, On.SCAN),
        (20_000, On.REVIEW),
        (5 * MINUTE_MS + 2_000, On.SCAN),
        (7 * HOUR_MS + 50 * MINUTE_MS + 2_000, On.SCAN),
        (7 * HOUR_MS + 55 * MINUTE_MS + 2_000, On.SCAN),
        (8 * HOUR_MS + 2_000, On.SCAN),
        (8 * HOUR_MS + 20_000, On.REVIEW),
        (8 * HOUR_MS + SETTLE_DELAY_MS, On.SETTLE),
    ]
