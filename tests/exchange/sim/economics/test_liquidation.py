import pytest

from exchange.sim.edits import Edits
from exchange.sim.model import AccountChanged
from tests.exchange.sim.worlds import SPOT, SWAP, D, Desk


def squeezed(contracts: str, usdt: str) -> Desk:
    desk = Desk(usdt=usdt)
    Edits(desk.venue).set_position(desk.me, SWAP, -D(contracts))
    return desk


def test_a_small_short_is_taken_over_whole_and_nothing_is_left() -> None:
    desk = squeezed("100", "3000")
    desk.move(62_800)
    assert desk.contracts() == 0
    order = next(iter(desk.me.orders.values()))
    assert (order.category, order.cl_id, order.state) == ("full_liquidation", "", "filled")
    bill = desk.me.bills[-1]
    assert (bill.kind, bill.sub_type) == ("5", "105")
    assert desk.me.executions[-1].trade_id < 0
    assert desk.me.closed_positions[-1]["type"] == "3"
    assert 0 <= desk.cash() < 1


def test_above_the_threshold_nobody_is_touched() -> None:
    desk = squeezed("100", "3000")
    desk.move(62_700)
    assert desk.contracts() == -100 and not desk.me.orders


def test_a_price_that_jumped_too_far_costs_the_house_not_the_client() -> None:
    desk = squeezed("100", "3000")
    desk.move(70_000)
    assert desk.contracts() == 0 and 0 <= desk.cash() < 1
    assert desk.venue.world.total("USDT") == pytest.approx(desk.venue.world.house.deposits["USDT"])


def test_a_long_is_liquidated_when_the_price_falls() -> None:
    desk = Desk(usdt="3000")
    Edits(desk.venue).set_position(desk.me, SWAP, D(100))
    desk.move(57_000)
    assert desk.contracts() == 0 and desk.me.bills[-1].sub_type == "104" and desk.cash() >= 0


def test_orders_that_hold_margin_go_first_and_may_be_enough() -> None:
    desk = squeezed("10", "26000")
    waiting = desk.order(SPOT, "buy", "0.4", "59000", kind="limit")
    desk.move(83_720)  # equity 23,628, of which the order holds 23,600
    assert (waiting.state, waiting.cancel_source) == ("canceled", "3")
    assert desk.contracts() == -10


def test_a_big_position_is_cut_two_tiers_at_a_time() -> None:
    desk = squeezed("6000", "100000")
    desk.move(61_270)
    cuts = [order for order in desk.me.orders.values() if order.category == "partial_liquidation"]
    assert cuts and cuts[0].filled == 5_000  # tier 3 of BTC begins above 5,000, tier 1 ends at 1,000
    assert desk.me.bills[0].sub_type == "101" and desk.me.closed_positions[0]["type"] == "4"


def test_coins_at_their_discount_save_a_short_in_multi_currency_mode() -> None:
    desk = Desk(level="3", usdt="3000")
    desk.me.trading["BTC"] = D(1)
    Edits(desk.venue).set_position(desk.me, SWAP, D(-100))
    desk.move(90_000)
    assert desk.contracts() == -100


def test_adl_closes_a_share_at_mark_without_a_fee() -> None:
    desk = squeezed("100", "50000")
    desk.move(50_000)
    waiting = desk.order(SWAP, "buy", "10", "49000", kind="limit")
    desk.venue.outbox.clear()
    Edits(desk.venue).force_adl(desk.me, SWAP, D("0.5"))
    assert desk.contracts() == -50 and desk.cash() == 55_000
    assert (waiting.state, waiting.cancel_source) == ("canceled", "6")
    order = list(desk.me.orders.values())[-1]
    assert (order.category, order.fee, order.avg_px) == ("adl", 0, 50_000)
    assert (desk.me.bills[-1].kind, desk.me.bills[-1].sub_type) == ("9", "126")
    reasons = [event.reason for event in desk.venue.outbox if isinstance(event, AccountChanged)]
    assert reasons == ["adl"] and desk.me.closed_positions[-1]["type"] == "5"


def test_adl_of_everything_leaves_the_coins_naked() -> None:
    desk = squeezed("100", "50000")
    Edits(desk.venue).force_adl(desk.me, SWAP, D(1))
    assert desk.contracts() == 0 and desk.me.closed_positions[-1]["type"] == "6"
    with pytest.raises(ValueError, match="needs a position"):
        Edits(desk.venue).force_adl(desk.me, SWAP, D(1))
