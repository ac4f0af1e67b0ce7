"""Amendments, and what an order's owner allows the venue to change by itself."""

from decimal import Decimal

import pytest

from exchange.sim.algo_model import Attached, Trigger
from exchange.sim.edits import Edits
from exchange.sim.events import Amendment, OrderChanged
from exchange.sim.model import Reject
from exchange.sim.seam import OrderChange
from tests.exchange.sim.economics.test_matching import eat_bids
from tests.exchange.sim.worlds import HELD, SPOT, SWAP, D, Desk


def last_told(desk: Desk) -> OrderChanged:
    return [event for event in desk.venue.outbox if isinstance(event, OrderChanged)][-1]


# --- amendments ---------------------------------------------------------------------------------


def test_an_amendment_is_told_with_its_request_id() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.venue.amend(desk.me, order, OrderChange(D("0.2"), D("59800"), req_id="r1"))
    told = last_told(desk)
    assert (told.amendment, told.order.size, told.order.price) == (Amendment("r1", "0"), D("0.2"), 59_800)


def test_a_refused_amendment_is_told_too_and_leaves_the_order_as_it_is() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    with pytest.raises(Reject, match="51502"):
        desk.venue.amend(desk.me, order, OrderChange(D(100), req_id="r2"))
    amendment = last_told(desk).amendment
    assert amendment is not None and amendment[:3] == ("r2", "-1", "51502")
    assert (order.size, order.state, order.frozen) == (D("0.1"), "live", 5_990)


def test_a_refused_amendment_cancels_the_order_that_asked_for_it() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1", "59900", kind="post_only")
    with pytest.raises(Reject, match="51511"):
        desk.venue.amend(desk.me, order, OrderChange(price=D("60100"), cancel_on_fail=True, req_id="r3"))
    amendment = last_told(desk).amendment
    assert amendment is not None and amendment[:3] == ("r3", "1", "51511")
    assert (order.state, order.price) == ("canceled", 59_900)


def test_only_a_smaller_size_keeps_the_place_in_the_queue() -> None:
    desk, taker_btc = Desk(), D(1)
    taker = desk.open("taker")
    taker.trading["BTC"] = taker_btc
    first = desk.order(SPOT, "buy", "0.2", "59900", kind="limit")
    second = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    third = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.venue.amend(desk.me, first, OrderChange(D("0.1")))
    desk.venue.amend(desk.me, second, OrderChange(D("0.15")))
    eat_bids(desk, SPOT, D("59900"))
    for filled in (first, third, second):
        desk.order(SPOT, "sell", str(filled.size), "59900", account=taker)
        assert filled.state == "filled"


def test_an_amended_order_needs_funds_only_for_what_it_adds() -> None:
    desk = Desk(usdt="6000")
    order = desk.order(SPOT, "buy", "0.09", "59900", kind="limit")
    desk.venue.amend(desk.me, order, OrderChange(D("0.1")))
    assert order.frozen == 5_990
    swap = Desk(usdt="2100")
    order = swap.order(SWAP, "sell", "10", "60100", kind="limit")
    swap.venue.amend(swap.me, order, OrderChange(price=D("60500")))
    with pytest.raises(Reject, match="51502"):
        swap.venue.amend(swap.me, order, OrderChange(D(11)))


def test_what_hangs_on_an_order_can_be_amended_and_is_checked_again() -> None:
    desk = Desk()
    guard = Attached("", "g", None, Trigger(D("59500"), "last", None), None)
    order = desk.order(SWAP, "buy", "10", "59900", kind="limit", attached=(guard,))
    moved = (Attached(order.attached[0].algo_id, "g", None, Trigger(D("59000"), "last", None), None),)
    desk.venue.amend(desk.me, order, OrderChange(attached=moved))
    assert order.attached == moved
    wrong = (Attached("", "g", None, Trigger(D("60500"), "last", None), None),)
    with pytest.raises(Reject, match="51047"):
        desk.venue.amend(desk.me, order, OrderChange(attached=wrong))
    desk.move(59_800)
    (stop,) = desk.me.open_algos.values()
    assert stop.stop_loss == moved[0].stop_loss


