"""One order from intent to outcome, over everything that can happen to request, answer and pushes."""

import asyncio
from dataclasses import replace

import pytest

from core.errors import AuthFailed, VenueDown
from core.events import Purpose
from core.facts import Kind
from core.types import ZERO, Fill, OrderKind, OrderRecord, OrderRequest, OrderStatus, Side
from execution.order_manager import RESEND_MS
from execution.orders import Ending, OrderResult, Rest
from tests.execution.bench import Bench
from tests.fakes import D, FakeClock, FakeTrading, Fault, btc

SPOT = "BTC-USDT"


async def execute(
    bench: Bench,
    request: OrderRequest | None = None,
    purpose: Purpose = Purpose.OPEN,
    rest: Rest | None = None,
) -> OrderResult:
    request = request or bench.order()
    return await bench.orders.execute(request, "h1", purpose, bench.pair, rest)


def kinds(bench: Bench) -> list[str]:
    return [row.kind.value for row in bench.journal.written]


def booked(bench: Bench) -> list[str]:
    return [row.body["fill"]["trade_id"] for row in bench.journal.of(Kind.FILL)]


async def test_an_order_leaves_intent_answer_fills_and_end_in_the_journal_in_this_order() -> None:
    bench = Bench()
    result = await execute(bench)
    assert result.status is Ending.DONE and result.filled == 1
    assert kinds(bench) == ["intent", "ack", "fill", "order"]
    fill = bench.journal.of(Kind.FILL)[0].body
    assert (fill["hedge_id"], fill["instrument"], fill["leg"], fill["ct_val"]) == ("h1", SPOT, "spot", "1")
    assert D(fill["ref_mid"]) == 60_000
    assert D(fill["fill"]["fee"]) == D("-0.001") and fill["fill"]["fee_ccy"] == "BTC"
    order = bench.journal.of(Kind.ORDER)[0].body
    assert (order["status"], D(order["filled"]), D(order["fee"])) == ("filled", D(1), D("-0.001"))


async def test_the_intent_is_on_disk_before_the_request_leaves() -> None:
    durable_when_sent: list[int] = []

    class Watching(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            durable_when_sent.append(bench.journal.durable_seq)
            return await super().place(order)

    bench = Bench()
    bench.venue = Watching(bench.clock, bench.pair)
    bench.hire()
    await execute(bench)
    assert durable_when_sent == [1]


async def test_an_order_the_gate_refuses_is_never_sent_and_leaves_a_note() -> None:
    bench = Bench()
    bench.refuses = "leverage above 3"
    result = await execute(bench)
    assert result.status is Ending.DENIED and result.message == "leverage above 3"
    assert bench.venue.sent == [] and kinds(bench) == ["note"]
    assert bench.journal.written[0].body["reason"] == "leverage above 3"


@pytest.mark.fault("DB1")
async def test_without_a_journal_an_opening_order_is_denied_but_a_hedging_one_goes_out() -> None:
    bench = Bench()
    bench.journal.fails = True
    assert (await execute(bench)).status is Ending.DENIED
    assert bench.venue.sent == [] and bench.books.unresolved_orders() == ()
    assert (await execute(bench, purpose=Purpose.REPAIR)).status is Ending.DONE


async def test_a_refused_order_is_a_zero_fill_with_the_code_of_the_venue() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(reject="51008"))
    result = await execute(bench)
    assert (result.status, result.code) == (Ending.REFUSED, "51008") and result.filled == 0
    assert kinds(bench) == ["intent", "ack"] and bench.journal.written[1].body["outcome"] == "rejected"
    assert bench.books.unresolved_orders() == ()


async def test_a_throttled_order_is_sent_again_under_the_same_id() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(throttle_s=0.5), Fault(throttle_s=0.5))
    result = await execute(bench)
    assert result.filled == 1 and len(bench.venue.sent) == 1
    assert bench.clock.now_ms() - bench.journal.written[0].at_ms >= 1_000


async def test_a_stop_between_two_tries_of_a_throttled_order_keeps_it_home() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(throttle_s=0.5))
    bench.clock.later(100, lambda: setattr(bench, "refuses", "stopped"))
    result = await execute(bench)
    assert result.status is Ending.DENIED and bench.venue.sent == []
    assert bench.books.unresolved_orders() == ()


