"""The free-running clock follows the wall clock times its speed, on a wall clock the test turns."""

import asyncio

import pytest

from exchange.sim.surface.pacing import STEP_S, FreeRunning
from exchange.sim.surface.ws_link import WebSocketLink

START_MS = 1_000_000


class Over(Exception):
    """The test has seen enough."""


class Wall:
    """A clock that moves when somebody sleeps, and by what the venue's work costs."""

    def __init__(self, rounds: int) -> None:
        self.now_s = 50.0
        self.slept: list[float] = []
        self._left = rounds

    def read(self) -> float:
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Raise Over when the rounds are up: a round begins with a real sleep, or with one of none."""
        self.slept.append(seconds)
        if seconds:
            self._left -= 1
            if self._left < 0:
                raise Over
        self.now_s += seconds


class Hall:
    """A venue that stops every `step_ms`, at a cost of `cost_s` of the wall clock a step. A Stage."""

    def __init__(
        self, wall: Wall, step_ms: int = 250, cost_s: float = 0.0, end_ms: int | None = None
    ) -> None:
        self.now_ms = START_MS
        self.cost_s = cost_s
        self.reached: list[int] = []
        self.idle_looks: list[int] = []
        self._wall, self._step_ms, self._end_ms = wall, step_ms, end_ms

    def next_ms(self) -> int | None:
        return self.now_ms // self._step_ms * self._step_ms + self._step_ms

    def advance(self, until_ms: int) -> int:
        next_ms = self.next_ms()
        assert next_ms is not None
        at_ms = min(until_ms, next_ms)
        self.now_ms = at_ms if self._end_ms is None else min(at_ms, self._end_ms)
        self.reached.append(self.now_ms)
        self._wall.now_s += self.cost_s
        return self.now_ms

    def close_idle(self) -> None:
        self.idle_looks.append(self.now_ms)

    def failed(self, error: BaseException) -> None:
        raise AssertionError("a free clock tells nobody") from error

    def unproven(self) -> bool:
        return False

    async def prove(self) -> None:
        raise AssertionError("a free clock proves nothing")

    async def prove_if_read(self) -> None:
        raise AssertionError("a free clock proves nothing")

    def send(self, link: WebSocketLink, frames: list[bytes]) -> None:
        raise AssertionError("a free clock says nothing")


async def run(hall: Hall, wall: Wall, speed: float) -> None:
    with pytest.raises(Over):
        await FreeRunning(hall, speed, wall.read, wall.sleep).run()


@pytest.mark.parametrize(("speed", "moved_ms"), [(1.0, 500), (10.0, 5_000), (3600.0, 1_800_000), (0.5, 250)])
async def test_time_moves_by_the_wall_clock_times_the_speed(speed: float, moved_ms: int) -> None:
    wall = Wall(rounds=5)
    hall = Hall(wall, step_ms=60_000)
    await run(hall, wall, speed)
    assert abs(hall.now_ms - START_MS - moved_ms) <= 1
    assert sum(wall.slept) == pytest.approx(6 * STEP_S)  # the last one ended the test


async def test_parts_of_a_millisecond_are_not_lost() -> None:
    wall = Wall(rounds=100)
    hall = Hall(wall)
    await run(hall, wall, 0.013)  # 1.3 ms a round
    assert abs(hall.now_ms - START_MS - 130) <= 1


async def test_time_stops_at_every_instant_of_the_venue_and_lets_others_run_in_between() -> None:
    wall = Wall(rounds=1)
    hall = Hall(wall, step_ms=250)
    await run(hall, wall, 7.6)
    assert hall.reached == [START_MS + 250, START_MS + 500, START_MS + 750, hall.now_ms]
    assert hall.now_ms - START_MS in (759, 760)
    assert wall.slept == [STEP_S, 0, 0, 0, 0, STEP_S]


async def test_a_venue_that_cannot_keep_up_runs_as_fast_as_it_can_and_owes_nothing_afterwards() -> None:
    wall = Wall(rounds=1)
    hall = Hall(wall, cost_s=0.06)  # 250 ms of venue time per 60 ms: 4 times the wall clock, at the most

    async def sleep(seconds: float) -> None:
        if len(hall.reached) >= 40 and hall.cost_s:  # the load is gone
            hall.cost_s, seen.now_ms, seen.now_s = 0.0, hall.now_ms, wall.now_s
        await wall.sleep(seconds)

    class Seen:
        now_ms, now_s = 0, 0.0

    seen = Seen()
    with pytest.raises(Over):
        await FreeRunning(hall, 100.0, wall.read, sleep).run()
    assert seen.now_ms == START_MS + 40 * 250
    busy = wall.slept[1 : wall.slept.index(STEP_S, 1)]
    assert set(busy) == {0}, "it does not wait while it is behind"
    assert hall.now_ms - seen.now_ms <= (wall.now_s - seen.now_s + 2 * STEP_S) * 1000 * 100


@pytest.mark.parametrize("while_moving", [False, True])
async def test_after_going_back_to_a_snapshot_time_goes_on_from_there(while_moving: bool) -> None:
    wall = Wall(rounds=6)
    hall = Hall(wall, step_ms=250)
    went_back: list[int] = []

    async def sleep(seconds: float) -> None:
        await wall.sleep(seconds)
        in_fifth_round = wall.slept.count(STEP_S) == 5
        if in_fifth_round and (seconds == 0) == while_moving and not went_back:
            went_back.append(hall.now_ms)
            hall.now_ms = START_MS - 10_000

    with pytest.raises(Over):
        await FreeRunning(hall, 10.0, wall.read, sleep).run()
    assert went_back[0] - START_MS in ((4_000, 4_250) if while_moving else (3_999, 4_000))
    rounds = 1 if while_moving else 2  # since then
    assert abs(hall.now_ms - (START_MS - 10_000 + rounds * 1_000)) <= 1


async def test_at_the_end_of_the_market_data_it_neither_spins_nor_stops_looking_for_idle_streams() -> None:
    wall = Wall(rounds=8)
    hall = Hall(wall, step_ms=250, end_ms=START_MS + 300)
    await run(hall, wall, 1.0)
    assert hall.now_ms == START_MS + 300
    assert len(hall.idle_looks) == 8 and hall.idle_looks[-1] == START_MS + 300
    assert len(hall.reached) <= 8 + 1  # one look a round


async def test_it_runs_by_the_clock_of_the_loop_until_it_is_cancelled() -> None:
    wall = Wall(rounds=0)
    hall = Hall(wall, step_ms=1)
    running = asyncio.create_task(FreeRunning(hall, 1.0).run())
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert hall.now_ms == START_MS and not hall.idle_looks
