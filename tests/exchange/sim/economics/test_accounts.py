import pytest

from exchange.sim.edits import Edits
from exchange.sim.model import PositionKey, Reject
from tests.exchange.sim.worlds import DAY_MS, HELD, MINUTE_MS, SPOT, SWAP, D, Desk


def test_a_spot_buys_fee_is_taken_in_the_coin() -> None:
    desk = Desk()
    order = desk.order(SPOT, "buy", "0.1601", "60100")
    assert (order.fee, order.fee_ccy) == (D("-0.0001601"), "BTC")
    assert desk.cash("BTC") == D("0.1599399")
    assert desk.cash() == D("100000") - order.notional


def test_a_spot_sales_fee_is_taken_in_money() -> None:
    desk = Desk()
    desk.order(SPOT, "buy", "0.2", "60100")
    before = desk.cash()
    order = desk.order(SPOT, "sell", "0.1", "59900")
    assert (order.fee, order.fee_ccy) == (-order.notional * D("0.001"), "USDT")
    assert desk.cash() - before == order.notional * D("0.999")


def test_a_swap_fee_follows_the_notional() -> None:
    desk = Desk()
    order = desk.order(SWAP, "sell", "15.99", "59900")
    assert order.fee == -D("15.99") * D("0.01") * order.avg_px * D("0.0005")
    assert desk.cash() == D("100000") + order.fee


def test_adding_to_a_position_moves_its_average_and_reducing_does_not() -> None:
    desk = Desk()
    first = desk.order(SWAP, "sell", "1", "59900").avg_px
    desk.move(61_000)
    second = desk.order(SWAP, "sell", "3", "60900").avg_px
    row = desk.me.positions[HELD]
    assert row.avg_px == (first + 3 * second) / 4
    desk.order(SWAP, "buy", "2", "61100")
    assert row.avg_px == (first + 3 * second) / 4 and row.size == -2


def test_closing_realises_the_difference_to_the_average() -> None:
    desk = Desk()
    opened = desk.order(SWAP, "sell", "10", "59900")
    desk.move(59_000)
    closed = desk.order(SWAP, "buy", "10", "59100", reduce_only=True)
    assert closed.pnl == D(10) * D("0.01") * (opened.avg_px - closed.avg_px) > 0
    assert desk.cash() == D("100000") + closed.pnl + opened.fee + closed.fee
    (history,) = desk.me.closed_positions
    assert history["type"] == "2" and history["direction"] == "short"
    assert D(history["realizedPnl"]) == closed.pnl + opened.fee + closed.fee


def test_crossing_zero_closes_and_opens_anew() -> None:
    desk = Desk()
    opened = desk.order(SWAP, "sell", "1", "59900")
    desk.move(61_000)
    turned = desk.order(SWAP, "buy", "3", "61100")
    row = desk.me.positions[HELD]
    assert row.size == 2 and row.avg_px == turned.avg_px and row.realized == 0
    assert turned.pnl == D("0.01") * (opened.avg_px - turned.avg_px)
    assert len(desk.me.closed_positions) == 1


def test_a_reopened_position_keeps_its_id_and_starts_its_figures_again() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "1", "59900")
    first_id = desk.me.positions[HELD].pos_id
    desk.order(SWAP, "buy", "1", "60100")
    desk.wait(MINUTE_MS)
    again = desk.order(SWAP, "sell", "1", "59900")
    row = desk.me.positions[HELD]
    assert (row.pos_id, row.realized, row.fee) == (first_id, 0, again.fee)


def test_every_change_of_cash_has_a_bill_with_the_balance_after_it() -> None:
    desk = Desk()
    desk.order(SPOT, "buy", "0.2", "60100")
    desk.order(SWAP, "sell", "10", "59900")
    desk.move(59_000)
    desk.order(SWAP, "buy", "10", "59100")
    desk.order(SPOT, "sell", "0.1", "58900")
    desk.venue.transfer(desk.me, "USDT", D(100), "18", "6", "t1")
    for ccy, start in (("USDT", D("100000")), ("BTC", D(0))):
        balance = start
        for bill in [bill for bill in desk.me.bills if bill.ccy == ccy]:
            balance += bill.change
            assert bill.balance == balance
        assert balance == desk.cash(ccy)
    assert len({bill.bill_id for bill in desk.me.bills}) == len(desk.me.bills)


def test_bills_name_their_kind() -> None:
    desk = Desk()
    desk.order(SPOT, "buy", "0.2", "60100")
    desk.order(SWAP, "sell", "10", "59900")
    desk.order(SWAP, "buy", "10", "60100")
    desk.order(SWAP, "buy", "1", "60100")
    desk.order(SWAP, "sell", "1", "59900")
    kinds = [(bill.kind, bill.sub_type) for bill in desk.me.bills]
    assert kinds == [("2", "1"), ("2", "1"), ("2", "4"), ("2", "6"), ("2", "3"), ("2", "5")]


def test_a_fills_trade_id_is_the_one_the_public_saw() -> None:
    desk = Desk()
    desk.order(SPOT, "buy", "0.2", "60100")
    public = desk.venue.markets[SPOT].trades[-1]
    assert (public.trade_id, public.size) == (desk.me.executions[-1].trade_id, D("0.2"))