async def test_an_order_that_stays_throttled_is_refused_before_its_price_has_aged() -> None:
    bench = Bench()
    began_ms = bench.clock.now_ms()
    bench.venue.on(SPOT, *[Fault(throttle_s=0.5)] * 100)
    result = await execute(bench)
    assert bench.clock.now_ms() - began_ms <= RESEND_MS + 500
    assert result.status is Ending.REFUSED and result.code == "50011" and bench.venue.sent == []


@pytest.mark.fault("RE1")
async def test_an_order_whose_answer_was_lost_is_found_by_asking() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(ack_lost=True, push="none", invisible_ms=1_500))
    result = await execute(bench)
    assert result.status is Ending.DONE and result.filled == 1
    assert len(bench.venue.sent) == 1 and len(booked(bench)) == 1


@pytest.mark.fault("RE1")
async def test_an_order_whose_pushes_tell_everything_does_not_wait_for_its_lost_answer() -> None:
    answer: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    class Silent(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            await super().place(order)
            record = await self.order(order.inst_id, order.cl_id)
            assert record is not None
            for fill in await self.order_fills(order.inst_id, record.ord_id):
                bench.orders.on_order(record, fill)
            return await answer

    bench = Bench()
    bench.venue = Silent(bench.clock, bench.pair)
    bench.hire()
    began_ms = bench.clock.now_ms()
    result = await execute(bench)
    assert result.status is Ending.DONE and result.filled == 1
    assert bench.clock.now_ms() - began_ms < 500
    assert kinds(bench) == ["intent", "fill", "order"]
    answer.set_exception(VenueDown("no answer in time"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert kinds(bench) == ["intent", "fill", "order", "ack"]
    assert len(bench.venue.sent) == 1 and bench.orders.pending() == ()


async def test_an_order_that_never_arrived_is_absent_after_three_answers_over_two_seconds() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(lost=True))
    began_ms = bench.clock.now_ms()
    result = await execute(bench)
    assert result.status is Ending.ABSENT and result.filled == 0
    assert len(bench.venue.sent) == 1 and bench.venue.queries >= 3
    assert 2_000 <= bench.clock.now_ms() - began_ms < 5_000
    assert bench.journal.of(Kind.ORDER)[0].body["status"] == "absent"


async def test_a_query_without_answer_proves_nothing() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(lost=True))
    bench.venue.outages.extend([True] * 100)
    result = await execute(bench)
    assert result.status is Ending.UNKNOWN and bench.journal.of(Kind.ORDER) == []
    assert bench.orders.pending(SPOT) == (result.cl_id,)
    assert bench.books.unresolved_orders() == (result.cl_id,)
    bench.venue.outages.clear()
    assert await bench.orders.settle() == ()
    assert bench.journal.of(Kind.ORDER)[0].body["status"] == "absent" and len(bench.venue.sent) == 1


@pytest.mark.fault("RE9")
async def test_failed_queries_do_not_count_as_answers_of_absence() -> None:
    class Mute(FakeTrading):
        async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
            raise VenueDown("no answer")

    bench = Bench()
    bench.venue = Mute(bench.clock, bench.pair)
    bench.hire()
    bench.venue.on(SPOT, Fault(lost=True))
    assert (await execute(bench)).status is Ending.UNKNOWN and bench.journal.of(Kind.ORDER) == []


@pytest.mark.fault("RE8")
async def test_an_order_that_was_accepted_is_not_called_absent_for_being_slow_to_show() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(push="none", invisible_ms=6_000))
    result = await execute(bench)
    assert result.status is Ending.DONE and result.filled == 1


@pytest.mark.fault("RE8", "RE9")
async def test_executions_that_show_before_their_order_prevent_a_verdict_of_absent() -> None:
    class FillsFirst(FakeTrading):
        async def order(self, inst_id: str, cl_id: str) -> OrderRecord | None:
            return None

    bench = Bench()
    bench.venue = FillsFirst(bench.clock, bench.pair)
    bench.hire()
    bench.venue.on(SPOT, Fault(ack_lost=True, push="none"))
    result = await execute(bench)
    assert result.status is Ending.UNKNOWN and result.filled == 1 and len(booked(bench)) == 1


