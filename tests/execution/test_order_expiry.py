"""An order has a time: too old, it is neither sent nor taken, and until then it may still arrive."""

import pytest

from core.facts import Kind
from core.ports import ORDER_LIFE_MS
from core.types import OrderRequest
from execution.orders import Ending
from tests.execution.bench import Bench
from tests.execution.test_order_manager import SPOT, execute
from tests.fakes import FakeClock, FakeTrading, Fault


@pytest.mark.parametrize("why", ["stopped", ""])
async def test_when_the_disk_took_its_time_the_gate_is_asked_once_more(why: str) -> None:
    bench = Bench()
    durable = bench.journal.durable

    async def slow() -> None:
        await bench.clock.sleep(3)
        bench.refuses = why
        await durable()

    bench.journal.durable = slow  # type: ignore[method-assign]
    result = await execute(bench)
    assert (result.status is Ending.DENIED) is bool(why)
    assert len(bench.venue.sent) == (0 if why else 1)
    assert bench.books.unresolved_orders() == ()


async def test_an_order_expires_two_seconds_after_it_was_sent_also_when_it_is_sent_again() -> None:
    expiries: list[int] = []

    class Noting(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            assert expires_ms is not None
            expiries.append(expires_ms - self.clock.now_ms())
            return await super().place(order)

    bench = Bench()
    bench.venue = Noting(bench.clock, bench.pair)
    bench.hire()
    bench.venue.on(SPOT, Fault(throttle_s=1.5))
    await execute(bench)
    assert expiries == [ORDER_LIFE_MS] * 2


async def test_nobody_calls_an_order_absent_that_may_still_arrive() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(lost=True))
    began_ms = bench.clock.now_ms()
    assert (await execute(bench)).status is Ending.ABSENT
    assert bench.clock.now_ms() - began_ms > ORDER_LIFE_MS


async def test_a_throttled_order_found_after_a_restart_may_arrive_as_late_as_its_last_try() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(throttle_s=3), Fault(lost=True))
    bench.venue.outages.extend([True] * 100)
    result = await execute(bench)
    assert result.status is Ending.UNKNOWN
    bench.venue.outages.clear()
    bench.hire()
    sent_ms = bench.journal.written[0].at_ms
    _, _, last_ms = await bench.orders._journal.recall(result.cl_id)
    assert last_ms - sent_ms >= 3_000


@pytest.mark.fault("AU2")
async def test_a_clock_set_back_before_a_restart_does_not_keep_an_order_in_the_future() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(lost=True))
    bench.venue.outages.extend([True] * 100)
    result = await execute(bench)
    bench.venue.outages.clear()
    bench.clock = FakeClock(bench.clock.now_ms() - 120_000)
    bench.hire()
    began_ms = bench.clock.now_ms()
    await bench.orders.resolve(result.cl_id)
    assert bench.journal.of(Kind.ORDER)[-1].body["status"] == "absent"
    assert bench.clock.now_ms() - began_ms < 5_000
