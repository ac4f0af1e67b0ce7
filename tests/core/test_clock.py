"""Virtual time stands still while work is done outside the loop and jumps when nothing is left to do."""

from __future__ import annotations

import asyncio
import threading

import pytest

from core.clock import SystemClock, VirtualClock, VirtualLoop, skips_of


class Jumper:
    """A keeper that moves straight to the instant asked for."""

    def __init__(self) -> None:
        self.now = 1_000_000
        self.asked: list[int | None] = []

    def now_ms(self) -> int:
        return self.now

    def attach(self, loop: VirtualLoop) -> None:
        self.loop = loop

    def idle(self, until_ms: int | None) -> bool:
        self.asked.append(until_ms)
        assert until_ms is not None, "nothing left to wait for"
        self.now = max(self.now, until_ms)
        return True


def run(keeper: Jumper, main: object) -> object:
    with asyncio.Runner(loop_factory=lambda: VirtualLoop(keeper)) as runner:
        return runner.run(main)  # type: ignore[arg-type]


def test_a_day_of_sleep_takes_no_time_and_ends_on_the_millisecond() -> None:
    keeper = Jumper()

    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = VirtualClock(loop, keeper)
        await clock.sleep_until(keeper.now_ms() + 86_400_000)
        return clock.now_ms()

    assert run(keeper, main()) == 1_000_000 + 86_400_000


def test_who_sleeps_the_same_time_again_and_again_keeps_his_minute_for_years() -> None:
    keeper = Jumper()

    async def main() -> set[int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock, seconds = VirtualClock(loop, keeper), set()
        keeper.now += 5 * 365 * 86_400_000  # so late that a float of seconds has few digits left behind
        for n in range(2_000):
            await clock.sleep(300.0 - n % 7 * 0.003)
            await clock.sleep(n % 7 * 0.003)
            seconds.add(clock.now_ms() % 300_000)
        return seconds

    assert len(run(keeper, main())) == 1  # type: ignore[arg-type]


def test_timers_fire_in_the_order_of_their_times() -> None:
    order: list[str] = []

    async def after(seconds: float, name: str) -> None:
        await asyncio.sleep(seconds)
        order.append(name)

    async def main() -> None:
        await asyncio.gather(after(30, "late"), after(5, "early"), after(10, "middle"))

    run(Jumper(), main())
    assert order == ["early", "middle", "late"]


def test_time_stands_still_while_a_thread_works() -> None:
    keeper = Jumper()
    release = threading.Event()

    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        timer_fired = asyncio.Event()
        loop.call_later(1, timer_fired.set)
        before = keeper.now
        loop.call_soon(release.set)
        await loop.run_in_executor(None, release.wait)
        during = keeper.now
        assert not timer_fired.is_set()
        await timer_fired.wait()
        return before, during

    before, during = run(keeper, main())  # type: ignore[misc]
    assert before == during


def test_a_timeout_is_venue_time() -> None:
    keeper = Jumper()

    async def main() -> None:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(asyncio.Event().wait(), 3600)

    run(keeper, main())
    assert keeper.now == 1_000_000 + 3_600_000


@pytest.mark.fault("SC4")
def test_the_system_clock_never_goes_back_and_follows_a_resume() -> None:
    wall, mono = [100.0], [5.0]
    clock = SystemClock(wall=lambda: wall[0], monotonic=lambda: mono[0])
    assert clock.now_ms() == 100_000
    wall[0], mono[0] = 40.0, 6.0  # an operator sets the clock back
    assert clock.now_ms() == 101_000
    wall[0], mono[0] = 500.0, 7.0  # the host slept: the monotonic clock did not count it
    assert clock.now_ms() == 500_000


class Host:
    """A machine whose wall clock and monotonic clock a test moves."""

    def __init__(self) -> None:
        self.wall_s, self.monotonic_s = 1_767_571_200.0, 500.0
        self.clock = SystemClock(lambda: self.wall_s, lambda: self.monotonic_s)

    def passes(self, seconds: float, suspended: float = 0) -> None:
        self.wall_s += seconds + suspended
        self.monotonic_s += seconds


@pytest.mark.fault("AU6")
def test_a_suspend_is_followed_and_visible() -> None:
    host = Host()
    host.passes(10)
    assert host.clock.skipped_ms() == 0
    before_ms = host.clock.now_ms()
    host.passes(1, suspended=3 * 3600)
    assert host.clock.skipped_ms() == 3 * 3_600_000
    assert host.clock.now_ms() - before_ms == 3 * 3_600_000 + 1_000
    host.passes(5, suspended=120)
    assert host.clock.skipped_ms() == 3 * 3_600_000 + 120_000  # they add up


@pytest.mark.fault("AU2")
def test_a_clock_set_back_changes_nothing_and_ages_stay_true() -> None:
    host = Host()
    before_ms = host.clock.now_ms()
    host.wall_s -= 7_200
    host.passes(3)
    assert host.clock.now_ms() - before_ms == 3_000
    assert host.clock.skipped_ms() == 0


def test_virtual_time_never_jumps() -> None:
    assert skips_of(Host().clock)() == 0
    keeper = Jumper()
    loop = VirtualLoop(keeper)
    try:
        assert skips_of(VirtualClock(loop, keeper))() == 0
    finally:
        loop.close()