@pytest.mark.parametrize("push", ["before", "after", "twice", "none"])
@pytest.mark.fault("WS7", "WS8")
async def test_a_fill_is_booked_once_whichever_way_and_however_often_it_arrives(push: str) -> None:
    bench = Bench()
    bench.venue.level_base = D("0.3")  # four trades
    bench.venue.on(SPOT, Fault(push=push))
    result = await execute(bench)
    await bench.clock.sleep(1)
    assert result.filled == 1 and len(booked(bench)) == len(set(booked(bench))) == 4
    bench.venue._push(bench.venue.orders[result.cl_id])  # and once more, long after
    assert len(booked(bench)) == 4 and bench.foreign == []


@pytest.mark.fault("WS8")
async def test_a_fill_the_books_know_already_is_not_written_again() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(ack_lost=True, push="none"))
    bench.venue.outages.extend([True] * 100)
    result = await execute(bench)
    bench.venue.outages.clear()
    await bench.orders.settle()
    bench.hire()  # a restart: the order is asked for again
    await bench.orders.resolve(result.cl_id)
    assert len(booked(bench)) == 1


async def test_an_ioc_order_that_fills_in_part_ends_with_what_filled() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(fill=D("0.37")))
    result = await execute(bench)
    assert (result.status, result.filled) == (Ending.DONE, D("0.37"))
    assert bench.journal.of(Kind.ORDER)[0].body["status"] == "canceled"


async def test_the_average_price_is_weighted_by_size() -> None:
    bench = Bench()
    bench.venue.level_base = D("0.75")
    result = await execute(bench)
    first, second = result.fills
    assert result.avg_px == first.px * D("0.75") + second.px * D("0.25")


async def test_an_older_picture_that_comes_late_does_not_undo_a_newer_one() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(push="none"))
    bench.venue.outages.extend([True] * 100)
    request = bench.order()

    def push_out_of_order() -> None:
        order = bench.venue.orders[request.cl_id]
        bench.orders.on_order(order.record, order.fills[0])
        bench.orders.on_order(replace(order.record, filled=ZERO), None)
        bench.orders.on_order(replace(order.record, status=OrderStatus.LIVE), None)

    bench.clock.later(50, push_out_of_order)
    result = await execute(bench, request)
    assert result.status is Ending.DONE and result.filled == 1


async def test_the_extra_message_without_a_trade_id_is_not_a_fill() -> None:
    bench = Bench()
    result = await execute(bench)
    order = bench.venue.orders[result.cl_id]
    bench.orders.on_order(order.record, replace(order.fills[0], trade_id="", size=ZERO))
    assert len(booked(bench)) == 1


async def test_pushes_about_orders_that_are_not_ours_are_reported_and_not_booked() -> None:
    bench = Bench()
    record = OrderRecord("", "5", "BTC-USDT-SWAP", Side.BUY, OrderStatus.FILLED, D(10), D(10), D(60_000),
                         ZERO, "USDT", 0, category="adl")  # fmt: skip
    fill = Fill("BTC-USDT-SWAP", "-7", "5", "", Side.BUY, D(60_000), D(10), ZERO, "USDT", 0)
    bench.orders.on_order(record, fill)
    assert bench.foreign == [(record, fill)] and bench.journal.written == []


@pytest.mark.fault("RE9")
async def test_an_order_called_absent_that_shows_up_late_is_booked_and_in_flight_again() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(ack_lost=True, push_ms=8_000, invisible_ms=8_000))
    result = await execute(bench)
    assert result.status is Ending.ABSENT
    await bench.clock.sleep(10)
    assert len(booked(bench)) == 1 and bench.orders.pending() == (result.cl_id,)
    assert bench.late == 1, "whoever believed it absent is told"
    assert await bench.orders.settle() == ()
    assert [row.body["status"] for row in bench.journal.of(Kind.ORDER)] == ["absent", "filled"]


async def test_after_a_restart_an_intent_without_outcome_is_resolved_and_never_sent_again() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(ack_lost=True, push="none"))
    bench.venue.outages.extend([True] * 100)
    result = await execute(bench)
    bench.venue.outages.clear()
    bench.hire()
    assert bench.books.unresolved_orders() == (result.cl_id,)
    await bench.orders.resolve(result.cl_id)
    assert bench.books.unresolved_orders() == () and len(bench.venue.sent) == 1 and len(booked(bench)) == 1


@pytest.mark.fault("OL11")
async def test_a_client_id_cannot_be_used_twice() -> None:
    bench = Bench()
    request = bench.order()
    await execute(bench, request)
    with pytest.raises(ValueError, match="sent before"):
        await execute(bench, request)
    assert len(bench.venue.sent) == 1


