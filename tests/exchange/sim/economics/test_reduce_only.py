"""Orders that only reduce: this one and those before it, by price and time, never exceed the position."""

import pytest

from exchange.sim.events import OrderChanged
from exchange.sim.model import Reject
from exchange.sim.seam import OrderChange
from tests.exchange.sim.worlds import SWAP, D, Desk


def short(contracts: str = "10") -> Desk:
    desk = Desk()
    desk.order(SWAP, "sell", contracts)
    return desk


def test_a_new_order_gets_what_better_priced_ones_leave() -> None:
    desk = short()
    desk.order(SWAP, "buy", "7", "59500", kind="limit", reduce_only=True)
    later = desk.order(SWAP, "buy", "7", "59500", kind="limit", reduce_only=True)
    assert (later.size, later.amend_source, later.state) == (3, "3", "live")
    with pytest.raises(Reject, match="51148"):
        desk.order(SWAP, "buy", "1", "59000", kind="limit", reduce_only=True)


def test_a_better_priced_one_cuts_those_behind_it_and_cancels_the_last() -> None:
    desk = short()
    near = desk.order(SWAP, "buy", "6", "59500", kind="limit", reduce_only=True)
    far = desk.order(SWAP, "buy", "4", "59000", kind="limit", reduce_only=True)
    best = desk.order(SWAP, "buy", "5", "59900", kind="limit", reduce_only=True)
    assert (best.size, near.size, near.amend_source) == (5, 5, "4")
    assert (far.state, far.cancel_source) == ("canceled", "22")


def test_a_smaller_position_cuts_from_behind() -> None:
    desk = short()
    near = desk.order(SWAP, "buy", "6", "59500", kind="limit", reduce_only=True)
    far = desk.order(SWAP, "buy", "4", "59000", kind="limit", reduce_only=True)
    desk.order(SWAP, "buy", "5")
    assert (near.state, near.size) == ("live", 5)
    assert (far.state, far.cancel_source) == ("canceled", "2")
    desk.order(SWAP, "buy", "6")  # through zero into a long position
    assert (near.state, near.cancel_source) == ("canceled", "2")


def test_an_order_at_the_market_is_not_in_the_way_of_resting_ones_nor_they_in_its() -> None:
    desk = short()
    waiting = desk.order(SWAP, "buy", "10", "59000", kind="limit", reduce_only=True)
    assert desk.order(SWAP, "buy", "10", reduce_only=True).filled == 10
    assert (waiting.state, waiting.cancel_source) == ("canceled", "2")


def test_reducing_the_wrong_way_or_nothing_is_refused() -> None:
    with pytest.raises(Reject, match="51169"):
        Desk().order(SWAP, "buy", "1", "59000", kind="limit", reduce_only=True)
    with pytest.raises(Reject, match="51169"):
        short().order(SWAP, "sell", "1", "61000", kind="limit", reduce_only=True)


def test_an_amended_size_is_cut_to_the_position_too() -> None:
    desk = short()
    order = desk.order(SWAP, "buy", "4", "59500", kind="limit", reduce_only=True)
    desk.venue.amend(desk.me, order, OrderChange(D(25)))
    assert (order.size, order.amend_source) == (10, "2")


def test_an_order_amended_to_a_better_price_cuts_those_it_passes() -> None:
    desk = short()
    passed = desk.order(SWAP, "buy", "6", "59500", kind="limit", reduce_only=True)
    passing = desk.order(SWAP, "buy", "4", "59000", kind="limit", reduce_only=True)
    desk.venue.amend(desk.me, passing, OrderChange(D(7), D("59600")))
    assert (passing.size, passed.size) == (7, 3)


def test_closing_orders_of_long_short_mode_follow_the_same_rule() -> None:
    desk = Desk()
    desk.venue.set_position_mode(desk.me, "long_short_mode")
    desk.order(SWAP, "sell", "10", pos_side="short")
    first = desk.order(SWAP, "buy", "8", "59500", kind="limit", pos_side="short")
    second = desk.order(SWAP, "buy", "8", "59000", kind="limit", pos_side="short")
    assert (first.size, second.size) == (8, 2)
    opening = desk.order(SWAP, "buy", "8", "59000", kind="limit", pos_side="long")
    assert opening.size == 8


def test_every_cut_is_told() -> None:
    desk = short()
    near = desk.order(SWAP, "buy", "6", "59500", kind="limit", reduce_only=True)
    desk.venue.outbox.clear()
    desk.order(SWAP, "buy", "5", "59900", kind="limit", reduce_only=True)
    told = [event.order for event in desk.venue.outbox if isinstance(event, OrderChanged)]
    assert [(one.size, one.amend_source) for one in told if one.ord_id == near.ord_id] == [(5, "4")]
