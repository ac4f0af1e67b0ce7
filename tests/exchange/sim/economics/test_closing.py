"""Resting orders that close a position hold margin once there is nothing left for them to close."""

import pytest

from exchange.sim.edits import Edits
from exchange.sim.events import OrderChanged
from exchange.sim.model import Order, PositionKey
from exchange.sim.seam import OrderChange
from tests.exchange.sim.worlds import HELD, SWAP, D, Desk

RATE = 1 / D(3) + D("0.0005")  # margin at 3x, and the taker's fee


def margin(contracts: int, price: int) -> object:
    return pytest.approx(D(contracts) * D("0.01") * D(price) * RATE)


def long_with_a_target(usdt: str = "100000", contracts: str = "10") -> tuple[Desk, Order]:
    """A long position, and a resting order that would sell all of it."""
    desk = Desk(usdt=usdt)
    desk.order(SWAP, "buy", contracts)
    target = desk.order(SWAP, "sell", contracts, "61000", kind="limit")
    assert (target.frozen, desk.me.sums.margin) == (0, 0)
    return desk, target


def test_it_holds_margin_for_what_it_may_open_once_the_position_is_closed_another_way() -> None:
    desk, target = long_with_a_target()
    desk.order(SWAP, "sell", "4", "59900")
    assert target.frozen == margin(4, 61_000)
    desk.order(SWAP, "sell", "6", "59900")
    assert target.frozen == margin(10, 61_000) and desk.me.sums.margin == target.frozen
    assert target.is_open


def test_it_gives_the_margin_back_when_there_is_a_position_to_close_again() -> None:
    desk, target = long_with_a_target()
    desk.order(SWAP, "sell", "10", "59900")
    desk.order(SWAP, "buy", "7")
    assert target.frozen == margin(3, 61_000)
    desk.order(SWAP, "buy", "3")
    assert target.frozen == 0 and desk.me.sums.margin == 0


def test_without_money_for_that_it_goes_with_its_position() -> None:
    desk, target = long_with_a_target()
    small = desk.order(SWAP, "sell", "1", "61000", kind="limit")  # opens, and holds margin for that already
    Edits(desk.venue).set_cash(desk.me, "USDT", D(1_000))
    desk.venue.outbox.clear()
    desk.order(SWAP, "sell", "10", "59900", reduce_only=True)
    assert (target.state, target.cancel_source) == ("canceled", "17")
    told = [event.order for event in desk.venue.outbox if isinstance(event, OrderChanged)]
    assert (told[-1].ord_id, told[-1].cancel_source) == (target.ord_id, "17")
    assert small.is_open and desk.me.sums.margin == small.frozen


def test_the_newest_goes_first_and_only_as_many_as_cannot_be_paid() -> None:
    desk = Desk()
    desk.order(SWAP, "buy", "10")
    targets = [desk.order(SWAP, "sell", "2", f"6100{n}", kind="limit") for n in range(5)]
    Edits(desk.venue).set_cash(desk.me, "USDT", D(1_000))  # for two of them, at 407 each
    desk.order(SWAP, "sell", "10", "59900", reduce_only=True)
    assert [order.is_open for order in targets] == [True, True, False, False, False]
    assert desk.me.sums.margin == sum(order.frozen for order in targets)


def test_those_that_came_first_close_first() -> None:
    desk = Desk()
    desk.order(SWAP, "buy", "10")
    first, second, third = (desk.order(SWAP, "sell", "6", f"6{n}000", kind="limit") for n in (3, 1, 2))
    assert first.frozen == 0 and second.frozen == margin(2, 61_000) and third.frozen == margin(6, 62_000)
    desk.venue.cancel(desk.me, first)
    assert second.frozen == 0 and third.frozen == margin(2, 62_000)
    desk.order(SWAP, "sell", "8", "59900")
    assert second.frozen == margin(4, 61_000) and third.frozen == margin(6, 62_000)


def test_an_order_that_fills_out_of_turn_leaves_the_opening_to_those_before_it() -> None:
    desk = Desk()
    desk.order(SWAP, "buy", "10")
    far = desk.order(SWAP, "sell", "10", "62000", kind="limit")
    near = desk.order(SWAP, "sell", "5", "60500", kind="limit")
    assert far.frozen == 0 and near.frozen == margin(5, 60_500)
    desk.move(60_700)
    assert near.state == "filled" and desk.contracts() == 5
    assert far.frozen == margin(5, 62_000) and desk.me.sums.margin == far.frozen


@pytest.mark.parametrize(("taken", "opens"), [("6", 5), ("10", 5), ("12", 3), ("15", 0)])
def test_its_own_fills_close_before_they_open(taken: str, opens: int) -> None:
    desk = Desk()
    desk.order(SWAP, "buy", "10")
    taker = desk.open("taker", usdt="10000000")
    (shown,) = desk.venue.markets[SWAP].asks(1)  # stands before a client at its price
    target = desk.order(SWAP, "sell", "15", str(shown.price), kind="limit")
    assert target.frozen == pytest.approx(5 * D("0.01") * shown.price * RATE)
    desk.order(SWAP, "buy", str(shown.size + D(taken)), str(shown.price), account=taker)
    assert target.filled == D(taken) and desk.contracts() == 10 - D(taken)
    assert target.frozen == pytest.approx(opens * D("0.01") * shown.price * RATE)


def test_an_amended_order_stands_behind_the_others_that_close() -> None:
    desk = Desk()
    desk.order(SWAP, "buy", "10")
    first, second = (desk.order(SWAP, "sell", "10", "61000", kind="limit") for _ in range(2))
    assert first.frozen == 0 and second.frozen == margin(10, 61_000)
    desk.venue.amend(desk.me, first, OrderChange(size=D(8)))
    assert second.frozen == 0 and first.frozen == margin(8, 61_000)


def test_a_forced_close_or_an_edit_leaves_no_order_without_margin_either() -> None:
    desk, target = long_with_a_target()
    Edits(desk.venue).set_position(desk.me, SWAP, D(4))
    assert target.frozen == margin(6, 61_000)
    Edits(desk.venue).liquidate(desk.me, SWAP)
    assert desk.contracts() == 0 and target.frozen == margin(10, 61_000)


def test_a_position_in_another_margin_mode_is_not_its_business() -> None:
    desk, target = long_with_a_target()
    desk.order(SWAP, "buy", "5", mode="isolated")
    desk.order(SWAP, "sell", "10", "59900")
    alone = PositionKey(SWAP, "isolated")
    assert desk.contracts(alone) == 5 and desk.contracts(HELD) == 0
    assert target.frozen == margin(10, 61_000)