def test_a_lower_fee_level_is_cheaper() -> None:
    desk = Desk()
    desk.me.fee_level = "VIP1"
    assert desk.venue.fee_rates(desk.me, "SWAP") == (D("0.00018"), D("0.0004"))
    order = desk.order(SWAP, "sell", "1", "59900")
    assert order.fee == -order.avg_px * D("0.01") * D("0.0004")


def test_an_edited_position_costs_nothing_and_is_balanced_by_the_house() -> None:
    desk = Desk()
    Edits(desk.venue).set_position(desk.me, SWAP, D(-5))
    Edits(desk.venue).set_position(desk.me, SWAP, D(3))
    assert desk.contracts() == 3 and desk.cash() == D("100000")
    assert desk.venue.world.total("USDT") == desk.venue.world.house.deposits["USDT"]


def test_a_positions_record_averages_everything_it_opened_and_closed() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "2", "59900")
    desk.move(58_000)
    desk.order(SWAP, "buy", "1", "58100")
    (record,) = desk.me.closed_positions
    assert (record["type"], record["closeTotalPos"], record["openMaxPos"]) == ("1", "1", "2")
    desk.order(SWAP, "sell", "3", "57900")
    desk.move(57_000)
    desk.order(SWAP, "buy", "4", "57100")
    (record,) = desk.me.closed_positions
    fills = desk.me.executions
    sold = [fill.price * fill.size for fill in fills if fill.side == "sell"]
    bought = [fill.price * fill.size for fill in fills if fill.side == "buy"]
    assert (record["type"], record["closeTotalPos"], record["openMaxPos"]) == ("2", "5", "4")
    assert (D(record["openAvgPx"]), D(record["closeAvgPx"])) == (sum(sold) / 5, sum(bought) / 5)
    assert D(record["pnl"]) == pytest.approx((sum(sold) - sum(bought)) / 100)
    margin = sum(sold) / 100 / 3
    assert D(record["pnlRatio"]) == pytest.approx(D(record["realizedPnl"]) / margin)


def test_a_position_opened_again_after_a_month_is_another_one() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "1", "59900")
    first_id = desk.me.positions[HELD].pos_id
    desk.order(SWAP, "buy", "1", "60100")
    desk.wait(30 * DAY_MS + MINUTE_MS)
    desk.order(SWAP, "sell", "1", "59900")
    desk.order(SWAP, "buy", "1", "60100")
    assert desk.me.positions[HELD].pos_id != first_id
    assert len({record["posId"] for record in desk.me.closed_positions}) == 2


def test_bills_carry_sixteen_decimals_and_their_parts_add_up() -> None:
    desk = Desk()
    for size, price in (("1", 60_000), ("1", 60_300), ("5", 60_700)):
        desk.move(price)
        desk.order(SWAP, "sell", size)
    for size in ("0.33", "1.17", "5.5"):
        desk.move(59_000 + 7 * float(size))
        desk.order(SWAP, "buy", size)
    desk.order(SWAP, "buy", "1", mode="isolated")
    desk.order(SWAP, "sell", "0.3", mode="isolated")
    for bill in desk.me.bills:
        assert bill.change == bill.pnl + bill.fee - bill.margin_change
        assert all(round(part, 16) == part for part in (bill.change, bill.balance, bill.pnl, bill.margin))


def test_the_break_even_price_leaves_neither_gain_nor_loss() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "10", "59900")
    row = desk.me.positions[HELD]
    price = desk.venue.figures(desk.me).positions[HELD].break_even_px
    assert price is not None and price < row.avg_px
    assert (row.avg_px - price) * D("0.1") + row.fee == pytest.approx(price * D("0.1") * D("0.0005"))


def test_what_orders_are_closing_already_cannot_be_closed_again() -> None:
    desk = Desk()
    desk.venue.set_position_mode(desk.me, "long_short_mode")
    desk.order(SWAP, "sell", "10", pos_side="short")
    desk.order(SWAP, "buy", "4", "59000", kind="limit", pos_side="short")
    key = PositionKey(SWAP, "cross", "short")
    assert desk.venue.figures(desk.me).positions[key].closable == 6


def test_a_limit_order_may_not_be_worth_more_than_twenty_million() -> None:
    desk = Desk(usdt="100000000")
    with pytest.raises(Reject, match="51185"):
        desk.order(SWAP, "buy", "33334", "60000")
    desk.order(SWAP, "buy", "33333", "60000", kind="limit")


def test_a_fill_that_turns_a_position_has_a_bill_for_either_part() -> None:
    desk = Desk()
    desk.order(SWAP, "sell", "1", "59900")
    turned = desk.order(SWAP, "buy", "3", "60100")
    closing, opening = list(desk.me.bills)[-2:]
    assert [(bill.sub_type, bill.size) for bill in (closing, opening)] == [("6", 1), ("3", 2)]
    assert closing.fee + opening.fee == turned.fee
    fill = desk.me.executions[-1]
    assert (fill.bill_id, fill.sub_type) == (closing.bill_id, "6")


def test_the_fee_currency_waits_for_open_spot_buys() -> None:
    desk = Desk(usdt="6000")
    desk.order(SPOT, "buy", "0.1", "60000", kind="limit")
    with pytest.raises(Reject, match="59000"):
        desk.venue.set_fee_type(desk.me, "1")