# --- what the venue may change by itself ----------------------------------------------------------


def test_a_price_outside_the_band_is_refused_or_moved_to_its_edge_as_the_order_says() -> None:
    desk = Desk()
    edge = desk.venue.markets[SWAP].buy_limit
    with pytest.raises(Reject, match="51137"):
        desk.order(SWAP, "buy", "1", str(edge + 1))
    order = desk.order(SWAP, "buy", "1", str(edge + 1), move_price=True)
    assert (order.price, order.state) == (edge, "filled")
    low = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.venue.amend(desk.me, low, OrderChange(price=D("70000"), move_price=True))
    assert low.price == desk.venue.markets[SPOT].buy_limit


def test_a_purchase_sized_in_coins_is_cut_to_the_money_unless_that_is_banned() -> None:
    desk = Desk(usdt="3000")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "buy", "0.1", ban_amend=True)
    order = desk.order(SPOT, "buy", "0.1")
    assert D("0.0499") < order.filled < D("0.0501") and desk.cash() >= 0


def test_a_sale_sized_in_money_is_cut_to_the_coins_unless_that_is_banned() -> None:
    desk = Desk()
    desk.me.trading["BTC"] = D("0.01")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "sell", "3000", target_ccy="quote_ccy", ban_amend=True)
    assert desk.order(SPOT, "sell", "3000", target_ccy="quote_ccy").filled == D("0.01")


def test_what_is_sized_in_what_it_gives_must_be_there_whole() -> None:
    desk = Desk(usdt="3000")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "buy", "3001", target_ccy="quote_ccy")
    with pytest.raises(Reject, match="51008"):
        desk.order(SPOT, "sell", "0.1")


@pytest.mark.parametrize(("usdt", "enough"), [("2104", True), ("2103", False)])
def test_a_swap_order_without_a_price_needs_five_percent_more(usdt: str, enough: bool) -> None:
    """10 contracts at 60,000 and 3x: 6,000 x 1.05 x (1/3 + 0.0005) = 2,103.15 and a tick."""
    desk = Desk(usdt=usdt)
    if enough:
        assert desk.order(SWAP, "sell", "10").filled == 10
    else:
        with pytest.raises(Reject, match="51008"):
            desk.order(SWAP, "sell", "10")


def test_slippage_bounds_a_spot_market_order() -> None:
    desk = Desk(usdt="100000000")
    first = desk.venue.markets[SPOT].asks(1)[0]
    order = desk.order(SPOT, "buy", "10", slippage=D("0.0001"))
    worst = max(fill.price for fill in desk.me.executions)
    assert first.price < worst <= first.price * D("1.0001") and order.cancel_source == "14"


# --- matching -----------------------------------------------------------------------------------


def test_nobody_trades_with_an_account_of_the_same_main_account() -> None:
    desk = Desk()
    sub = desk.open("sub")
    sub.master = desk.me.uid
    maker = desk.order(SWAP, "buy", "1", "60000", kind="limit", account=sub)
    eat_bids(desk, SWAP, D("60000"))
    desk.order(SWAP, "sell", "1", "59990")
    assert (maker.state, maker.cancel_source) == ("canceled", "32")
    stranger = desk.order(SWAP, "buy", "1", "59989", kind="limit", account=desk.open("stranger"))
    eat_bids(desk, SWAP, D("59989"))
    desk.order(SWAP, "sell", "1", "59989")
    assert stranger.state == "filled"


