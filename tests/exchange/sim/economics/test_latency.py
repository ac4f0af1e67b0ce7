"""Accepted now, matched later."""

import pytest

from exchange.sim.algo_model import Trigger
from exchange.sim.events import OrderChanged
from exchange.sim.model import Reject
from exchange.sim.seam import AlgoParams, OrderChange
from tests.exchange.sim.worlds import SPOT, SWAP, D, Desk


def told(desk: Desk) -> list[tuple[str, str]]:
    found = [event for event in desk.venue.outbox if isinstance(event, OrderChanged)]
    return [(event.order.state, event.amendment.result if event.amendment else "") for event in found]


def test_an_order_is_accepted_at_once_and_fills_when_it_arrives() -> None:
    desk = Desk(match_ms=7)
    order = desk.order(SPOT, "buy", "0.1", "60100")
    assert (order.state, order.filled, order.frozen) == ("live", 0, 6_010)
    assert desk.venue.next_ms() == desk.venue.now_ms + 7
    desk.wait(6)
    assert order.state == "live"
    desk.wait(1)
    assert order.state == "filled" and desk.me.executions[0].ts_ms == desk.venue.now_ms
    assert told(desk) == [("live", ""), ("filled", "")]


def test_the_market_may_move_while_an_order_is_on_its_way() -> None:
    desk = Desk(match_ms=7)
    order = desk.order(SPOT, "buy", "0.1", "60010")
    desk.market.spot["BTC"] = 60_100.0
    desk.wait(7)
    assert (order.state, order.cancel_source) == ("canceled", "14")


def test_a_post_only_order_is_told_of_when_it_is_in_the_book_and_a_crossing_one_when_gone() -> None:
    desk = Desk(match_ms=3)
    desk.order(SPOT, "buy", "0.1", "59900", kind="post_only")
    assert told(desk) == []
    desk.wait(3)
    assert told(desk) == [("live", "")]
    desk.order(SPOT, "buy", "0.1", "60100", kind="post_only")
    desk.wait(3)
    assert told(desk) == [("live", ""), ("canceled", "")]


def test_a_cancellation_takes_its_time_and_is_asked_for_once() -> None:
    desk = Desk(match_ms=5)
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.wait(5)
    desk.venue.cancel(desk.me, order)
    assert order.state == "live"
    with pytest.raises(Reject, match="51410"):
        desk.venue.cancel(desk.me, order)
    desk.wait(5)
    assert (order.state, order.cancel_source) == ("canceled", "1")
    with pytest.raises(Reject, match="51400"):
        desk.venue.cancel(desk.me, order)


def test_an_order_may_fill_before_its_cancellation_arrives() -> None:
    desk = Desk(match_ms=5)
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.wait(5)
    desk.venue.cancel(desk.me, order)
    desk.market.spot["BTC"] = 59_800.0
    desk.wait(4)
    desk.wait(1)
    assert (order.state, order.cancel_source) == ("filled", "")


def test_a_fourth_amendment_of_one_order_under_way_is_refused() -> None:
    desk = Desk(match_ms=5)
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.wait(5)
    for price in ("59901", "59902", "59903"):
        desk.venue.amend(desk.me, order, OrderChange(price=D(price)))
    assert order.price == 59_900
    with pytest.raises(Reject, match="51513"):
        desk.venue.amend(desk.me, order, OrderChange(price=D("59904")))
    desk.wait(5)
    assert order.price == 59_903 and told(desk)[-3:] == [("live", "0")] * 3
    desk.venue.amend(desk.me, order, OrderChange(price=D("59904")))


def test_an_amendment_that_comes_too_late_fails_by_the_stream_alone() -> None:
    desk = Desk(match_ms=5)
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.wait(5)
    desk.venue.cancel(desk.me, order)
    desk.venue.amend(desk.me, order, OrderChange(price=D("59901"), req_id="late"))
    desk.wait(5)
    assert order.state == "canceled" and order.price == 59_900
    with pytest.raises(Reject, match="51503"):
        desk.venue.amend(desk.me, order, OrderChange(price=D("59902")))


def test_a_reduce_only_order_is_cut_to_what_the_position_has_become() -> None:
    desk = Desk(match_ms=5)
    desk.order(SWAP, "sell", "10")
    desk.wait(5)
    first = desk.order(SWAP, "buy", "7", reduce_only=True)
    second = desk.order(SWAP, "buy", "7", reduce_only=True)
    third = desk.order(SWAP, "buy", "7", reduce_only=True)
    desk.wait(5)
    assert (first.filled, second.filled, second.size) == (7, 3, 3)
    assert (third.state, third.cancel_source) == ("canceled", "2") and desk.contracts() == 0


def test_what_arrives_at_a_closed_venue_is_cancelled() -> None:
    desk = Desk(match_ms=5)
    order = desk.order(SPOT, "buy", "0.1", "60100")
    desk.market.end_ms = desk.venue.now_ms + 1
    desk.venue.advance(desk.venue.now_ms + 5)
    assert (order.state, order.cancel_source) == ("canceled", "0")


def test_what_a_stop_places_takes_its_time_too() -> None:
    desk = Desk(match_ms=5)
    params = AlgoParams(
        SWAP, "cross", "sell", "conditional", D(1), stop_loss=Trigger(D("59500"), "last", None)
    )
    algo = desk.venue.place_algo(desk.me, params)
    desk.move(59_400)
    assert algo.state == "effective" and desk.me.orders[algo.ord_id].state == "live"
    desk.wait(5)
    assert desk.me.orders[algo.ord_id].state == "filled"