async def test_a_key_the_venue_does_not_accept_ends_the_order_without_a_second_try() -> None:
    class Locked(FakeTrading):
        async def place(self, order: OrderRequest, expires_ms: int | None = None) -> str:
            self.sent.append(order)
            raise AuthFailed("invalid key", "50111")

    bench = Bench()
    bench.venue = Locked(bench.clock, bench.pair)
    bench.hire()
    with pytest.raises(AuthFailed):
        await execute(bench)
    assert len(bench.venue.sent) == 1 and bench.orders.pending() == ()


def resting(bench: Bench, size: str = "1") -> OrderRequest:
    best_bid = bench.venue.book_of(SPOT).bids[0][0]
    return replace(bench.order(size, kind=OrderKind.POST_ONLY), limit_px=best_bid)


async def test_a_post_only_order_nobody_takes_is_cancelled_after_its_wait() -> None:
    bench = Bench()
    began_ms = bench.clock.now_ms()
    result = await execute(bench, resting(bench), rest=Rest(D(20), D("2.5"), lambda: False))
    assert result.status is Ending.DONE and result.filled == 0
    assert 20_000 <= bench.clock.now_ms() - began_ms < 21_000
    assert bench.venue.orders[result.cl_id].record.status is OrderStatus.CANCELED


async def test_a_first_fill_shortens_the_wait_because_a_leg_is_naked_from_then_on() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(rest_fill=(3_000, D("0.4"))))
    began_ms = bench.clock.now_ms()
    result = await execute(bench, resting(bench), rest=Rest(D(20), D("2.5"), lambda: False))
    assert result.filled == D("0.4") and result.fills[0].maker
    assert 5_500 <= bench.clock.now_ms() - began_ms < 7_000


@pytest.mark.fault("OL8")
async def test_a_fill_that_races_the_cancel_is_counted() -> None:
    bench = Bench()
    bench.venue.on(SPOT, Fault(rest_fill=(19_990, D(1))))
    result = await execute(bench, resting(bench), rest=Rest(D(20), D("2.5"), lambda: False))
    assert result.status is Ending.DONE and result.filled == 1


async def test_a_post_only_order_that_would_take_is_cancelled_at_once() -> None:
    bench = Bench()
    began_ms = bench.clock.now_ms()
    crossing = bench.order(kind=OrderKind.POST_ONLY)
    result = await execute(bench, crossing, rest=Rest(D(20), D("2.5"), lambda: False))
    assert result.status is Ending.DONE and result.filled == 0
    assert bench.clock.now_ms() - began_ms < 1_000


async def test_a_stop_ends_the_wait_of_a_resting_order() -> None:
    bench = Bench()
    began_ms = bench.clock.now_ms()
    give_up = [False]
    bench.clock.later(5_000, lambda: give_up.__setitem__(0, True))
    await execute(bench, resting(bench), rest=Rest(D(60), D("2.5"), lambda: give_up[0]))
    assert bench.clock.now_ms() - began_ms < 9_000


@pytest.mark.fault("OL11")
async def test_of_two_tasks_with_the_same_order_one_sends_it() -> None:
    bench = Bench()
    request = bench.order()
    first, second = await asyncio.gather(
        execute(bench, request), execute(bench, request), return_exceptions=True
    )
    assert isinstance(first, OrderResult) and first.filled == 1
    assert isinstance(second, ValueError)
    assert len(bench.venue.sent) == len(bench.journal.of(Kind.INTENT)) == 1


async def test_two_callers_asking_for_the_same_order_write_its_end_once() -> None:
    class Slow(FakeTrading):
        async def fills(self, since_ms: int) -> tuple[Fill, ...]:
            await self.clock.sleep(0.5)
            return await super().fills(since_ms)

    bench = Bench()
    bench.venue = Slow(bench.clock, bench.pair)
    bench.hire()
    bench.venue.on(SPOT, Fault(lost=True))
    bench.venue.outages.extend([True] * 100)
    result = await execute(bench)
    bench.venue.outages.clear()
    await asyncio.gather(bench.orders.settle(), bench.orders.resolve(result.cl_id))
    assert len(bench.journal.of(Kind.ORDER)) == 1


def test_the_fakes_fit_the_ports() -> None:
    from core.ports import Clock, Trading

    clock: Clock = FakeClock()
    venue: Trading = FakeTrading(FakeClock(), btc())
    assert clock.now_ms() and venue