def test_a_taker_matches_a_thousand_makers_and_no_more() -> None:
    desk = Desk(usdt="1000000")
    makers = [desk.open(f"maker{n}") for n in range(3)]
    for n in range(1_002):
        desk.order(SPOT, "buy", "0.0001", "59950", kind="limit", account=makers[n // 400])
    desk.me.trading["BTC"] = D(1)
    eat_bids(desk, SPOT, D("59950"))
    fok = desk.order(SPOT, "sell", "0.1001", "59950", kind="fok")
    assert (fok.state, fok.cancel_source, fok.filled) == ("canceled", "13", 0)
    order = desk.order(SPOT, "sell", "0.1002", "59950", kind="limit")
    assert (order.state, order.cancel_source, order.filled) == ("canceled", "33", D("0.1"))


@pytest.mark.parametrize(("mode", "state"), [("cancel_maker", "filled"), ("cancel_taker", "canceled")])
def test_all_or_nothing_looks_past_own_orders_only_if_those_would_go(mode: str, state: str) -> None:
    desk = Desk()
    own = desk.order(SWAP, "buy", "1", "60000", kind="limit")
    eat_bids(desk, SWAP, D("60000"))
    order = desk.order(SWAP, "sell", "1", "59900", kind="fok", stp=mode)
    assert order.state == state
    assert own.state == ("canceled" if mode == "cancel_maker" else "live")


def test_a_market_that_is_post_only_takes_nothing_else() -> None:
    desk = Desk()
    desk.venue.instruments[SWAP].state = "post_only"
    with pytest.raises(Reject, match="54012"):
        desk.order(SWAP, "buy", "1", "60100")
    resting = desk.order(SWAP, "buy", "1", "59900", kind="post_only")
    desk.venue.amend(desk.me, resting, OrderChange(price=D("59800")))
    desk.venue.cancel(desk.me, resting)
    assert resting.state == "canceled"


def test_the_checks_come_in_the_venues_order() -> None:
    """Each order is wrong in one way less than the one before."""
    desk = Desk(usdt="10")
    desk.venue.instruments[SWAP].state = "suspend"
    wrong: dict[str, object] = {"kind": "limit", "stp": "never", "reduce_only": True}
    size, price, codes = "0.015", "70000.05", []

    def refused() -> None:
        with pytest.raises(Reject) as refusal:
            desk.order(SWAP, "buy", size, price, **wrong)
        codes.append(refusal.value.code)

    refused()
    desk.venue.instruments[SWAP].state = "live"
    refused()
    wrong["stp"] = "cancel_maker"
    refused()
    size = "10"
    refused()
    price = "70000"
    refused()
    price = "60000"
    refused()
    wrong["reduce_only"] = False
    refused()
    assert codes == ["51022", "51000", "51121", "51000", "51137", "51169", "51008"]


def test_sums_of_open_orders_are_what_the_orders_add_up_to() -> None:
    desk = Desk()
    spot = desk.order(SPOT, "buy", "0.1", "59900", kind="limit")
    desk.order(SWAP, "sell", "3", "60500", kind="limit")
    sums = desk.me.sums
    assert sums.held == {"USDT": spot.frozen} and sums.counts == {SPOT: 1, SWAP: 1}
    assert sums.margin == (3 * D("605") * (1 / D(3) + D("0.0005"))).quantize(D("1e-10"))
    desk.move(60_600)
    desk.venue.cancel(desk.me, spot)
    assert sums.margin == 0 and not any(sums.held.values()) and not any(sums.counts.values())
    assert isinstance(sums.margin, Decimal) and not any(line.pending for line in sums.lines.values())


def test_a_close_that_is_refused_cancels_nothing() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10")
    waiting = desk.order(SWAP, "buy", "4", "59000", kind="limit")
    Edits(desk.venue).set_state(SWAP, "suspend")
    with pytest.raises(Reject, match="51022"):
        desk.venue.close_position(desk.me, HELD, "", True)
    assert waiting.is_open


def test_a_closing_order_takes_the_way_of_every_order() -> None:
    desk = Desk(match_ms=5)
    desk.order(SWAP, "sell", "10")
    desk.wait(5)
    desk.venue.outbox.clear()
    desk.venue.close_position(desk.me, HELD, "c1", False)
    [told] = [event for event in desk.venue.outbox if isinstance(event, OrderChanged)]
    assert (told.order.state, desk.contracts()) == ("live", -10)
    desk.wait(5)
    assert desk.contracts() == 0
